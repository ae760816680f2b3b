//! The version of the tables. Only `linkgate serve` and `linkgate migrate` apply migrations.

use std::cmp::Ordering;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::db::{Db, sql};
use super::{StoreConfig, StoreError};

/// The version that this program reads and writes. A migration only adds: replicas are replaced one by one.
pub const SCHEMA_VERSION: i64 = 1;

impl Db {
    /// The version of the tables, 0 for a database without any.
    pub(super) async fn schema_version(&self) -> Result<i64, StoreError> {
        let select = sql(["select coalesce(max(version), 0) as version from _sqlx_migrations where success"]);
        match self.read(select).await {
            Ok(rows) => rows.first().map_or(Ok(0), |row| row.get("version")),
            Err(StoreError::Database(sqlx::Error::Database(error))) if is_missing_table(&*error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Checks that the tables are those of this version, neither newer nor older.
    pub(super) async fn check_schema(&self, options: &StoreConfig) -> Result<(), StoreError> {
        let found = self.schema_version().await?;
        let what = options.redacted_url();
        match found.cmp(&SCHEMA_VERSION) {
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(StoreError::NewerSchema { what, found }),
            Ordering::Less => Err(StoreError::OlderSchema { what, found }),
        }
    }

    /// Creates the tables of this version, or brings those of an earlier one up to date.
    pub(super) async fn migrate(&self, options: &StoreConfig) -> Result<(), StoreError> {
        match self.check_schema(options).await {
            Err(StoreError::OlderSchema { .. }) => self.apply_migrations().await.map_err(|source| {
                let (what, source) = (options.redacted_url(), Box::new(source));
                StoreError::Migration { what, source }
            }),
            checked => checked,
        }
    }

    async fn apply_migrations(&self) -> Result<(), MigrateError> {
        match self {
            Self::Postgres(pool, _) => migrator(POSTGRES).run(pool).await,
            // PostgreSQL's migrations lock the database, SQLite's do not: the second process that creates a table fails, and
            // finds it created when it tries again.
            Self::Sqlite { pool, .. } => match migrator(SQLITE).run(pool).await {
                Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) => {
                    migrator(SQLITE).run(pool).await
                }
                done => done,
            },
        }
    }
}

/// PostgreSQL's `undefined_table`; SQLite has no code of its own for it.
fn is_missing_table(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.code().is_some_and(|code| code == "42P01") || error.message().starts_with("no such table")
}

fn migrator(text: &'static str) -> Migrator {
    let kind = MigrationType::Simple;
    let initial = Migration::new(1, "init".into(), kind, text.into_sql_str(), false);
    Migrator::with_migrations(vec![initial])
}

const SQLITE: &str = include_str!("../../migrations/sqlite/0001_init.sql");
const POSTGRES: &str = include_str!("../../migrations/postgres/0001_init.sql");

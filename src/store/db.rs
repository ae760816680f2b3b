//! One SQL text for two databases: a statement, its values, and the rows that it returns.

use std::fmt::Display;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments as _, AssertSqlSafe, Connection as _, Decode, Encode, PgConnection, PgPool, Postgres, Row as _,
    Sqlite, SqliteConnection, SqlitePool, Type,
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

use crate::model::AuditEvent;
use crate::oauth::{ConsumerKey, Timestamp};

use super::StoreError;

/// An open database. Clones share it.
#[derive(Clone, Debug)]
pub(super) enum Db {
    /// A file, or memory.
    Sqlite {
        /// Its connections.
        pool: SqlitePool,
        /// The queue of this process' writers, first come, first served: SQLite's own retries starve some of them.
        writer: Arc<Mutex<()>>,
        /// The file; `None`: the database is in the memory of its only connection.
        file: Option<PathBuf>,
        /// Held while the database is open, so that it is not replaced meanwhile.
        _lock: Option<Arc<File>>,
    },
    /// A server, shared by replicas, and how long it may take for a statement.
    Postgres(PgPool, Duration),
}

/// A transaction. Dropped without a commit, it changes nothing. Its first statement must write, so that SQLite never upgrades
/// a read lock.
pub(super) struct Transaction {
    begun: Begun,
    /// What the audit log has of it.
    pub(super) recorded: Vec<AuditEvent>,
}

enum Begun {
    Sqlite(sqlx::Transaction<'static, Sqlite>, OwnedMutexGuard<()>),
    Postgres(sqlx::Transaction<'static, Postgres>, Duration),
}

/// A connection that nothing else uses, and how long PostgreSQL may take for a statement.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection, Duration),
}

/// What a statement runs on, and how long PostgreSQL may take for it.
pub(super) enum Executor<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection, Duration),
}

/// A statement with the values of `$1`, `$2` and so on, in the form of each database. It runs word for word on both.
pub(super) struct Sql {
    pub(super) text: String,
    sqlite: SqliteArguments,
    postgres: PgArguments,
}

/// A row of a result.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A statement of constant parts.
pub(super) fn sql<const N: usize>(parts: [&'static str; N]) -> Sql {
    Sql::new(parts.concat())
}

/// Deletes [`PORTION`] rows at most of which a condition on `$1` holds; `key` is the primary key.
pub(super) fn portion(
    table: &'static str,
    key: &'static str,
    which: &'static str,
    returning: &'static str,
) -> Sql {
    let some = format!("select {key} from {table} where {which} limit {PORTION}");
    let delete = format!("delete from {table} where ({key}) in ({some}) {returning}");
    Sql::new(delete)
}

impl Sql {
    fn new(text: String) -> Self {
        let (sqlite, postgres) = Default::default();
        Self {
            text,
            sqlite,
            postgres,
        }
    }

    /// Binds the next values.
    pub(super) fn bind<const N: usize>(mut self, values: [&dyn Value; N]) -> Self {
        for value in values {
            value.add_to(&mut self);
        }
        self
    }

    // The text has constant parts only.

    fn sqlite(self) -> Query<'static, Sqlite, SqliteArguments> {
        sqlx::query_with(AssertSqlSafe(self.text), self.sqlite)
    }

    fn postgres(self) -> Query<'static, Postgres, PgArguments> {
        sqlx::query_with(AssertSqlSafe(self.text), self.postgres)
    }
}

/// A value of a column in both databases.
pub(super) trait Value: Sync {
    fn add_to(&self, sql: &mut Sql);
}

impl<'q, T> Value for T
where
    T: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres> + Sync,
{
    fn add_to(&self, sql: &mut Sql) {
        let added = sql.sqlite.add(self).and_then(|()| sql.postgres.add(self));
        added.expect("numbers, texts and bytes can be encoded");
    }
}

impl Value for Timestamp {
    fn add_to(&self, sql: &mut Sql) {
        self.seconds().add_to(sql);
    }
}

impl Db {
    /// Runs a statement that reads, and returns its rows.
    pub(super) async fn read(&self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite { pool, .. } => rows(sql.sqlite().fetch_all(pool).await?, Row::Sqlite),
            Self::Postgres(pool, limit) => {
                let read = within(*limit, sql.postgres().fetch_all(pool));
                rows(read.await?, Row::Postgres)
            }
        })
    }

    /// Runs a statement that writes, in a transaction of its own, and returns how many rows it changed.
    pub(super) async fn write(&self, sql: Sql) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = transaction.on().execute(sql).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Begins a transaction; in this process it is the only one that writes to a SQLite database.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        let begun = match self {
            Self::Sqlite { pool, writer, .. } => {
                let turn = Arc::clone(writer).lock_owned().await;
                Begun::Sqlite(pool.begin().await?, turn)
            }
            Self::Postgres(pool, limit) => Begun::Postgres(within(*limit, pool.begin()).await?, *limit),
        };
        let recorded = Vec::new();
        Ok(Transaction { begun, recorded })
    }

    pub(super) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(..))
    }

    /// Closes every connection. What a silent server does not end is dropped with the process.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { pool, .. } => pool.close().await,
            Self::Postgres(pool, limit) => drop(timeout(*limit, pool.close()).await),
        }
    }
}

impl Executor<'_> {
    /// Runs a statement, and returns how many rows it changed.
    pub(super) async fn execute(self, sql: Sql) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(connection) => sql.sqlite().execute(connection).await?.rows_affected(),
            Self::Postgres(connection, limit) => {
                let done = within(limit, sql.postgres().execute(connection));
                done.await?.rows_affected()
            }
        })
    }

    /// Runs a statement, and returns its rows. They are read to the end: a commit that fails reports it there.
    pub(super) async fn fetch(self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite(connection) => rows(sql.sqlite().fetch_all(connection).await?, Row::Sqlite),
            Self::Postgres(connection, limit) => {
                let read = within(limit, sql.postgres().fetch_all(connection));
                rows(read.await?, Row::Postgres)
            }
        })
    }
}

impl Connection {
    pub(super) fn on(&mut self) -> Executor<'_> {
        match self {
            Self::Sqlite(connection) => Executor::Sqlite(connection),
            Self::Postgres(connection, limit) => Executor::Postgres(connection, *limit),
        }
    }

    /// Closes the connection in good order.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => Ok(connection.close().await?),
            Self::Postgres(connection, limit) => within(limit, connection.close()).await,
        }
    }
}

impl Transaction {
    pub(super) fn on(&mut self) -> Executor<'_> {
        match &mut self.begun {
            Begun::Sqlite(transaction, _) => Executor::Sqlite(transaction),
            Begun::Postgres(transaction, limit) => Executor::Postgres(transaction, *limit),
        }
    }

    /// Makes the changes permanent.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self.begun {
            Begun::Sqlite(transaction, _turn) => transaction.commit().await?,
            Begun::Postgres(transaction, limit) => within(limit, transaction.commit()).await?,
        }
        self.recorded.iter().for_each(log);
        Ok(())
    }
}

impl Row {
    /// The value of a column that is not null.
    pub(super) fn get<T: Column>(&self, column: &'static str) -> Result<T, StoreError> {
        let null = || sqlx::Error::ColumnDecode {
            index: column.to_owned(),
            source: "it is null".into(),
        };
        Ok(self.nullable(column)?.ok_or_else(null)?)
    }

    /// The value of a column, or `None` for null.
    pub(super) fn nullable<T: Column>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// A text column as a type of its own.
    pub(super) fn parse<T, E: Display>(
        &self,
        table: &'static str,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        let text: String = self.get(column)?;
        parse(&text).map_err(|why| StoreError::inconsistent(table, format!("{column} `{text}`: {why}")))
    }

    /// A text column as a type of its own, if it is not null.
    pub(super) fn optional<T, E: Display>(
        &self,
        table: &'static str,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.nullable(column)?;
        text.map(|_| self.parse(table, column, parse)).transpose()
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.get(column).map(Timestamp::from_seconds)
    }

    pub(super) fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let seconds: Option<i64> = self.nullable(column)?;
        Ok(seconds.map(Timestamp::from_seconds))
    }
}

fn log(event: &AuditEvent) {
    tracing::info!(
        consumer.key = event.consumer.as_ref().map(tracing::field::debug),
        user.subject = event.subject.as_ref().map(tracing::field::debug),
        address = event.address.map(tracing::field::display),
        "{} {}",
        event.kind.name(),
        printable(&event.detail),
    );
}

/// Text that others have chosen, without control characters. PostgreSQL refuses NUL.
pub(super) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

pub(super) trait Column:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Column for T where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

pub(super) fn consumer_key(text: &str) -> Result<ConsumerKey, &'static str> {
    ConsumerKey::parse(text).ok_or("it is not a consumer key")
}

/// Limits the time of a statement of PostgreSQL, whose server may not answer. The statement may have run all the same; the
/// pool closes the connection.
async fn within<T>(
    limit: Duration,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    let done = timeout(limit, statement).await;
    Ok(done.map_err(|_| StoreError::TimedOut)??)
}

fn rows<R>(rows: Vec<R>, row: fn(R) -> Row) -> Vec<Row> {
    rows.into_iter().map(row).collect()
}

/// Rows that one statement deletes, in 0.1 to 0.2 s in a large table; fewer would take longer for each.
pub(super) const PORTION: u64 = 2_000;

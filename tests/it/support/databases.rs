//! Throwaway databases. [`on_both!`] runs a test on SQLite and on PostgreSQL, each time on a database of its own.

use std::any::Any;
use std::future::Future;
use std::panic;
use std::path::PathBuf;
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;

use linkgate::oauth::Timestamp;
use linkgate::store::{Keyring, Store, StoreConfig};

/// Makes two tests of each function, `name::sqlite` and `name::postgres`.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: Database) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn test($db: Database) $body

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                $crate::support::databases::with(Database::sqlite(), test).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                $crate::support::databases::with(Database::postgres().await, test).await;
            }
        }
    )*};
}
pub(crate) use on_both;

/// A database that lives as long as its test.
#[derive(Clone)]
pub(crate) struct Database {
    keyring: Arc<Keyring>,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Sqlite(Arc<TempDir>),
    Postgres { server: String, name: String },
}

impl Database {
    /// A file in a folder of its own.
    pub(crate) fn sqlite() -> Self {
        Self::at(Place::Sqlite(Arc::new(tempfile::tempdir().unwrap())))
    }

    /// A database on the server that `LINKGATE_TEST_POSTGRES` names.
    pub(crate) async fn postgres() -> Self {
        let server = std::env::var("LINKGATE_TEST_POSTGRES").expect(
            "this test needs a PostgreSQL server: export LINKGATE_TEST_POSTGRES=$(tests/postgres start)",
        );
        Self::postgres_on(server).await
    }

    /// A database on this server.
    pub(crate) async fn postgres_on(server: String) -> Self {
        let name = format!("linkgate_test_{:016x}", rng().random::<u64>());
        admin(&server, format!("create database {name}")).await;
        Self::at(Place::Postgres { server, name })
    }

    fn at(place: Place) -> Self {
        Self {
            keyring: Arc::new(Keyring::generate(&mut rng())),
            place,
        }
    }

    /// Its URL, as it would stand in the configuration.
    pub(crate) fn url(&self) -> String {
        match &self.place {
            Place::Sqlite(folder) => format!("sqlite://{}", folder.path().join("linkgate.db").display()),
            Place::Postgres { server, name } => {
                let (server, _) = server.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }

    /// The keys of its store.
    pub(crate) fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring)
    }

    /// How to open it.
    pub(crate) fn options(&self) -> StoreConfig {
        StoreConfig {
            max_connections: 4_u32.try_into().unwrap(),
            ..StoreConfig::new(self.url())
        }
    }

    /// Opens it. Each store has connections of its own, as if it were another process.
    pub(crate) async fn open(&self) -> Store {
        self.open_with(self.keyring()).await
    }

    /// Opens it with other keys.
    pub(crate) async fn open_with(&self, keyring: Arc<Keyring>) -> Store {
        Store::open(&self.options(), keyring, Timestamp::from_seconds(1_800_000_000))
            .await
            .unwrap()
    }

    /// Runs a statement past the store.
    pub(crate) async fn execute(&self, sql: &'static str) {
        execute(&self.url(), sql).await;
    }

    /// Reads one column of text past the store.
    pub(crate) async fn texts(&self, sql: String) -> Vec<String> {
        texts(&self.url(), sql).await
    }

    /// SQLite's file of nonces.
    pub(crate) fn nonces(&self) -> PathBuf {
        PathBuf::from(format!("{}-nonces", self.url().trim_start_matches("sqlite://")))
    }

    /// The database that holds the table of nonces.
    fn of_nonces(&self) -> String {
        match &self.place {
            Place::Sqlite(_) => format!("sqlite://{}", self.nonces().display()),
            Place::Postgres { .. } => self.url(),
        }
    }

    /// Runs a statement on the table of nonces, past the store.
    pub(crate) async fn execute_on_nonces(&self, sql: &'static str) {
        execute(&self.of_nonces(), sql).await;
    }

    /// Reads one column of text from the table of nonces, past the store.
    pub(crate) async fn texts_of_nonces(&self, sql: &str) -> Vec<String> {
        texts(&self.of_nonces(), sql.to_owned()).await
    }

    /// Holds up everything that writes to the table of nonces, until the connection is dropped.
    pub(crate) async fn hold_nonces(&self) -> Box<dyn Any + Send> {
        let url = self.of_nonces();
        match &self.place {
            Place::Sqlite(_) => Box::new(on_sqlite(&url, "begin immediate").await),
            Place::Postgres { .. } => {
                let lock = "begin; lock table nonces in exclusive mode";
                Box::new(on_postgres(&url, lock).await)
            }
        }
    }

    /// Is about to write a nonce to PostgreSQL, until the connection is dropped.
    pub(crate) async fn write_nonce(&self) -> PgConnection {
        on_postgres(&self.url(), "begin; insert into nonces values (1, 0, '')").await
    }

    /// Makes it impossible to record nonces of a minute that has none yet.
    pub(crate) async fn hide_nonces(&self) {
        self.execute("alter table nonce_lease rename to hidden").await;
    }

    /// Makes it possible again.
    pub(crate) async fn show_nonces(&self) {
        self.execute("alter table hidden rename to nonce_lease").await;
    }

    /// Whether it is SQLite's.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::Sqlite(_))
    }

    async fn remove(self) {
        if let Place::Postgres { server, name } = &self.place {
            admin(server, format!("drop database {name} with (force)")).await;
        }
    }
}

/// Runs a test on a database, and removes the database however the test ends.
pub(crate) async fn with<T, F>(database: Database, test: T)
where
    T: FnOnce(Database) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let ended = tokio::spawn(test(database.clone())).await;
    database.remove().await;
    if let Err(error) = ended {
        panic::resume_unwind(error.into_panic());
    }
}

/// Randomness for tests.
pub(crate) fn rng() -> StdRng {
    rand::make_rng()
}

async fn execute(url: &str, sql: &'static str) {
    if url.starts_with("sqlite:") {
        on_sqlite(url, sql).await.close().await.unwrap();
    } else {
        on_postgres(url, sql).await.close().await.unwrap();
    }
}

async fn on_sqlite(url: &str, sql: &'static str) -> SqliteConnection {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    connection.execute(sql).await.unwrap();
    connection
}

async fn on_postgres(url: &str, sql: &'static str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(sql).await.unwrap();
    connection
}

async fn texts(url: &str, sql: String) -> Vec<String> {
    let sql = AssertSqlSafe(sql);
    if url.starts_with("sqlite:") {
        let mut db = SqliteConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&mut db).await.unwrap()
    } else {
        let mut db = PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&mut db).await.unwrap()
    }
}

async fn admin(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

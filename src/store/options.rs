//! Which database, and how it is opened.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteError, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row as _};
use tokio::time::{Instant, sleep, timeout};

use crate::oauth::Secret;

use super::db::Db;
use super::error::StoreError;
use super::files::{create_private, lock_shared};

/// Which database to open.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:///path/of/the/file`, `sqlite::memory:`, or `postgres://user@host[:port]/database`.
    pub url: String,
    /// The password, when it is not in the URL.
    pub password: Option<Secret>,
    /// How many connections to hold at most; with PostgreSQL, one that writes nonces comes on top.
    pub max_connections: u32,
    /// How long a signed request may wait for the database in all, and how long PostgreSQL may take for a statement.
    pub timeout: Duration,
}

impl Options {
    /// Opens a database with 16 connections at most, and waits 5 s for its answers.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password: None,
            max_connections: 16,
            timeout: Duration::from_secs(5),
        }
    }

    /// What is opened, for people: the URL as it was understood, without passwords and parameters.
    pub fn redacted_url(&self) -> String {
        if self.url.starts_with("sqlite:") {
            return self.url.split('?').next().unwrap_or_default().to_owned();
        }
        let scheme = self.url.split(':').next().unwrap_or_default();
        match PgConnectOptions::from_str(&self.url) {
            Ok(options) if is_postgres(&self.url) => format!(
                "{scheme}://{}@{}:{}/{}",
                options.get_username(),
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default()
            ),
            // What is not understood may be a password anywhere.
            _ => format!("{scheme}:…"),
        }
    }

    /// Opens the database. `create`: a SQLite file that is missing is created.
    pub(super) async fn connect(&self, create: bool) -> Result<Db, StoreError> {
        let opened = if self.url.starts_with("sqlite:") {
            self.connect_sqlite(create).await
        } else if is_postgres(&self.url) {
            let connected = timeout(self.timeout, self.connect_postgres()).await;
            connected.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        } else {
            Err(sqlx::Error::Configuration(
                "a database URL begins with sqlite:// or postgres://".into(),
            ))
        };
        opened.map_err(|source| StoreError::Unreachable {
            what: self.redacted_url(),
            source,
        })
    }

    async fn connect_sqlite(&self, create: bool) -> Result<Db, sqlx::Error> {
        let options = SqliteConnectOptions::from_str(&self.url)?
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            // A token that was answered for must outlive a power cut. (Nonces have a file of their own.)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let mut pool = SqlitePoolOptions::new()
            .test_before_acquire(false)
            .max_connections(self.max_connections.max(1));
        let (mut file, mut lock) = (None, None);
        if self.url.contains(":memory:") || self.url.contains("mode=memory") {
            // A database in memory lives as long as its connection, so there is one, and it stays.
            pool = pool.max_connections(1).min_connections(1);
            pool = pool.idle_timeout(None).max_lifetime(None);
        } else {
            let path = options.get_filename().to_owned();
            lock = lock_shared(&path, create)?.map(Arc::new);
            if create {
                create_private(&path)?;
            }
            file = Some(path);
        }
        let deadline = Instant::now() + BUSY_TIMEOUT;
        let pool = loop {
            match pool.clone().connect_with(options.clone()).await {
                // The process that makes the file changes its journal mode; SQLite does not let the others wait for that.
                Err(sqlx::Error::Database(error))
                    if sqlite_code(&*error) == Some(SQLITE_BUSY) && Instant::now() < deadline =>
                {
                    sleep(Duration::from_millis(20)).await;
                }
                connected => break connected?,
            }
        };
        let writer = Arc::default();
        Ok(Db::Sqlite {
            pool,
            writer,
            file,
            _lock: lock,
        })
    }

    async fn connect_postgres(&self) -> Result<Db, sqlx::Error> {
        let mut options = PgConnectOptions::from_str(&self.url)?
            .application_name("linkgate")
            // PgBouncer refuses this one, and no column is of such a type.
            .extra_float_digits(None);
        if let Some(password) = &self.password {
            options = options.password(password.expose());
        }
        // The pool would try until its time is up and then report only that; the first connection reports its own error.
        let mut first = PgConnection::connect_with(&options).await?;
        let limit = self.timeout;
        let pool = PgPoolOptions::new()
            .max_connections(self.max_connections.max(1))
            .acquire_timeout(limit)
            .after_release(|connection, _| Box::pin(is_alive(connection)))
            .after_connect(move |connection, _| Box::pin(set_up_session(connection, limit)))
            .connect_with(options)
            .await?;
        let mut second = pool.acquire().await?;
        let (one, two) = (backend(&mut first).await?, backend(&mut second).await?);
        // Asked again in the other order, so that processes in turn are no others by chance.
        let again = (backend(&mut second).await?, backend(&mut first).await?);
        drop(second);
        first.close().await?;
        if one == two || again != (two, one) {
            return Err(sqlx::Error::Configuration(SHARED_SESSIONS.into()));
        }
        Ok(Db::Postgres(pool, self.timeout))
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &self.redacted_url())
            .field("password", &self.password)
            .field("max_connections", &self.max_connections)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// The number of the process of PostgreSQL that runs the statements of a session.
async fn backend(session: &mut PgConnection) -> Result<i32, sqlx::Error> {
    // Not prepared: a pooler may have such a statement already.
    sqlx::raw_sql("select pg_backend_pid()")
        .fetch_one(session)
        .await?
        .try_get(0)
}

/// Sets what every session of PostgreSQL needs, whatever the server's defaults are.
pub(super) async fn set_up_session(session: &mut PgConnection, limit: Duration) -> Result<(), sqlx::Error> {
    // A commit that was answered for is on the disk. A transaction whose client has gone silent gives its locks back.
    let settings = format!(
        "set synchronous_commit = on; set idle_in_transaction_session_timeout = {}",
        limit.as_millis()
    );
    session.execute(AssertSqlSafe(settings)).await.map(drop)
}

/// Whether a connection still answers when a task has finished with it, or has given it up.
async fn is_alive(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let answer = timeout(BUSY_TIMEOUT, connection.ping()).await;
    answer.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
}

/// The kind of an error of SQLite; the higher bytes of its code are details.
pub(super) fn sqlite_code(error: &dyn DatabaseError) -> Option<u32> {
    error.try_downcast_ref::<SqliteError>()?;
    Some(error.code()?.parse::<u32>().ok()? & 0xFF)
}

/// Whether everything on the way to a database is encrypted, or stays on this machine.
pub fn is_encrypted(url: &str) -> bool {
    let Ok(options) = PgConnectOptions::from_str(url) else {
        return true;
    };
    let host = options.get_host();
    let is_local = host.starts_with('/')
        || host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_required = matches!(
        options.get_ssl_mode(),
        PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull
    );
    !is_postgres(url) || is_local || is_required
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

/// Two sessions that are open have one process, or a session has several.
const SHARED_SESSIONS: &str = "this is PgBouncer in transaction mode, or another pooler that shares sessions: use session mode \
     (pool_mode = session), or connect directly";

const SQLITE_BUSY: u32 = 5;

/// How long a writer waits for another process that writes to a SQLite database, and a connection to PostgreSQL for the answer
/// whether it is alive.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

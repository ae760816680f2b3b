//! Which database, and how it is opened.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteError, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row as _};
use tokio::time::{Instant, sleep, timeout};

use crate::oauth::Secret;
use crate::setting::duration;

use super::db::Db;
use super::error::StoreError;
use super::files::{create_private, lock_shared};

/// `[store]`: which database, and how it is opened.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite:///path/of/the/file`, `sqlite::memory:`, or `postgres://user@host[:port]/database`.
    #[serde(deserialize_with = "database_url")]
    pub url: String,
    /// The password, when it is not in the URL.
    pub password: Option<Secret>,
    /// How many connections to hold at most; with PostgreSQL, one that writes nonces comes on top.
    pub max_connections: NonZeroU32,
    /// How long a signed request may wait for the database in all, and how long PostgreSQL may take for a statement.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self::new("sqlite://linkgate.db")
    }
}

impl StoreConfig {
    /// Opens a database with 16 connections at most, and waits 5 s for its answers.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password: None,
            max_connections: const { NonZeroU32::new(16).expect("it is not zero") },
            timeout: Duration::from_secs(5),
        }
    }

    /// Whether this is PostgreSQL, which several replicas share. All of them need the same secret key.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres:") || self.url.starts_with("postgresql:")
    }

    /// Whether the URL contains a password.
    pub fn has_password_in_url(&self) -> bool {
        let rest = self.url.strip_prefix("postgres://");
        let user = rest.and_then(|rest| rest.split(['/', '?', '#']).next()?.rsplit_once('@'));
        user.is_some_and(|(user, _)| user.contains(':'))
    }

    /// The file of a SQLite database; `None` for PostgreSQL, and in memory.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let path = self.url.strip_prefix("sqlite://")?;
        let (file, options) = path.split_once('?').unwrap_or((path, ""));
        let is_in_memory = file == ":memory:" || options.split('&').any(|option| option == "mode=memory");
        let file = percent_decode_str(file).decode_utf8_lossy();
        (!is_in_memory).then(|| PathBuf::from(&*file))
    }

    /// Replaces the file of a SQLite database, and keeps the options.
    pub fn set_sqlite_file(&mut self, file: &Path) {
        let options = self.url.find('?').map_or("", |at| &self.url[at..]);
        let file = file.display().to_string().replace('%', "%25").replace('?', "%3F");
        self.url = format!("sqlite://{file}{options}");
    }

    /// Whether everything on the way to the database is encrypted, or stays on this machine.
    pub fn is_encrypted(&self) -> bool {
        let Ok(options) = PgConnectOptions::from_str(&self.url) else {
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
        !self.is_postgres() || is_local || is_required
    }

    /// What is opened, for people: the URL as it was understood, without passwords and parameters.
    pub fn redacted_url(&self) -> String {
        if self.url.starts_with("sqlite:") {
            return self.url.split('?').next().unwrap_or_default().to_owned();
        }
        let scheme = self.url.split(':').next().unwrap_or_default();
        match PgConnectOptions::from_str(&self.url) {
            Ok(options) if self.is_postgres() => format!(
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
        } else if self.is_postgres() {
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
            .max_connections(self.max_connections.get());
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
            .max_connections(self.max_connections.get())
            .acquire_timeout(limit)
            // The pool's own test waits for as long as `acquire` may, so that each silent connection would cost a request.
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(is_alive(connection, IDLE_TIMEOUT)))
            .after_release(|connection, _| Box::pin(is_alive(connection, BUSY_TIMEOUT)))
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

/// The URL may contain secrets.
impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
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
    // A commit that was answered for is on the disk. A transaction whose client has gone silent gives its locks back, and its
    // session ends within a minute: such sessions would use up max_connections.
    let settings = format!(
        "set synchronous_commit = on; set idle_in_transaction_session_timeout = {}; \
         set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3",
        limit.as_millis()
    );
    session.execute(AssertSqlSafe(settings)).await.map(drop)
}

/// Whether a connection still answers: before a task takes it, and when it has finished with it or has given it up.
async fn is_alive(connection: &mut PgConnection, limit: Duration) -> Result<bool, sqlx::Error> {
    let answer = timeout(limit, connection.ping()).await;
    answer.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
}

/// The kind of an error of SQLite; the higher bytes of its code are details.
pub(super) fn sqlite_code(error: &dyn DatabaseError) -> Option<u32> {
    error.try_downcast_ref::<SqliteError>()?;
    Some(error.code()?.parse::<u32>().ok()? & 0xFF)
}

/// The text may contain a password, and no message repeats it.
fn database_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const REMEDY: &str = "write \"sqlite://linkgate.db\" or \"postgres://user@host/database\"";
    let text = String::deserialize(deserializer)?;
    let after = |schemes: [&str; 2]| schemes.into_iter().find_map(|scheme| text.strip_prefix(scheme));
    let wrong = if let Some(path) = after(["sqlite://", "sqlite:"]) {
        if path.split('?').next() != Some("") || path.contains("mode=memory") {
            return Ok(format!("sqlite://{path}"));
        }
        format!("the path is missing\n{REMEDY}")
    } else if let Some(rest) = after(["postgres://", "postgresql://"]) {
        if !rest
            .find(['/', '?', '#'])
            .is_some_and(|end| rest[end..].contains('@'))
        {
            return Ok(format!("postgres://{rest}"));
        }
        "the user name or the password has a character that ends it: /, ? or #\n\
         percent-encode it, or write the password into a file, and its path as password_file"
            .to_owned()
    } else {
        format!("this is not the URL of a database that linkgate knows\n{REMEDY}")
    };
    Err(D::Error::custom(wrong))
}

/// Two sessions that are open have one process, or a session has several.
const SHARED_SESSIONS: &str = "this is PgBouncer in transaction mode, or another pooler that shares sessions: use session mode \
     (pool_mode = session), or connect directly";

const SQLITE_BUSY: u32 = 5;

/// How long a writer waits for another process that writes to a SQLite database, and a connection to PostgreSQL that had a
/// statement for the answer whether it is alive.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The same for a connection that was idle.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

//! The two databases we speak, and how one statement reaches either.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The two databases we speak.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    /// One file, one writer at a time.
    Sqlite(SqlitePool, Writing),
    /// A server, shared by replicas.
    Postgres(PgPool),
}

/// Whose turn it is to write to a SQLite file.
///
/// SQLite has one writer at a time and lets the others try again at growing distances, which starves some of them when
/// many write. In here writers queue, first come, first served; between processes its busy time-out remains.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    turn: Arc<Mutex<()>>,
    /// The database lives in the memory of its only connection.
    in_memory: bool,
}

/// Runs one body on whichever database is open. Both arms see the same text. `on!(write ..)` waits for its turn first.
macro_rules! on {
    (write $pool:expr, |$db:ident| $body:expr) => {{
        let _turn = $pool.turn().await;
        on!($pool, |$db| $body)
    }};
    ($pool:expr, |$db:ident| $body:expr) => {
        match $pool {
            $crate::store::pool::Pool::Sqlite($db, _) => $body,
            $crate::store::pool::Pool::Postgres($db) => $body,
        }
    };
}

impl Pool {
    /// A pool over one SQLite database.
    pub(super) fn sqlite(pool: SqlitePool, in_memory: bool) -> Self {
        Self::Sqlite(
            pool,
            Writing {
                turn: Arc::default(),
                in_memory,
            },
        )
    }

    /// Waits until this task may write. PostgreSQL has no such queue.
    pub(super) async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        match self {
            Self::Sqlite(_, writing) => Some(Arc::clone(&writing.turn).lock_owned().await),
            Self::Postgres(_) => None,
        }
    }

    /// The file in which the database is, if it is in one.
    pub(super) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(db, writing) if !writing.in_memory => {
                Some(db.connect_options().get_filename().to_owned())
            }
            _ => None,
        }
    }

    /// Brings the tables to this version's shape.
    pub(super) async fn migrate(&self) -> Result<(), MigrateError> {
        match self {
            Self::Postgres(db) => POSTGRES.run(db).await,
            Self::Sqlite(db, _) => migrate_sqlite(db).await,
        }
    }
}

/// PostgreSQL's migrations lock the database; SQLite's do not. Whoever comes second to one finds its table made, looks
/// again, and sees it applied; and that once for each of them, at most.
async fn migrate_sqlite(db: &SqlitePool) -> Result<(), MigrateError> {
    let mut done = SQLITE.run(db).await;
    for _ in SQLITE.iter() {
        match done {
            Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) => done = SQLITE.run(db).await,
            _ => break,
        }
    }
    done
}

pub(super) use on;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

//! SQLite's file of nonces, `<database>-nonces`, or its counterpart in memory. It is written without waiting for the disk: one
//! that was written before the last start of the machine may be damaged, and is removed unread.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use rand::RngExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Executor as _, SqliteConnection};

use crate::store::files::{beside, create_private};

use super::StoreError;

/// Opens the file. `None` if there is none, or an empty one.
pub(super) async fn open(path: Option<&Path>) -> Result<Option<SqliteConnection>, StoreError> {
    match path {
        Some(path) if fs::metadata(path).is_ok_and(|file| file.len() > 0) => {
            let connected = connect(path).await;
            connected.map(Some).map_err(|error| named(path, error))
        }
        _ => Ok(None),
    }
}

/// Makes an empty file, or a database in memory. A process that has the former file open keeps that.
pub(super) async fn replace(path: Option<&Path>) -> Result<SqliteConnection, StoreError> {
    let Some(path) = path else {
        return Ok(connect(Path::new(":memory:")).await?);
    };
    let replaced = remove_all(path).and_then(|()| create_private(path));
    replaced.map_err(|error| named(path, error.into()))?;
    connect(path).await.map_err(|error| named(path, error))
}

async fn connect(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    connection.execute(CREATE_TABLE).await?;
    Ok(connection)
}

fn remove_all(path: &Path) -> io::Result<()> {
    // The file first: without its log it would be an earlier state of itself.
    for suffix in ["", "-wal", "-shm"] {
        match fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn named(path: &Path, source: sqlx::Error) -> StoreError {
    let what = path.display().to_string();
    StoreError::Unreachable { what, source }
}

/// Names the present start of the machine. Where the kernel gives it no name, every process is taken for another start.
pub(super) fn boot_id() -> &'static str {
    static START: LazyLock<String> = LazyLock::new(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
        id.map_or_else(|_| random(), |id| id.trim().to_owned())
    });
    &START
}

#[expect(
    clippy::disallowed_methods,
    reason = "the name of an epoch is drawn when one begins"
)]
pub(super) fn random() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// PostgreSQL has it from `migrations/postgres/0001_init.sql`.
const CREATE_TABLE: &str = "
    create table if not exists nonces (
        minute  integer not null,
        number  integer not null,
        digests blob    not null,
        primary key (minute, number)
    ) strict, without rowid";

const BUSY_TIMEOUT: Duration = Duration::from_secs(4);

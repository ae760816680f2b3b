//! Backup and restore of a SQLite database, and what a restore of either database must do: the nonces of the time after the
//! backup are lost.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::oauth::Timestamp;

use super::db::sql;
use super::{Store, StoreError};

impl Store {
    /// Copies a SQLite database as it is at one moment to a new file, readable by its owner alone. Others may write meanwhile.
    ///
    /// # Errors
    ///
    /// The file exists, or cannot be written; the database is not SQLite's.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let failed = |source: io::Error| StoreError::Unreachable {
            what: file.display().to_string(),
            source: source.into(),
        };
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file);
        let created = created.map_err(failed)?;
        let text = file
            .to_str()
            .ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
        self.db.read(sql(["vacuum into $1"]).bind(text)).await?;
        created.sync_all().map_err(failed)
    }

    /// Checks that a SQLite database is whole.
    ///
    /// # Errors
    ///
    /// [`StoreError::Inconsistent`] with what SQLite found first.
    pub async fn check_integrity(&self) -> Result<(), StoreError> {
        let rows = self.db.read(sql([
            "select integrity_check as found from pragma_integrity_check limit 1",
        ]));
        let found: String = rows
            .await?
            .first()
            .map_or(Ok(String::new()), |row| row.get("found"))?;
        if found == "ok" {
            return Ok(());
        }
        Err(StoreError::inconsistent("sqlite_schema", found))
    }

    /// Takes the nonces of all requests signed until a time for lost, those of a server that runs as soon as it needs another
    /// minute: such requests are answered 503, since they cannot be told from replays.
    pub async fn lose_nonces(&self, until: Timestamp) -> Result<(), StoreError> {
        // The epoch of no table.
        let update = sql([
            "insert into nonce_lease (one, epoch, minute) values (1, 'lost', $1) on conflict (one) do update set \
             epoch = 'lost', minute = case when nonce_lease.minute < $1 then $1 else nonce_lease.minute end",
        ]);
        self.db.write(update.bind(until.bucket())).await?;
        Ok(())
    }
}

/// Locks the file beside a SQLite database that every process which uses the database has locked as well. `None`: there is no
/// such file, because no server has used the database.
///
/// # Errors
///
/// [`io::ErrorKind::WouldBlock`]: a process uses the database.
pub fn lock_exclusively(database: &Path) -> io::Result<Option<File>> {
    let file = match File::open(beside(database, "-lock")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    locked(file.try_lock()).map(|()| Some(file))
}

/// Locks the same file together with other processes that use the database. `create`: the file is made if it is missing.
pub(super) fn lock_shared(database: &Path, create: bool) -> io::Result<Option<File>> {
    let path = beside(database, "-lock");
    if create {
        super::options::create_private(&path)?;
    }
    let file = match File::open(path) {
        // A command of another user works all the same.
        Err(_) if !create => return Ok(None),
        opened => opened?,
    };
    locked(file.try_lock_shared()).map(|()| Some(file))
}

fn locked(outcome: Result<(), TryLockError>) -> io::Result<()> {
    outcome.map_err(|error| match error {
        TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        TryLockError::Error(error) => error,
    })
}

/// A file beside a database, named after it.
pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    database.with_file_name(name)
}

//! The files of a SQLite database.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the file before SQLite does, readable by its owner alone; SQLite gives its side files the same mode.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    match create_new(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Locks the file beside a SQLite database that every process which uses it has locked as well. `None`: there is no such file.
///
/// # Errors
///
/// [`io::ErrorKind::WouldBlock`]: a process uses the database.
pub fn lock_exclusively(database: &Path) -> io::Result<Option<File>> {
    let file = match File::open(beside(database, "-lock")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    file.try_lock()?;
    Ok(Some(file))
}

/// Locks the same file together with other processes, where the file system can. `create`: makes it if it is missing.
pub(super) fn lock_shared(database: &Path, create: bool) -> io::Result<Option<File>> {
    let path = beside(database, "-lock");
    if create {
        create_private(&path)?;
    }
    let file = match File::open(path) {
        // A command of another user works all the same.
        Err(_) if !create => return Ok(None),
        opened => opened?,
    };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(_)) => Ok(None),
        Ok(()) => Ok(Some(file)),
    }
}

/// A file beside a database, named after it.
pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    database.with_file_name(name)
}

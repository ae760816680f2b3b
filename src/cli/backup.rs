//! `linkgate backup` and `linkgate restore`.

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use clap::Args;
use tempfile::NamedTempFile;

use crate::clock::Clock;
use crate::config::Config;
use crate::oauth::Timestamp;
use crate::server::store::with_store_without_keys;
use crate::store::{Keyring, Store, beside, lock_exclusively};

use super::config::ConfigFile;
use super::key::put;

/// Copy the SQLite database into a new directory, while the server runs
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate backup /var/backups/linkgate/monday
  linkgate backup --with-key /mnt/safe/linkgate

The key file is needed as well: without it, every user must connect again.
PostgreSQL has pg_dump.")]
pub(super) struct Backup {
    /// A directory that is empty, or not there yet
    directory: PathBuf,
    /// Copy the key file, too. Keep such a backup where only you can read it: tokens can be made with it
    #[arg(long)]
    with_key: bool,
    #[command(flatten)]
    config: ConfigFile,
}

/// Put a backup in the place of the SQLite database; or begin anew with the nonces after a restore of PostgreSQL
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate restore /var/backups/linkgate/monday
  linkgate restore --nonces-lost         after pg_restore, before the servers start again

Stop every server first. What was connected after the backup is gone, and what was revoked after it works again.
For some minutes, signed requests are answered 503: those of before the restore must not pass a second time.")]
pub(super) struct Restore {
    /// What `linkgate backup` has made
    #[arg(required_unless_present = "nonces_lost")]
    directory: Option<PathBuf>,
    /// Restore nothing, and take all nonces for lost: after `pg_restore`, or a failover that lost the last minutes
    #[arg(long, conflicts_with = "directory")]
    nonces_lost: bool,
    #[command(flatten)]
    config: ConfigFile,
}

impl Backup {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        ensure!(
            !config.store.is_postgres(),
            "PostgreSQL has a way of its own: pg_dump, and after a restore `linkgate restore --nonces-lost`"
        );
        let directory = &self.directory;
        let keyring = Arc::new(Keyring::open_file(&config.keys.secret_key_file)?.keyring);
        with_store_without_keys(&config, keyring.clone(), async |store| {
            copy(store, directory).await
        })
        .await?;
        if self.with_key {
            put(&keyring.to_text(), Some(&directory.join(KEY)))?;
        }
        File::open(directory)?.sync_all()?;
        super::print(&format!("{} is a backup\n", directory.display()))
    }
}

async fn copy(store: &Store, directory: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .and_then(|()| fs::read_dir(directory))
        .and_then(|mut entries| match entries.next() {
            None => Ok(()),
            Some(_) => Err(ErrorKind::DirectoryNotEmpty.into()),
        })
        .with_context(|| format!("{} cannot take a backup", directory.display()))?;
    let copied = store.copy_to(&directory.join(DATABASE)).await;
    if copied.is_err() {
        // Half a copy is none. What is in its way was said already.
        let _ = fs::remove_file(directory.join(DATABASE));
    }
    Ok(copied?)
}

impl Restore {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let Some(directory) = &self.directory else {
            let keyring = Keyring::open_file(&config.keys.secret_key_file)?.keyring;
            let lose = async |store: &Store| Ok(store.lose_nonces(last_signed(&config)).await?);
            with_store_without_keys(&config, keyring.into(), lose).await?;
            return super::print("the nonces are taken for lost\n");
        };
        let Some(database) = config.store.sqlite_file() else {
            bail!(
                "only SQLite's database is restored; PostgreSQL has pg_restore, and after it `linkgate restore --nonces-lost`"
            );
        };
        let copy = directory.join(DATABASE);
        let folder = database.parent().context("the database has no folder")?;
        let lock = lock_exclusively(&database).with_context(|| {
            format!(
                "{} is in use: stop every linkgate that serves it",
                database.display()
            )
        })?;
        let mut new = NamedTempFile::with_prefix_in(".linkgate-restore-", folder)?;
        let copied = File::open(&copy).and_then(|mut copy| std::io::copy(&mut copy, &mut new));
        copied.with_context(|| format!("{} cannot be copied", copy.display()))?;
        take_key(directory, &config.keys.secret_key_file)?;
        check(&config, new.path())
            .await
            .with_context(|| format!("{} cannot be restored", directory.display()))?;
        replace(&database, new).with_context(|| format!("{} cannot be replaced", database.display()))?;
        drop(lock);
        super::print(&format!("{} is restored\n", database.display()))
    }
}

/// The key file of the backup, if there is none in its place.
fn take_key(directory: &Path, key: &Path) -> anyhow::Result<()> {
    let copy = directory.join(KEY);
    if key.exists() || !copy.exists() {
        return Ok(());
    }
    put(&Keyring::open_file(&copy)?.keyring.to_text(), Some(key))
}

/// Checks that a copy of a backup is whole and has its keys, and prepares it for its place.
async fn check(config: &Config, file: &Path) -> anyhow::Result<()> {
    let keyring = Keyring::open_file(&config.keys.secret_key_file)?.keyring;
    let mut options = config.store.clone();
    options.set_sqlite_file(file);
    let now = Clock::System.now();
    let store = Store::open_without_keys(&options, keyring.into()).await?;
    store.check_keys(now).await?;
    let mut checked = store.check_integrity().await;
    if checked.is_ok() {
        checked = store.lose_nonces(last_signed(config)).await;
    }
    store.close().await;
    Ok(checked?)
}

/// The latest `oauth_timestamp` that may have been accepted.
fn last_signed(config: &Config) -> Timestamp {
    Clock::System.now().plus(config.tokens.timestamp_window.future)
}

/// Puts a file in the place of a database, with its owner and mode, and removes what belonged to the former one.
fn replace(database: &Path, new: NamedTempFile) -> std::io::Result<()> {
    if let Ok(old) = fs::metadata(database) {
        fchown(new.as_file(), Some(old.uid()), Some(old.gid()))?;
        new.as_file().set_permissions(old.permissions())?;
    }
    new.as_file().sync_all()?;
    for suffix in ["-wal", "-shm", "-nonces", "-nonces-wal", "-nonces-shm"] {
        match fs::remove_file(beside(database, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    new.persist(database).map_err(|failed| failed.error)?;
    File::open(database.with_file_name("."))?.sync_all()
}

/// The files of a backup.
const DATABASE: &str = "linkgate.db";
const KEY: &str = "linkgate.key";

//! SQLite's nonces: files beside the database, one for each minute.
//!
//! Even a share in a batch of rows costs several times what an entry at the end of an open file does. So whoever needs it
//! writes it then and there, with those of the others who are ready (`nonce_batch`): it is handed to the operating system,
//! which outlives us. What a power cut may take, `nonce_mark` knows. A minute is one of the requests' timestamps, so that
//! all processes look into the same file for the same nonce, and to forget a minute is to delete a file.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::StoreError;
use super::db::Db;
use super::nonce_batch::Batches;
use super::nonce_mark::NonceMark;
use super::nonce_minute::Minute;
use super::nonce_set::Digest;
use super::nonces::NonceKey;

/// The minutes that can still be asked for.
#[derive(Debug)]
pub(super) struct NonceLog {
    pool: Db,
    /// Where the files are; `None`: the database lives in memory, and so do its nonces.
    folder: Option<PathBuf>,
    minutes: Mutex<Minutes>,
    batches: Batches<Answer>,
    /// Whoever opens a minute does so alone. `None`: nothing has been opened yet.
    mark: tokio::sync::Mutex<Option<NonceMark>>,
}

#[derive(Debug, Default)]
struct Minutes {
    open: BTreeMap<i64, Minute>,
    closed: bool,
}

/// What became of a nonce in a batch.
#[derive(Clone, Debug)]
enum Answer {
    /// It is written, or was before.
    Known { new: bool },
    /// Its minute must be opened first.
    NotOpen,
    /// Nobody knows.
    Failed(Arc<StoreError>),
    /// Nothing is admitted any more.
    Closed,
}

impl NonceLog {
    /// Takes the database, and its file. Nothing is opened before it is needed.
    pub(super) fn new(pool: Db, database: Option<&Path>) -> Self {
        let folder = database.map(|path| {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push("-nonces");
            path.with_file_name(name)
        });
        Self {
            pool,
            folder,
            minutes: Mutex::default(),
            batches: Batches::new(),
            mark: tokio::sync::Mutex::default(),
        }
    }

    /// Writes a nonce, or says `false`: it was there.
    pub(super) async fn remember(&self, key: NonceKey) -> Result<bool, StoreError> {
        loop {
            match self.batches.write(key, |keys| self.write(&keys)).await {
                Some(Answer::Known { new }) => return Ok(new),
                Some(Answer::NotOpen) => self.open_in_time(key.0).await?,
                Some(Answer::Failed(error)) => return Err(StoreError::Nonces(error)),
                Some(Answer::Closed) | None => return Err(StoreError::Closed),
            }
        }
    }

    /// Writes a batch. To append a few bytes to what the operating system keeps in memory takes less than to hand them to
    /// another thread.
    fn write(&self, keys: &[NonceKey]) -> Vec<Answer> {
        let mut minutes = self.lock();
        if minutes.closed {
            return vec![Answer::Closed; keys.len()];
        }
        let mut answers = vec![Answer::NotOpen; keys.len()];
        let mut places: Vec<usize> = (0..keys.len()).collect();
        places.sort_by_key(|&place| keys[place].0);
        for places in places.chunk_by(|&one, &other| keys[one].0 == keys[other].0) {
            let Some(open) = minutes.open.get_mut(&keys[places[0]].0) else {
                continue;
            };
            let digests: Vec<Digest> = places.iter().map(|&place| keys[place].1).collect();
            let mut new = vec![None; digests.len()];
            let unknown = match open.remember(&digests, &mut new) {
                Ok(()) => Answer::NotOpen,
                Err(error) => Answer::Failed(Arc::new(self.unusable(error))),
            };
            for (&place, new) in places.iter().zip(new) {
                answers[place] = new.map_or_else(|| unknown.clone(), |new| Answer::Known { new });
            }
        }
        answers
    }

    /// Opens a minute, or says why it does not get open.
    async fn open_in_time(&self, minute: i64) -> Result<(), StoreError> {
        let patience = Duration::from_secs(PATIENCE_SECONDS);
        let opened = timeout(patience, Box::pin(self.open(minute))).await;
        let opened = opened.unwrap_or(Err(StoreError::TimedOut {
            seconds: PATIENCE_SECONDS,
        }));
        opened.map_err(|error| {
            let closed = self.lock().closed;
            if closed { StoreError::Closed } else { error }
        })
    }

    /// Opens a minute, once it has been noted that there may be nonces of it.
    async fn open(&self, minute: i64) -> Result<(), StoreError> {
        let mut mark = self.mark.lock().await;
        if self.lock().open.contains_key(&minute) {
            return Ok(());
        }
        let mark = match &mut *mark {
            Some(mark) => mark,
            unread => unread.insert(self.read_mark().await?),
        };
        if mark.is_lost(minute) {
            return Err(StoreError::Forgotten);
        }
        mark.reach(minute, &self.pool).await?;
        let opened = match &self.folder {
            None => Minute::in_memory(),
            Some(folder) => {
                let path = folder.join(minute.to_string());
                let opened = blocking(move || Minute::open(&path)).await;
                opened.map_err(|error| self.failed(error))?
            }
        };
        self.lock().open.insert(minute, opened);
        Ok(())
    }

    /// Makes the folder if need be. Where there were nonces and now is no folder, they are lost: that is noted before there
    /// is one again.
    async fn read_mark(&self) -> Result<NonceMark, StoreError> {
        let Some(folder) = self.folder.clone() else {
            return NonceMark::read(&self.pool, || false).await;
        };
        let mark = NonceMark::read(&self.pool, || !folder.is_dir()).await?;
        if !folder.is_dir() {
            let made = blocking(move || DirBuilder::new().recursive(true).mode(0o700).create(&folder));
            made.await.map_err(|error| self.failed(error))?;
        }
        Ok(mark)
    }

    /// Forgets the nonces of all minutes before this one, and says how many they were.
    pub(super) async fn forget_before(&self, minute: i64) -> Result<u64, StoreError> {
        let forgotten = {
            let mut minutes = self.lock();
            let kept = minutes.open.split_off(&minute);
            std::mem::replace(&mut minutes.open, kept)
        };
        let Some(folder) = self.folder.clone() else {
            return Ok(forgotten.values().map(|minute| minute.len() as u64).sum());
        };
        let deleted = blocking(move || delete_before(&folder, minute, &forgotten));
        deleted.await.map_err(|error| self.failed(error))
    }

    /// Admits nothing any more.
    pub(super) fn close(&self) {
        let mut minutes = self.lock();
        minutes.closed = true;
        minutes.open.clear();
    }

    fn failed(&self, source: io::Error) -> StoreError {
        StoreError::Nonces(Arc::new(self.unusable(source)))
    }

    fn unusable(&self, source: io::Error) -> StoreError {
        let folder = self.folder.clone().unwrap_or_default();
        StoreError::Files { folder, source }
    }

    fn lock(&self) -> MutexGuard<'_, Minutes> {
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deletes the files of earlier minutes, also those of a process before us. Other files are not ours.
fn delete_before(folder: &Path, minute: i64, open: &BTreeMap<i64, Minute>) -> io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut nonces = 0;
    for entry in entries {
        let entry = entry?;
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(old) = number.filter(|&old: &i64| old < minute) else {
            continue;
        };
        // Another process may be doing the same.
        let (length, gone) = (entry.metadata(), fs::remove_file(entry.path()));
        if let (Ok(length), Ok(())) = (length, gone) {
            let open = open.get(&old).map(|minute| minute.len() as u64);
            nonces += open.unwrap_or(length.len() / size_of::<Digest>() as u64);
        }
    }
    Ok(nonces)
}

/// Does work that may wait for the disk, where nobody waits for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(error.into()))
}

/// Longer than SQLite's busy time-out.
const PATIENCE_SECONDS: u64 = 10;

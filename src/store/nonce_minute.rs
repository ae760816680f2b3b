//! The nonces of one minute: in memory, and in a file that outlives the process.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The digest of a nonce.
pub(super) type Digest = [u8; ENTRY];

/// A set of digests, and the file that holds them one after the other.
///
/// Several processes may write to the file. Each appends first and compares after that: whatever stands before its own
/// entry was there before it, and of equal entries the first counts. Whoever is admitted has compared itself with all.
#[derive(Debug)]
pub(super) struct Minute {
    seen: HashSet<Digest>,
    /// `None`: the database lives in memory as well.
    file: Option<File>,
    /// How many bytes of the file are in the set.
    read: u64,
}

impl Minute {
    /// A minute without a file.
    pub(super) fn in_memory() -> Self {
        Self {
            seen: HashSet::new(),
            file: None,
            read: 0,
        }
    }

    /// Opens a minute's file, or makes it, and reads what it holds. There is room for as many nonces as are expected.
    pub(super) fn open(path: &Path, expected: usize) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let there = file.metadata()?.len() / ENTRY as u64 * ENTRY as u64;
        let mut minute = Self {
            seen: HashSet::with_capacity(expected),
            file: Some(file),
            read: 0,
        };
        minute.read_on(there)?;
        Ok(minute)
    }

    /// How many nonces are known.
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    /// Remembers a nonce for good, or says `false`: it was there.
    pub(super) fn remember(&mut self, digest: &Digest) -> io::Result<bool> {
        if self.seen.contains(digest) {
            return Ok(false);
        }
        if let Some(file) = &self.file {
            let end = append(file, digest)?;
            self.read_on(end - ENTRY as u64)?;
            self.read = end;
        }
        Ok(self.seen.insert(*digest))
    }

    /// Reads what others have written since, up to a byte.
    fn read_on(&mut self, until: u64) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        if self.read == until {
            return Ok(());
        }
        let mut buffer = [0; 512 * ENTRY];
        while self.read < until {
            let length = usize::try_from(until - self.read).unwrap_or(usize::MAX);
            let piece = &mut buffer[..length.min(512 * ENTRY)];
            file.read_exact_at(piece, self.read)?;
            self.seen.extend(piece.as_chunks().0);
            self.read += piece.len() as u64;
        }
        Ok(())
    }
}

/// Appends an entry, and says where it ends.
///
/// A disk that was full may have left a part of one. It is filled up: that nonce was never promised to anybody, and what
/// then stands in its place is a digest that nobody has.
fn append(mut file: &File, digest: &Digest) -> io::Result<u64> {
    for _ in 0..TRIES {
        let written = file.write(digest)?;
        let end = file.stream_position()?;
        let over = usize::try_from(end % ENTRY as u64).unwrap_or_default();
        if over == 0 && written == ENTRY {
            return Ok(end);
        }
        file.write_all(&[0; ENTRY][over..])?;
    }
    Err(io::Error::other("an entry cannot be written in one piece"))
}

/// Bytes of an entry.
const ENTRY: usize = 16;

/// How often an entry is written before we give up. Another process may have the same trouble at the same time.
const TRIES: u32 = 8;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn digest(n: u8) -> Digest {
        [n; ENTRY]
    }

    #[test]
    fn a_part_of_an_entry_spoils_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        let mut minute = Minute::open(&path, 0).unwrap();
        for n in 0..20 {
            assert!(minute.remember(&digest(2 * n)).unwrap());
            let torn = vec![0xff; usize::from(n)];
            OpenOptions::new()
                .append(true)
                .open(&path)
                .unwrap()
                .write_all(&torn)
                .unwrap();
            assert!(minute.remember(&digest(2 * n + 1)).unwrap());
        }
        let mut again = Minute::open(&path, 0).unwrap();
        for n in 0..40 {
            assert!(!minute.remember(&digest(n)).unwrap());
            assert!(!again.remember(&digest(n)).unwrap(), "{n}");
        }
    }

    #[test]
    fn of_several_writers_one_is_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        let mut minutes = [0, 5, 9].map(|expected| Minute::open(&path, expected).unwrap());
        for n in 0..200 {
            let first = usize::from(n) % 3;
            for writer in [first, (first + 1) % 3, first, (first + 2) % 3] {
                let new = minutes[writer].remember(&digest(n)).unwrap();
                assert_eq!(
                    new,
                    writer == first && fs::metadata(&path).unwrap().len() % 48 == 16
                );
            }
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut minute = Minute::open(&path, 0).unwrap();
        for _ in 0..2 {
            let error = minute.remember(&digest(1)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
        assert_eq!(minute.len(), 0);
    }
}

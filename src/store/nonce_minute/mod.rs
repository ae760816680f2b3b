//! The nonces of one minute: in memory, and in a file that outlives the process.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::nonce_set::{Digest, NonceSet};

/// A set of digests, and the file that holds them one after the other.
///
/// Several processes may write to the file. Each appends first and compares after that: whatever stands before its own
/// entries was there before them, and of equal entries the first counts. Whoever is admitted has compared itself with all.
#[derive(Debug)]
pub(super) struct Minute {
    seen: NonceSet,
    /// `None`: the database lives in memory as well.
    file: Option<File>,
    /// How many bytes of the file are in the set.
    read: u64,
}

impl Minute {
    /// A minute without a file.
    pub(super) fn in_memory() -> Self {
        Self {
            seen: NonceSet::default(),
            file: None,
            read: 0,
        }
    }

    /// Opens a minute's file, or makes it, and reads what it holds.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let there = file.metadata()?.len() / ENTRY as u64 * ENTRY as u64;
        let mut minute = Self {
            seen: NonceSet::default(),
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

    /// Remembers nonces for good, and says of each whether it was new. Of equal ones, the first is.
    ///
    /// After an error, there are some of which nobody knows.
    pub(super) fn remember(&mut self, digests: &[Digest], new: &mut [Option<bool>]) -> io::Result<()> {
        let mut fresh = Vec::with_capacity(digests.len());
        let mut places = Vec::with_capacity(digests.len());
        for (place, digest) in digests.iter().enumerate() {
            if self.seen.contains(digest) {
                new[place] = Some(false);
            } else {
                fresh.push(*digest);
                places.push(place);
            }
        }
        let (mut fresh, mut places) = (&fresh[..], &places[..]);
        while !fresh.is_empty() {
            let written = self.append(fresh)?;
            for (digest, &place) in fresh[..written].iter().zip(places) {
                new[place] = Some(self.seen.insert(digest));
            }
            (fresh, places) = (&fresh[written..], &places[written..]);
        }
        Ok(())
    }

    /// Appends entries, and reads what others have written before them. Says how many there was room for.
    fn append(&mut self, digests: &[Digest]) -> io::Result<usize> {
        let Some(mut file) = self.file.as_ref() else {
            return Ok(digests.len());
        };
        let (start, written) = append(&mut file, digests)?;
        self.read_on(start)?;
        self.read = start + (written * ENTRY) as u64;
        Ok(written)
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

/// Appends entries, and says where they begin, and how many they are: a disk that gets full takes less than it was given.
///
/// A disk that was full may have left a part of an entry. It is filled up: that nonce was never promised to anybody, and
/// what then stands in its place is a digest that nobody has.
fn append(file: &mut (impl Write + Seek), digests: &[Digest]) -> io::Result<(u64, usize)> {
    for _ in 0..TRIES {
        let written = file.write(digests.as_flattened())?;
        let end = file.stream_position()?;
        let start = end - written as u64;
        if start.is_multiple_of(ENTRY as u64) && written >= ENTRY {
            return Ok((start, written / ENTRY));
        }
        let over = usize::try_from(end % ENTRY as u64).unwrap_or_default();
        if over > 0 {
            file.write_all(&[0; ENTRY][over..])?;
        }
    }
    Err(io::Error::other("an entry cannot be written in one piece"))
}

/// Bytes of an entry.
const ENTRY: usize = size_of::<Digest>();

/// How often an entry is written before we give up. Another process may have the same trouble at the same time.
const TRIES: u32 = 8;

#[cfg(test)]
mod tests;

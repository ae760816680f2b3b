//! SQLite's memory of nonces: a log of batches in the database, and what stands in it, once more, as sets in memory.
//!
//! A row for each nonce costs ten times what a row for a whole batch does. So a batch is a row, written before anybody in
//! it hears an answer, and whether a nonce is new is looked up in memory. What a power cut may take, `nonce_mark` knows.
//!
//! Rows are numbered, and that is what keeps several processes over one file honest: a writer writes the number after the
//! last row that it has read. If another process was faster, that number is taken, nothing is written, and the writer
//! reads what it missed and looks again. Whoever has written a row has compared it with every row before.

use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;

use super::StoreError;
use super::nonce_mark::NonceMark;
use super::nonces::{NonceKey, Remembered};

/// Everything that the log holds, up to its row `last`. About 40 bytes for each nonce that could still be replayed.
#[derive(Debug)]
pub(super) struct NonceLog {
    seen: HashMap<i64, HashSet<[u8; 16]>>,
    last: i64,
    mark: NonceMark,
}

impl NonceLog {
    /// Reads the log from its beginning.
    pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let mut log = Self {
            seen: HashMap::new(),
            last: 0,
            mark: NonceMark::read(connection).await?,
        };
        log.catch_up(connection).await?;
        Ok(log)
    }

    /// Writes those of some nonces that are new, in one row, and says of each whether it was. Of equal ones, the first is.
    /// One that may have been lost is an error of its own.
    ///
    /// After an error the log may hold what was not written: it must be read again.
    pub(super) async fn append(
        &mut self,
        connection: &mut SqliteConnection,
        keys: &[NonceKey],
    ) -> Result<Vec<Remembered>, StoreError> {
        loop {
            let new: Vec<Remembered> = keys.iter().map(|key| self.remember(key)).collect();
            let fresh = || {
                let both = keys.iter().zip(&new);
                both.filter_map(|(key, &remembered)| (remembered == Remembered::New).then_some(key))
            };
            let Some(newest) = fresh().map(|(bucket, _)| *bucket).max() else {
                return Ok(new);
            };
            self.mark.reach(newest, connection).await?;
            let written = sqlx::query(
                "insert into nonces (id, newest, entries) values ($1, $2, $3) on conflict do nothing",
            )
            .bind(self.last + 1)
            .bind(newest)
            .bind(packed(fresh()))
            .execute(&mut *connection)
            .await?;
            if written.rows_affected() == 1 {
                self.last += 1;
                return Ok(new);
            }
            fresh().for_each(|key| self.remove(key));
            self.catch_up(connection).await?;
        }
    }

    /// Forgets the nonces of all minutes before this one; says how many they were. Their rows are not its business.
    pub(super) fn forget_before(&mut self, bucket: i64) -> u64 {
        let old = self.seen.extract_if(|&minute, _| minute < bucket);
        old.map(|(_, digests)| digests.len() as u64).sum()
    }

    fn remember(&mut self, key: &NonceKey) -> Remembered {
        if self.mark.is_lost(key.0) {
            Remembered::Unsure
        } else if self.add(key) {
            Remembered::New
        } else {
            Remembered::Seen
        }
    }

    fn add(&mut self, (bucket, digest): &NonceKey) -> bool {
        self.seen.entry(*bucket).or_default().insert(*digest)
    }

    fn remove(&mut self, (bucket, digest): &NonceKey) {
        if let Some(digests) = self.seen.get_mut(bucket) {
            digests.remove(digest);
        }
    }

    /// Reads the rows that others have written since.
    async fn catch_up(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        loop {
            let rows: Vec<(i64, Vec<u8>)> =
                sqlx::query_as("select id, entries from nonces where id > $1 order by id limit 500")
                    .bind(self.last)
                    .fetch_all(&mut *connection)
                    .await?;
            if rows.is_empty() {
                return Ok(());
            }
            for (id, entries) in rows {
                for key in &unpacked(&entries)? {
                    self.add(key);
                }
                self.last = id;
            }
        }
    }
}

/// The minute in eight bytes and the digest in sixteen, one nonce after the other.
fn packed<'a>(keys: impl Iterator<Item = &'a NonceKey>) -> Vec<u8> {
    let mut entries = Vec::new();
    for (bucket, digest) in keys {
        entries.extend_from_slice(&bucket.to_be_bytes());
        entries.extend_from_slice(digest);
    }
    entries
}

fn unpacked(entries: &[u8]) -> Result<Vec<NonceKey>, StoreError> {
    let (whole, rest) = entries.as_chunks::<ENTRY>();
    if !rest.is_empty() {
        return Err(StoreError::inconsistent("nonces", "a row ends within an entry"));
    }
    let entry = |entry: &[u8; ENTRY]| {
        let bucket = std::array::from_fn(|at| entry[at]);
        let digest = std::array::from_fn(|at| entry[at + 8]);
        (i64::from_be_bytes(bucket), digest)
    };
    Ok(whole.iter().map(entry).collect())
}

/// Bytes of one entry.
const ENTRY: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let keys = [(28_333_333, [7; 16]), (-1, [0xff; 16]), (0, [0; 16])];
        assert_eq!(unpacked(&packed(keys.iter())).unwrap(), keys);
        assert_eq!(unpacked(&[]).unwrap(), []);
        assert!(unpacked(&packed(keys.iter())[1..]).is_err());
    }
}

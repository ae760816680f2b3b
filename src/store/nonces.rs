//! Nonces: which requests were seen. Writing is the check.
//!
//! The one place where the databases differ by more than their schema. Replicas over PostgreSQL compare nonces with each
//! other, so each nonce is a row there. SQLite has one process, as a rule, and keeps a log of batches (`nonce_log`).

use std::collections::HashSet;

use sqlx::{PgConnection, PgPool, SqlitePool};

use crate::oauth::Timestamp;

use super::pool::Pool;
use super::{Store, StoreError, nonce_writer};

/// What a nonce is kept under: the minute of its timestamp, and a digest of consumer, token, timestamp and nonce.
pub(super) type NonceKey = (i64, [u8; 16]);

/// What became of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remembered {
    /// It was new, and is written.
    New,
    /// It was there.
    Seen,
    /// It may have been there before the machine went down.
    Unsure,
}

impl Remembered {
    /// What a database that forgets nothing says.
    fn of(new: bool) -> Self {
        if new { Self::New } else { Self::Seen }
    }
}

impl Store {
    /// Remembers a nonce. `false`: it was seen before. When it is `true`, it has been written for good.
    ///
    /// Whoever gets an error does not know, and must refuse.
    pub async fn remember(&self, timestamp: Timestamp, digest: [u8; 16]) -> Result<bool, StoreError> {
        nonce_writer::remember(&self.nonces, (timestamp.bucket(), digest)).await
    }

    /// Forgets the nonces of all minutes before this one; says how many they were.
    pub async fn forget_nonces_before(&self, bucket: i64) -> Result<u64, StoreError> {
        match &self.pool {
            Pool::Sqlite(db, _) => {
                let forgotten = nonce_writer::forget(&self.nonces, bucket).await?;
                self.delete_rows_before(db, bucket).await?;
                Ok(forgotten)
            }
            Pool::Postgres(db) => delete_before(db, bucket).await,
        }
    }

    /// Deletes the rows of the log in which every nonce is older than a minute, a few at a time, so that nobody waits long
    /// for their turn. The last row stays: its number must not be given twice.
    async fn delete_rows_before(&self, db: &SqlitePool, bucket: i64) -> Result<(), StoreError> {
        let (first, kept): (i64, i64) = sqlx::query_as(
            "select coalesce(min(id), 0), \
             coalesce((select id from nonces where newest >= $1 order by id limit 1), max(id), 0) from nonces",
        )
        .bind(bucket)
        .fetch_one(db)
        .await?;
        let mut from = first;
        while from < kept {
            let until = kept.min(from + ROWS);
            let _turn = self.pool.turn().await;
            sqlx::query("delete from nonces where id >= $1 and id < $2")
                .bind(from)
                .bind(until)
                .execute(db)
                .await?;
            from = until;
        }
        Ok(())
    }
}

/// Deletes a range of the primary key.
async fn delete_before(db: &PgPool, bucket: i64) -> Result<u64, StoreError> {
    let deleted = sqlx::query("delete from nonces where bucket < $1")
        .bind(bucket)
        .execute(db)
        .await?;
    Ok(deleted.rows_affected())
}

/// Inserts nonces into PostgreSQL, and says of each whether it was new. Of equal ones, the first is.
///
/// They are inserted in order: two replicas that insert the same ones take their locks one after the other. As a rule all
/// are new, and then the answer is a count; only otherwise does it name them.
pub(super) async fn insert_postgres(
    connection: &mut PgConnection,
    keys: &[NonceKey],
) -> Result<Vec<Remembered>, StoreError> {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let (buckets, digests): (Vec<i64>, Vec<&[u8]>) = sorted
        .iter()
        .map(|(bucket, digest)| (*bucket, &digest[..]))
        .unzip();
    let rows: Vec<Inserted> = sqlx::query_as(
        "with new as (\
             insert into nonces (bucket, digest) select * from unnest($1::bigint[], $2::bytea[]) \
             on conflict do nothing returning bucket, digest) \
         select count(*), \
             case when count(*) < cardinality($1) then array_agg(bucket) end, \
             case when count(*) < cardinality($1) then array_agg(digest) end \
         from new",
    )
    .bind(buckets)
    .bind(digests)
    .fetch_all(connection)
    .await?;
    let (inserted, buckets, digests) = rows.into_iter().next().unwrap_or_default();
    if usize::try_from(inserted) == Ok(keys.len()) {
        return Ok(vec![Remembered::New; keys.len()]);
    }
    let mut new: HashSet<NonceKey> = if usize::try_from(inserted) == Ok(sorted.len()) {
        sorted.into_iter().collect()
    } else {
        named(buckets.unwrap_or_default(), digests.unwrap_or_default())?
    };
    let remembered = |key| Remembered::of(new.remove(key));
    Ok(keys.iter().map(remembered).collect())
}

fn named(buckets: Vec<i64>, digests: Vec<Vec<u8>>) -> Result<HashSet<NonceKey>, StoreError> {
    let digest = |digest: Vec<u8>| {
        let digest = digest.try_into();
        digest.map_err(|_| StoreError::inconsistent("nonces", "a digest has not 16 bytes"))
    };
    buckets
        .into_iter()
        .zip(digests)
        .map(|(bucket, bytes)| Ok((bucket, digest(bytes)?)))
        .collect()
}

/// How many nonces were new, and, when some were not, which.
type Inserted = (i64, Option<Vec<i64>>, Option<Vec<Vec<u8>>>);

/// Rows that one statement deletes. A row holds a batch: at most 256 nonces.
const ROWS: i64 = 500;

//! Nonces: which requests were seen. Writing is the check.
//!
//! The one place where the databases differ by more than their schema. Replicas over PostgreSQL compare nonces with each
//! other, so each nonce is a row there, and `nonce_writer` writes them. Beside SQLite there are files (`nonce_log`).

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::{PgConnection, PgPool};

use crate::oauth::Timestamp;

use super::nonce_log::NonceLog;
use super::nonce_minute::Digest;
use super::nonce_writer::NonceWriter;
use super::pool::Pool;
use super::{Store, StoreError};

/// What a nonce is kept under: the minute of its timestamp, and a digest of consumer, token, timestamp and nonce.
pub(super) type NonceKey = (i64, Digest);

/// Where nonces are kept.
#[derive(Clone, Debug)]
pub(super) enum Nonces {
    /// In files beside a SQLite database.
    Files(Arc<NonceLog>),
    /// In PostgreSQL, through the task that writes them.
    Rows(PgPool, Arc<NonceWriter>),
}

impl Nonces {
    /// The nonces of a database.
    pub(super) fn of(pool: &Pool) -> Self {
        match pool {
            Pool::Sqlite(..) => Self::Files(Arc::new(NonceLog::new(pool.clone(), pool.file().as_deref()))),
            Pool::Postgres(db) => Self::Rows(db.clone(), Arc::new(NonceWriter::start(db.clone()))),
        }
    }

    /// Writes what still waits, and admits nothing any more.
    pub(super) async fn close(&self) {
        match self {
            Self::Files(log) => log.close(),
            Self::Rows(_, writer) => writer.close().await,
        }
    }
}

impl Store {
    /// Remembers a nonce. `false`: it was seen before. When it is `true`, it has been written for good.
    ///
    /// Whoever gets an error does not know, and must refuse.
    pub async fn remember(&self, timestamp: Timestamp, digest: [u8; 16]) -> Result<bool, StoreError> {
        let key = (timestamp.bucket(), digest);
        match &self.nonces {
            Nonces::Files(log) => log.remember(key).await,
            Nonces::Rows(_, writer) => writer.remember(key).await,
        }
    }

    /// Forgets the nonces of all minutes before this one; says how many they were.
    pub async fn forget_nonces_before(&self, bucket: i64) -> Result<u64, StoreError> {
        match &self.nonces {
            Nonces::Files(log) => log.forget_before(bucket).await,
            Nonces::Rows(db, _) => delete_before(db, bucket).await,
        }
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

/// Inserts nonces, and says of each whether it was new. Of equal ones, the first is. `None`: all were.
///
/// They are inserted in order: two replicas that insert the same ones take their locks one after the other. As a rule all
/// are new, and then the answer is a count; only otherwise does it name them.
pub(super) async fn insert(
    connection: &mut PgConnection,
    keys: &[NonceKey],
) -> Result<Option<Vec<bool>>, StoreError> {
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
        return Ok(None);
    }
    let mut new: HashSet<NonceKey> = if usize::try_from(inserted) == Ok(sorted.len()) {
        sorted.into_iter().collect()
    } else {
        named(buckets.unwrap_or_default(), digests.unwrap_or_default())?
    };
    Ok(Some(keys.iter().map(|key| new.remove(key)).collect()))
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

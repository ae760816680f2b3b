//! Nonces: which requests were seen. The insert is the check.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use crate::oauth::Timestamp;

use super::{Store, StoreError, nonce_writer, on};

/// What a nonce is kept under: the minute of its timestamp, and a digest of consumer, token, timestamp and nonce.
pub(super) type NonceKey = (i64, [u8; 16]);

impl Store {
    /// Remembers a nonce. `false`: it was seen before. When it is `true`, it has been written for good.
    ///
    /// Whoever gets an error does not know, and must refuse.
    pub async fn remember(&self, timestamp: Timestamp, digest: [u8; 16]) -> Result<bool, StoreError> {
        nonce_writer::remember(&self.nonces, (timestamp.bucket(), digest)).await
    }

    /// Forgets the nonces of all minutes before this one; says how many they were.
    pub async fn forget_nonces_before(&self, bucket: i64) -> Result<u64, StoreError> {
        Ok(on!(write & self.pool, |db| {
            sqlx::query("delete from nonces where bucket < $1")
                .bind(bucket)
                .execute(db)
                .await?
                .rows_affected()
        }))
    }
}

/// Inserts nonces into SQLite; returns those that were new.
///
/// The list of rows is filled up to a power of two by repeating the last one, which changes nothing, so that few
/// statements have to be prepared and kept.
pub(super) async fn insert_sqlite(
    connection: &mut SqliteConnection,
    keys: &[NonceKey],
) -> Result<HashSet<NonceKey>, StoreError> {
    let Some(last) = keys.last() else {
        return Ok(HashSet::new());
    };
    let length = keys.len().next_power_of_two();
    let rows = vec!["(?, ?)"; length].join(", ");
    let mut insert = sqlx::query_as(AssertSqlSafe(format!(
        "insert into nonces (bucket, digest) values {rows} on conflict do nothing returning bucket, digest"
    )));
    for (bucket, digest) in keys.iter().chain(std::iter::repeat(last)).take(length) {
        insert = insert.bind(*bucket).bind(&digest[..]);
    }
    new_keys(insert.fetch_all(connection).await?)
}

/// Inserts nonces into PostgreSQL; returns those that were new.
///
/// The keys come sorted: two replicas that insert the same ones take their locks in the same order.
pub(super) async fn insert_postgres(
    connection: &mut PgConnection,
    keys: &[NonceKey],
) -> Result<HashSet<NonceKey>, StoreError> {
    let (buckets, digests): (Vec<i64>, Vec<&[u8]>) =
        keys.iter().map(|(bucket, digest)| (bucket, &digest[..])).unzip();
    let inserted = sqlx::query_as(
        "insert into nonces (bucket, digest) select * from unnest($1::bigint[], $2::bytea[]) \
         on conflict do nothing returning bucket, digest",
    )
    .bind(buckets)
    .bind(digests)
    .fetch_all(connection)
    .await?;
    new_keys(inserted)
}

fn new_keys(rows: Vec<(i64, Vec<u8>)>) -> Result<HashSet<NonceKey>, StoreError> {
    rows.into_iter()
        .map(|(bucket, digest)| {
            let digest = digest
                .try_into()
                .map_err(|_| StoreError::inconsistent("nonces", "a digest has not 16 bytes"))?;
            Ok((bucket, digest))
        })
        .collect()
}

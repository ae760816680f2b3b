//! Nonces: which requests were seen. The insert is the check.

use std::collections::HashSet;

use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, PgConnection, Row, Sqlite, SqliteConnection};

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
/// Rows that come back cost more than rows that are written, so the first try asks for none: it writes all, or, when
/// one of them had been seen before, nothing.
pub(super) async fn insert_sqlite(
    connection: &mut SqliteConnection,
    keys: &[NonceKey],
) -> Result<HashSet<NonceKey>, StoreError> {
    let insert = |statement| bound(sqlx::query(statement), keys);
    match insert(insert_statement(keys.len(), ""))
        .execute(&mut *connection)
        .await
    {
        Ok(_) => return Ok(keys.iter().copied().collect()),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
        Err(error) => return Err(error.into()),
    }
    let statement = insert_statement(keys.len(), " on conflict do nothing returning bucket, digest");
    let rows = insert(statement).fetch_all(connection).await?;
    let rows = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    new_keys(rows.collect::<Result<_, sqlx::Error>>()?)
}

type SqliteInsert = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

fn bound(mut insert: SqliteInsert, keys: &[NonceKey]) -> SqliteInsert {
    for (bucket, digest) in keys {
        insert = insert.bind(*bucket).bind(digest.to_vec());
    }
    insert
}

/// One text for each length, so that each is prepared once.
fn insert_statement(rows: usize, rest: &str) -> AssertSqlSafe<String> {
    let rows = vec!["(?, ?)"; rows].join(", ");
    AssertSqlSafe(format!("insert into nonces (bucket, digest) values {rows}{rest}"))
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

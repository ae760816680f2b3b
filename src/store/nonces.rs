//! Nonces: which requests were seen. Writing is the check.
//!
//! The one place where the databases differ by more than their schema. Replicas over PostgreSQL compare nonces with each
//! other, so they are rows there, and `nonce_writer` writes them. Beside SQLite there are files (`nonce_log`).

use std::sync::Arc;

use crate::oauth::Timestamp;

use super::db::Db;
use super::nonce_log::NonceLog;
use super::nonce_set::Digest;
use super::nonce_writer::NonceWriter;
use super::{Store, StoreError};

/// What a nonce is kept under: the minute of its timestamp, and a digest of consumer, token, timestamp and nonce.
pub(super) type NonceKey = (i64, Digest);

/// Where nonces are kept.
#[derive(Clone, Debug)]
pub(super) enum Nonces {
    /// In files beside a SQLite database.
    Files(Arc<NonceLog>),
    /// In PostgreSQL, through the task that writes them.
    Rows(Arc<NonceWriter>),
}

impl Nonces {
    /// The nonces of a database.
    pub(super) fn of(pool: &Db) -> Self {
        match pool {
            Db::Sqlite { file, .. } => Self::Files(Arc::new(NonceLog::new(pool.clone(), file.as_deref()))),
            Db::Postgres(db) => Self::Rows(Arc::new(NonceWriter::new(db.clone()))),
        }
    }

    /// Writes what still waits, and admits nothing any more.
    pub(super) async fn close(&self) {
        match self {
            Self::Files(log) => log.close(),
            Self::Rows(writer) => writer.close().await,
        }
    }
}

impl Store {
    /// Remembers a nonce. `false`: it was seen before. When it is `true`, it is written, and will not be `true` again.
    ///
    /// Whoever gets an error does not know, and must refuse.
    pub async fn remember(&self, timestamp: Timestamp, digest: [u8; 16]) -> Result<bool, StoreError> {
        let key = (timestamp.bucket(), digest);
        match &self.nonces {
            Nonces::Files(log) => log.remember(key).await,
            Nonces::Rows(writer) => writer.remember(key).await,
        }
    }

    /// Forgets the nonces of all minutes before this one; says how many they were.
    pub async fn forget_nonces_before(&self, bucket: i64) -> Result<u64, StoreError> {
        match &self.nonces {
            Nonces::Files(log) => log.forget_before(bucket).await,
            Nonces::Rows(writer) => writer.forget_before(bucket).await,
        }
    }
}

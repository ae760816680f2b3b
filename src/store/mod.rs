//! SQL, and nothing but SQL. Every statement is written once and runs, word for word, on SQLite and PostgreSQL.
//!
//! Read in this order:
//!
//! 1. [`Store`], below: open, close;
//! 2. `db`: a statement, its values and its rows; `options` and `files`: how a database is opened; `schema`: its tables; `error`: what can fail;
//! 3. `keyring` and `seal`: what may touch the disk. Tokens are hashed, their secrets derived, shared secrets sealed;
//! 4. one file for each table: `consumers` (with `consumer_row`), `request_tokens`, `access_tokens`, `sessions`, `users`,
//!    `audit`; `links` has the outgoing direction's. `nonces` has a folder of its own: which requests were seen, in a
//!    file beside SQLite's or in a table of PostgreSQL's;
//! 5. `sweep`: forget what has expired.
//!
//! The rules: a state change is one statement that names the state it leaves. A transaction's first statement is a write.
//! Each table's file turns its rows into model types, and an impossible row is [`StoreError::Inconsistent`].
//!
//! # Errors
//!
//! Each function of [`Store`] that returns a [`StoreError`] may find that the database fails or does not answer in time, or that
//! a row is impossible or a sealed secret does not open. A function names what else it fails with.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::oauth::{Timestamp, Token};

use db::{Db, sql};
use nonces::Nonces;

mod access_tokens;
mod audit;
mod backup;
mod consumer_row;
mod consumers;
mod db;
mod error;
mod files;
mod key_file;
mod keyring;
mod links;
mod nonces;
mod options;
mod request_tokens;
mod schema;
mod seal;
mod secret_keys;
mod sessions;
mod sweep;
mod users;

pub use access_tokens::{Actor, Filter, Revoke, Search, TokenUses};
pub use audit::AuditFilter;
pub use consumers::SyncReport;
pub use error::StoreError;
pub use files::{beside, lock_exclusively};
pub use key_file::{KeyFile, KeyFileError};
pub use keyring::{Keyring, KeyringError};
pub use options::StoreConfig;
pub use schema::SCHEMA_VERSION;
pub use secret_keys::KeyUse;
pub use sweep::Swept;

/// The database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    keyring: Arc<Keyring>,
    nonces: Arc<Nonces>,
    timeout: Duration,
}

impl Store {
    /// Opens the database as [`Store::migrate`] does, and checks that the key file has every key that rows need.
    ///
    /// # Errors
    ///
    /// Those of [`Store::migrate`] and [`Store::check_keys`].
    pub async fn open(
        options: &StoreConfig,
        keyring: Arc<Keyring>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let store = Self::migrate(options, keyring).await?;
        store.check_keys(now).await?;
        Ok(store)
    }

    /// Opens a database that exists with the tables of this version, and leaves the keys unchecked.
    ///
    /// # Errors
    ///
    /// The database cannot be opened, or has the tables of another version.
    pub async fn open_without_keys(options: &StoreConfig, keyring: Arc<Keyring>) -> Result<Self, StoreError> {
        let db = options.connect(false).await?;
        db.check_schema(options).await?;
        Ok(Self::new(db, keyring, options))
    }

    /// Opens the database, brings the tables up to date, and leaves the keys unchecked. The database of a `sqlite:` URL is
    /// created if it is missing, readable by its owner alone.
    ///
    /// # Errors
    ///
    /// The database cannot be opened, or was made by a newer linkgate.
    pub async fn migrate(options: &StoreConfig, keyring: Arc<Keyring>) -> Result<Self, StoreError> {
        let db = options.connect(true).await?;
        db.migrate(options).await?;
        Ok(Self::new(db, keyring, options))
    }

    fn new(db: Db, keyring: Arc<Keyring>, options: &StoreConfig) -> Self {
        let nonces = Arc::new(Nonces::new(&db));
        Self {
            db,
            keyring,
            nonces,
            timeout: options.timeout,
        }
    }

    /// How long a signed request may wait for the database in all.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Asks the database for an answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db.read(sql(["select 1"])).await?;
        Ok(())
    }

    /// The time of the database's own clock; `None` for SQLite, which has that of this machine.
    pub async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        if !self.db.is_postgres() {
            return Ok(None);
        }
        let select = sql(["select floor(extract(epoch from clock_timestamp()))::bigint as now"]);
        let rows = self.db.read(select).await?;
        rows.first().map(|row| row.time("now")).transpose()
    }

    /// Records the nonces that are queued, and closes every connection. Clones of this store are closed with it.
    pub async fn close(&self) {
        self.nonces.close().await;
        self.db.close().await;
    }
}

fn key_id(token: &Token) -> &str {
    token.as_str().get(..4).unwrap_or_default()
}

fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

//! Why the store could not answer.

use std::sync::Arc;

use super::secret_keys::KeyUse;

/// Why the store could not answer. The operator must act on it; a peer is told only that it failed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error("cannot open the database {what}")]
    Unreachable { what: String, source: sqlx::Error },
    #[error("cannot bring the tables of {what} up to date")]
    Migration {
        what: String,
        source: Box<sqlx::migrate::MigrateError>,
    },
    #[error(
        "the tables of {what} have version {found}, and this linkgate has version {}: run `linkgate migrate`",
        super::SCHEMA_VERSION
    )]
    OlderSchema { what: String, found: i64 },
    #[error(
        "the database {what} was made by a newer linkgate: its tables have version {found}, and this linkgate has version {}",
        super::SCHEMA_VERSION
    )]
    NewerSchema { what: String, found: i64 },
    #[error("the table `{table}` holds a row that makes no sense: {why}")]
    Inconsistent { table: &'static str, why: String },
    #[error("the sealed secret of {of} does not open: {why}")]
    Sealed { of: String, why: String },
    #[error(
        "the database needs the secret key `{}` ({} consumers, {} tokens), and the key file has only {}: put its line back, \
         below the first; if it is lost, `linkgate key retire {0} --lost` deletes what only it opens",
        needed.id, needed.consumers, needed.tokens,
        present.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
    )]
    KeyMissing { needed: KeyUse, present: Vec<String> },
    #[error(
        "the key `{id}` in the key file is not the one that the database was used with: put that key's line back"
    )]
    KeyDiffers { id: String },
    #[error(
        "a token was made with the secret key `{id}`, which this process lacks: every replica needs the same key file"
    )]
    ForeignKey { id: String },
    #[error("{what} exists already")]
    Conflict { what: String },
    #[error("too many requests wait for their nonces to be written")]
    Overloaded,
    /// Of a whole batch: its requests share the reason.
    #[error("the nonces could not be recorded")]
    Nonces(#[source] Arc<Self>),
    #[error("the table of nonces was emptied or replaced; the next request begins with what is there now")]
    NoncesLost,
    #[error(
        "the request's oauth_timestamp is before {floor}, and nonces of that time are lost or deleted: sign again after it"
    )]
    BelowNonceFloor { floor: i64 },
    #[error("the database did not answer within `store.timeout`")]
    TimedOut,
    #[error(
        "the database's clock is {seconds} s ahead of this server's: set the wrong one, and let NTP keep it"
    )]
    ClockOffset { seconds: i64 },
    #[error("the store is closed")]
    Closed,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    pub(super) fn inconsistent(table: &'static str, why: impl Into<String>) -> Self {
        let why = why.into();
        Self::Inconsistent { table, why }
    }
}

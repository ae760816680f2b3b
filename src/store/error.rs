//! Why the store could not answer.

use std::sync::Arc;

/// Why the store could not answer. The operator must act on it; a peer is told only that it failed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum StoreError {
    /// The database cannot be opened.
    #[error("cannot open the database {what}")]
    Unreachable { what: String, source: sqlx::Error },
    /// The tables could not be brought to this version's shape.
    #[error("cannot bring the tables of {what} up to date")]
    Migration {
        what: String,
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// Tables are missing, or those of an earlier version of linkgate.
    #[error(
        "the tables of {what} have version {found}, and this linkgate has version {}: run `linkgate migrate`",
        super::SCHEMA_VERSION
    )]
    OlderSchema { what: String, found: i64 },
    /// The tables are those of a later version of linkgate.
    #[error(
        "the database {what} was made by a newer linkgate: its tables have version {found}, and this linkgate has version {}",
        super::SCHEMA_VERSION
    )]
    NewerSchema { what: String, found: i64 },
    /// A row has content that no version of linkgate writes.
    #[error("the table `{table}` holds a row that makes no sense: {why}")]
    Inconsistent { table: &'static str, why: String },
    /// A sealed secret does not open.
    #[error("the sealed secret of {of} does not open: {why}")]
    Sealed { of: String, why: String },
    /// Rows need a secret key that the key file does not have.
    #[error(
        "the database needs the secret key `{id}` ({consumers} consumers, {tokens} tokens), and the key file has only {}: \
         put its line back, below the first; if it is lost, `linkgate key retire {id} --lost` deletes what only it opens",
        present.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
    )]
    KeyMissing {
        id: String,
        consumers: u64,
        tokens: u64,
        present: Vec<String>,
    },
    /// The key file has another key under the id of one that the database knows.
    #[error(
        "the key `{id}` in the key file is not the one that the database was used with: put that key's line back"
    )]
    KeyDiffers { id: String },
    /// Another replica's secret key made a token, and this process does not have that key.
    #[error(
        "a token was made with the secret key `{id}`, which this process lacks: every replica needs the same key file"
    )]
    ForeignKey { id: String },
    /// What was to be added is there already.
    #[error("{what} exists already")]
    Conflict { what: String },
    /// More nonces wait to be written than the database keeps up with.
    #[error("too many requests wait for their nonces to be written")]
    Overloaded,
    /// A batch of nonces was not recorded. All its requests share the reason.
    #[error("the nonces could not be recorded")]
    Nonces(#[source] Arc<Self>),
    /// The epoch of the nonces has ended: they were lost, or another process began another epoch.
    #[error("the table of nonces was emptied or replaced; the next request begins with what is there now")]
    NoncesLost,
    /// The nonces of the minute in which the request was signed are lost or deleted, so it cannot be told from a replay.
    #[error(
        "the request's oauth_timestamp is before {floor}, and nonces of that time are lost or deleted: sign again after it"
    )]
    BelowNonceFloor { floor: i64 },
    /// The database did not answer in time.
    #[error("the database did not answer within `store.timeout`")]
    TimedOut,
    /// The clocks of this server and of the database differ.
    #[error(
        "the database's clock is {seconds} s ahead of this server's: set the wrong one, and let NTP keep it"
    )]
    ClockOffset { seconds: i64 },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    /// An impossible row.
    pub(super) fn inconsistent(table: &'static str, why: impl Into<String>) -> Self {
        Self::Inconsistent {
            table,
            why: why.into(),
        }
    }
}

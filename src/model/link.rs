//! The outgoing direction: credentials of remote applications, and how calls there went.

use crate::oauth::{Timestamp, TokenCredentials};

/// A request token kept while its user is at the remote application (RFC 5849, section 2.2).
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingAuthorization {
    pub link: String,
    /// The user who asked; only this user may end it.
    pub subject: String,
    pub credentials: TokenCredentials,
    /// The path where the user goes on afterwards; empty: nowhere in particular.
    pub return_to: String,
    pub expires_at: Timestamp,
}

/// That a user has connected a link, for pages. Its token is not in it.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConnection {
    pub link: String,
    pub subject: String,
    pub connected_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// How our calls of another side went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkState {
    /// When an answer came last, whatever it said.
    pub reached_at: Option<Timestamp>,
    /// When a call went well last.
    pub success_at: Option<Timestamp>,
    /// When one did not, and why: a sentence.
    pub problem: Option<(Timestamp, String)>,
    /// By how many seconds their clock is ahead of ours.
    pub clock_difference: Option<i64>,
}

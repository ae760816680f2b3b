//! Temporary credentials (RFC 5849, section 2.1): a question put to a user.

use crate::oauth::{Callback, ConsumerKey, Timestamp};

use super::user::User;

/// A request token as it is kept. The token itself and its secrets are not: one is hashed, the others are derived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestToken {
    /// Who asked.
    pub consumer: ConsumerKey,
    /// Where the user returns; never re-read from the browser.
    pub callback: Callback,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is dead.
    pub expires_at: Timestamp,
    /// How many signed exchanges came with a wrong verifier.
    pub wrong_verifiers: u32,
    /// What the user answered so far.
    pub state: RequestTokenState,
}

/// What became of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestTokenState {
    /// Nobody has answered.
    Pending,
    /// The user said yes; the verifier is derived from token and user.
    Authorized {
        /// Who said it.
        by: User,
    },
    /// The user said no.
    Denied,
    /// It was exchanged for an access token.
    Used,
}

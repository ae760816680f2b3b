//! Request tokens: temporary credentials (RFC 5849, section 2.1).

use crate::oauth::{Callback, ConsumerKey, Problem, Timestamp};

use super::access_token::UNKNOWN_TOKEN;
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

impl RequestToken {
    /// The user who approved, if this consumer may exchange the token now. The verifier is compared by the caller.
    pub fn check_exchange(&self, consumer: &ConsumerKey, now: Timestamp) -> Result<&User, Problem> {
        if self.consumer != *consumer {
            return Err(Problem::TokenRejected(UNKNOWN_TOKEN));
        }
        match &self.state {
            RequestTokenState::Used { .. } => Err(Problem::TokenUsed),
            _ if self.expires_at <= now => Err(Problem::TokenExpired),
            RequestTokenState::Pending => Err(Problem::PermissionUnknown),
            RequestTokenState::Denied => Err(Problem::PermissionDenied("The user said no.")),
            RequestTokenState::Authorized { by } => Ok(by),
        }
    }

    /// Whether this user approved, and the token is not exchanged yet.
    pub fn is_approved_by(&self, user: &User) -> bool {
        matches!(&self.state, RequestTokenState::Authorized { by } if by.subject == user.subject)
    }
}

/// What became of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestTokenState {
    /// No user has answered.
    Pending,
    /// The user said yes; the verifier is derived from token and user.
    Authorized {
        /// Who said it.
        by: User,
    },
    /// The user said no.
    Denied,
    /// It was exchanged for an access token, or used up by wrong verifiers.
    Used {
        /// The user who had approved.
        by: User,
    },
}

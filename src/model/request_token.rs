//! Request tokens: temporary credentials (RFC 5849, section 2.1).

use crate::oauth::{Callback, ConsumerKey, Problem, Timestamp};

use super::access_token::UNKNOWN_TOKEN;
use super::user::User;

/// A request token as it is kept. The token itself and its secrets are not: one is hashed, the others are derived.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestToken {
    pub consumer: ConsumerKey,
    /// Where the user returns; never re-read from the browser.
    pub callback: Callback,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// How many signed exchanges came with a wrong verifier.
    pub wrong_verifiers: u32,
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
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestTokenState {
    Pending,
    /// The verifier is derived from token and user.
    Authorized {
        by: User,
    },
    Denied,
    /// It was exchanged for an access token, or used up by wrong verifiers.
    Used {
        by: User,
    },
}

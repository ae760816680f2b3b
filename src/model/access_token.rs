//! Access tokens: token credentials (RFC 5849, section 2.3).

use std::net::IpAddr;

use crate::oauth::{ConsumerKey, Problem, Timestamp};

use super::user::User;

/// An access token as it is kept: found by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AccessToken {
    /// A short public name, for lists and for `linkgate token revoke`. A renewal does not change it.
    pub id: String,
    pub consumer: ConsumerKey,
    pub user: User,
    /// When the user's answer was exchanged for the first token; a renewal leaves it.
    pub connected_at: Timestamp,
    /// The host to which the user returned; `None`: it was shown, or not recorded.
    pub host: Option<String>,
    /// When this token was issued or last renewed.
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// The renewable session around it, when the consumer has session handles.
    pub session: Option<TokenSession>,
    pub revoked_at: Option<Timestamp>,
    /// When, and from where, it was last used (kept to the minute).
    pub last_used: Option<(Timestamp, Option<IpAddr>)>,
}

/// Why a token that does not exist, or belongs to another consumer, is rejected.
pub const UNKNOWN_TOKEN: &str = "This token is not known here: ask the user to connect again.";

impl AccessToken {
    /// Checks that this consumer may call with the token now. What can never work again is one of the three problems upon which
    /// a consumer drops its token; nothing else is.
    pub fn check_use(&self, consumer: &ConsumerKey, now: Timestamp) -> Result<(), Problem> {
        self.check_owner(consumer)?;
        if self.expires_at <= now {
            return Err(Problem::TokenExpired);
        }
        Ok(())
    }

    /// The session within which this consumer may renew the token now, expired or not (OAuth Session 1.0). The caller compares
    /// the handle, and then checks the end of the session.
    pub fn check_renewal(&self, consumer: &ConsumerKey) -> Result<&TokenSession, Problem> {
        self.check_owner(consumer)?;
        self.session.as_ref().ok_or(WRONG_HANDLE)
    }

    fn check_owner(&self, consumer: &ConsumerKey) -> Result<(), Problem> {
        if self.consumer != *consumer {
            return Err(Problem::TokenRejected(UNKNOWN_TOKEN));
        }
        if self.revoked_at.is_some() {
            return Err(Problem::TokenRevoked);
        }
        Ok(())
    }

    /// Whether a consumer can do something with it: call, or renew it.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.ends_at() > now
    }

    /// From when on it can neither be used nor renewed.
    pub fn ends_at(&self) -> Timestamp {
        let session = self.session.as_ref();
        session.map_or(self.expires_at, |session| session.expires_at.max(self.expires_at))
    }
}

/// What a consumer can renew its token within (OAuth Session 1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSession {
    /// A random name that lives through renewals; the session handle is derived from it.
    pub id: String,
    /// From when on renewal is refused.
    pub expires_at: Timestamp,
}

impl TokenSession {
    /// Checks that the session is not over. That is no problem of the token, which may still be used until it expires.
    pub fn check_end(&self, now: Timestamp) -> Result<(), Problem> {
        if self.expires_at <= now {
            return Err(SESSION_OVER);
        }
        Ok(())
    }
}

const SESSION_OVER: Problem =
    Problem::PermissionDenied("The time for renewal is over: ask the user to connect again.");
/// Why a renewal without the right session handle is rejected.
pub const WRONG_HANDLE: Problem = Problem::TokenRejected("The session handle does not belong to this token.");

/// What an exchange adds to the answer that the user gave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are those of the access token")]
pub struct NewAccess {
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub session: Option<TokenSession>,
}

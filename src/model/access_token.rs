//! Token credentials (RFC 5849, section 2.3): a standing answer.

use std::net::IpAddr;

use crate::oauth::{ConsumerKey, Timestamp};

use super::user::User;

/// An access token as it is kept: found by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// A short public name, for lists and for `linkgate token revoke`: the first 16 hexadecimal digits of the hash.
    pub id: String,
    /// Who holds it.
    pub consumer: ConsumerKey,
    /// Whom it stands for.
    pub user: User,
    /// When the user's answer was exchanged for the first token; a renewal leaves it.
    pub connected_at: Timestamp,
    /// The host to which the user returned; `None`: nowhere, or nobody kept it.
    pub host: Option<String>,
    /// When this token was issued or last renewed.
    pub issued_at: Timestamp,
    /// From when on it is dead.
    pub expires_at: Timestamp,
    /// The renewable session around it, when the consumer has session handles.
    pub session: Option<Session>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When, and from where, it was last used (kept to the minute).
    pub last_used: Option<(Timestamp, Option<IpAddr>)>,
}

impl AccessToken {
    /// Whether a consumer can do something with it: call, or renew it.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let renewable = self
            .session
            .as_ref()
            .is_some_and(|session| session.expires_at > now);
        self.revoked_at.is_none() && (self.expires_at > now || renewable)
    }

    /// From when on it can neither be used nor renewed.
    pub fn ends_at(&self) -> Timestamp {
        let session = self.session.as_ref();
        session.map_or(self.expires_at, |session| session.expires_at.max(self.expires_at))
    }
}

/// What a consumer can renew its token within (OAuth Session 1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// A random name that lives through renewals; the session handle is derived from it.
    pub id: String,
    /// From when on renewal is refused.
    pub expires_at: Timestamp,
}

/// What an exchange adds to the answer that the user gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccess {
    /// When the token is issued.
    pub issued_at: Timestamp,
    /// From when on it is dead.
    pub expires_at: Timestamp,
    /// The renewable session around it, when the consumer has session handles.
    pub session: Option<Session>,
}

//! Access tokens: token credentials (RFC 5849, section 2.3).

use std::net::IpAddr;

use crate::oauth::{ConsumerKey, Problem, Timestamp};

use super::user::User;

/// An access token as it is kept: found by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// A short public name, for lists and for `linkgate token revoke`. A renewal does not change it.
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

/// Why a token that does not exist, or belongs to another consumer, is rejected.
pub const UNKNOWN_TOKEN: &str = "This token is not known here: ask the user to connect again.";

impl AccessToken {
    /// Whether this consumer may call with the token now. What can never work again is one of the three problems upon which
    /// a consumer drops its token; nothing else is.
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub fn check_use(&self, consumer: &ConsumerKey, now: Timestamp) -> Result<(), Problem> {
        self.check_owner(consumer)?;
        if self.expires_at <= now {
            return Err(Problem::TokenExpired);
        }
        Ok(())
    }

    /// The session within which this consumer may renew the token now, expired or not (OAuth Session 1.0). The handle is
    /// compared by the caller, and then the end of the session by [`Session::check_end`].
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub fn check_renewal(&self, consumer: &ConsumerKey) -> Result<&Session, Problem> {
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

impl Session {
    /// Whether a token can still be renewed.
    ///
    /// # Errors
    ///
    /// The session is over. That is no problem of the token: it may still be used until it expires.
    pub fn check_end(&self, now: Timestamp) -> Result<(), Problem> {
        if self.expires_at <= now {
            return Err(Problem::PermissionDenied(
                "The time for renewal is over: ask the user to connect again.",
            ));
        }
        Ok(())
    }
}

/// Why a renewal without the right session handle is rejected.
pub const WRONG_HANDLE: Problem = Problem::TokenRejected("The session handle does not belong to this token.");

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

#[cfg(test)]
mod tests {
    use super::*;

    fn token(revoked: bool, session: Option<i64>) -> AccessToken {
        let at = Timestamp::from_seconds;
        AccessToken {
            id: "0123456789abcdef".to_owned(),
            consumer: ConsumerKey::parse("a").unwrap(),
            user: User {
                subject: "alice".to_owned(),
                display_name: "Alice".to_owned(),
                proved_by: "file".to_owned(),
                proved_at: at(0),
            },
            connected_at: at(0),
            host: None,
            issued_at: at(0),
            expires_at: at(10),
            session: session.map(|end| Session {
                id: "s".to_owned(),
                expires_at: at(end),
            }),
            revoked_at: revoked.then_some(at(5)),
            last_used: None,
        }
    }

    #[test]
    fn a_token_is_used_by_its_consumer_until_it_expires_or_is_revoked() {
        for (revoked, consumer, now, expected) in [
            (false, "a", 9, Ok(())),
            (false, "a", 10, Err(Problem::TokenExpired)),
            (true, "a", 9, Err(Problem::TokenRevoked)),
            (true, "a", 10, Err(Problem::TokenRevoked)),
            (false, "b", 9, Err(Problem::TokenRejected(UNKNOWN_TOKEN))),
            (true, "b", 9, Err(Problem::TokenRejected(UNKNOWN_TOKEN))),
        ] {
            let consumer = ConsumerKey::parse(consumer).unwrap();
            let checked = token(revoked, None).check_use(&consumer, Timestamp::from_seconds(now));
            assert_eq!(checked, expected, "{revoked} {consumer} {now}");
        }
    }

    #[test]
    fn a_token_is_renewed_within_its_session_also_when_it_has_expired() {
        for (revoked, session, now, expected) in [
            (false, Some(20), 9, "Ok"),
            (false, Some(20), 19, "Ok"),
            (false, Some(20), 20, "permission_denied"),
            (true, Some(20), 9, "token_revoked"),
            (false, None, 9, "token_rejected"),
        ] {
            let (token, at) = (token(revoked, session), Timestamp::from_seconds(now));
            let consumer = ConsumerKey::parse("a").unwrap();
            let checked = token
                .check_renewal(&consumer)
                .and_then(|session| session.check_end(at));
            let name = checked.as_ref().map_or_else(Problem::name, |()| "Ok");
            assert_eq!(name, expected, "{revoked} {session:?} {now}");
        }
    }
}

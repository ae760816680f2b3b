//! Sessions of browsers whose users have signed in.

use std::net::IpAddr;

use crate::model::{BrowserSession, SessionId, User, UserStatus};
use crate::oauth::Timestamp;
use crate::store::StoreError;

use super::Provider;

/// How long a browser stays signed in, and how many attempts to sign in a minute has.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    /// The login method: a session of another one ends, since a name may be another person's there.
    pub login_method: &'static str,
    /// Whether the directory's display name replaces that of the session. It does not where each request names the user.
    pub refresh_display_name: bool,
    /// Seconds without a request after which a session ends.
    pub idle: i64,
    /// Seconds after which a session ends in any case.
    pub longest: i64,
    /// Seconds after which a user signs in again before approving.
    pub recheck_after: i64,
    /// Attempts in a minute for one name, from any address.
    pub attempts_per_account: u32,
    /// Attempts in a minute from one address, for any name.
    pub attempts_per_address: u32,
}

impl Provider {
    /// The user of a session that is alive, and who still exists. Notes that the session is in use.
    pub async fn session_user(&self, id: &SessionId) -> Result<Option<User>, StoreError> {
        let (rules, now) = (&self.rules.sessions, self.clock.now());
        let Some(session) = self.store.session(id, now).await? else {
            return Ok(None);
        };
        let mut user = session.user;
        let status = if user.proved_by == rules.login_method {
            self.directory.user_status(&user.subject).await
        } else {
            UserStatus::NotFound
        };
        match status {
            UserStatus::Active { display_name } if rules.refresh_display_name => {
                user.display_name = display_name;
            }
            UserStatus::Active { .. } | UserStatus::Unknown => {}
            UserStatus::NotFound => {
                if user.proved_by != rules.login_method || self.is_gone(&user.subject).await? {
                    self.store.remove_session(id).await?;
                }
                return Ok(None);
            }
        }
        if session.seen_at.plus(TOUCH_EVERY) <= now {
            let end = self.session_end(session.created_at, now);
            self.store.touch_session(id, now, end).await?;
        }
        Ok(Some(user))
    }

    /// Begins a session of a user who has signed in at an address; one that the browser had before ends.
    pub async fn begin_session(
        &self,
        before: Option<&SessionId>,
        user: User,
        address: IpAddr,
    ) -> Result<SessionId, StoreError> {
        if let Some(before) = before {
            self.store.remove_session(before).await?;
        }
        let (id, now) = (SessionId::new(self.new_token()), self.clock.now());
        let session = BrowserSession {
            user,
            created_at: now,
            seen_at: now,
            expires_at: self.session_end(now, now),
        };
        self.store.remember_user(&session.user).await?;
        self.store.add_session(&id, &session, Some(address)).await?;
        Ok(id)
    }

    /// Ends a session, as its user wants.
    pub async fn end_session(&self, id: &SessionId, address: IpAddr) -> Result<(), StoreError> {
        let ended = self.store.sign_out(id, Some(address), self.clock.now());
        ended.await.map(drop)
    }

    /// Whether a user signed in so long ago that they must do so again before they decide.
    pub fn must_sign_in_again(&self, user: &User) -> bool {
        user.proved_at.plus(self.rules.sessions.recheck_after) <= self.clock.now()
    }

    /// When a session that is in use now ends.
    fn session_end(&self, created_at: Timestamp, now: Timestamp) -> Timestamp {
        let rules = &self.rules.sessions;
        now.plus(rules.idle).min(created_at.plus(rules.longest))
    }
}

/// Seconds between two notes that a session is in use.
const TOUCH_EVERY: i64 = 60;

//! Sessions: browsers whose users have signed in. The audit log records sign-in and sign-out in the same transaction.

use std::net::IpAddr;

use crate::model::{AuditEvent, AuditKind, BrowserSession, SessionId};
use crate::oauth::Timestamp;

use super::db::{Row, sql};
use super::users::user;
use super::{Store, StoreError, digest};

impl Store {
    /// Adds the session of a user who has signed in, at an address.
    pub async fn add_session(
        &self,
        id: &SessionId,
        session: &BrowserSession,
        address: Option<IpAddr>,
    ) -> Result<(), StoreError> {
        let event = AuditEvent::new(AuditKind::SignedIn, session.created_at);
        let event = event.by(&session.user.subject, address);
        let insert = sql(["insert into sessions \
             (digest, subject, display_name, proved_by, proved_at, created_at, seen_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)"])
        .bind([&digest(id.as_str())])
        .bind_user(&session.user)
        .bind([&session.created_at, &session.seen_at, &session.expires_at]);
        self.change(insert, &event).await.map(drop)
    }

    /// Finds a session that has not expired.
    pub async fn session(
        &self,
        id: &SessionId,
        now: Timestamp,
    ) -> Result<Option<BrowserSession>, StoreError> {
        let select = sql([
            "select subject, display_name, proved_by, proved_at, created_at, seen_at, expires_at \
             from sessions where digest = $1 and expires_at > $2",
        ])
        .bind([&digest(id.as_str()), &now]);
        self.db.read(select).await?.first().map(session).transpose()
    }

    /// Notes that a browser was seen, and until when its session now lasts. `false`: it has none any more.
    pub async fn touch_session(
        &self,
        id: &SessionId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let update =
            sql(["update sessions set seen_at = $2, expires_at = $3 where digest = $1 and expires_at > $2"])
                .bind([&digest(id.as_str()), &now, &expires_at]);
        Ok(self.db.write(update).await? == 1)
    }

    /// Ends a session whose user signs out, at an address. `false`: there was none.
    pub async fn sign_out(
        &self,
        id: &SessionId,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let delete =
            sql(["delete from sessions where digest = $1 returning subject"]).bind([&digest(id.as_str())]);
        let ended = |row: &Row| {
            let event = AuditEvent::new(AuditKind::SignedOut, now);
            Ok(event.by(row.get::<String>("subject")?, address))
        };
        Ok(!self.change_all(delete, ended).await?.is_empty())
    }

    /// Ends a session whose user did not sign out. `false`: there was none.
    pub async fn remove_session(&self, id: &SessionId) -> Result<bool, StoreError> {
        let delete = sql(["delete from sessions where digest = $1"]).bind([&digest(id.as_str())]);
        Ok(self.db.write(delete).await? == 1)
    }
}

fn session(row: &Row) -> Result<BrowserSession, StoreError> {
    Ok(BrowserSession {
        user: user(row)?,
        created_at: row.time("created_at")?,
        seen_at: row.time("seen_at")?,
        expires_at: row.time("expires_at")?,
    })
}

//! Sessions: browsers whose users have signed in.
//!
//! That somebody came, or left, stands in the audit log as well, and is written together with it.

use std::net::IpAddr;

use crate::model::{AuditEvent, AuditKind, BrowserSession, SessionId};
use crate::oauth::Timestamp;

use super::audit::record;
use super::user_row::UserRow;
use super::{Store, StoreError, digest, on};

impl Store {
    /// Keeps a new session: its user has signed in, at an address.
    pub async fn add_session(
        &self,
        id: &SessionId,
        session: &BrowserSession,
        address: Option<IpAddr>,
    ) -> Result<(), StoreError> {
        let event = AuditEvent {
            subject: Some(session.user.subject.clone()),
            address,
            ..AuditEvent::new(AuditKind::SignedIn, session.created_at)
        };
        on!(write & self.pool, |db| {
            let mut transaction = db.begin().await?;
            sqlx::query(
                "insert into sessions \
                 (digest, subject, display_name, proved_by, proved_at, created_at, seen_at, expires_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(digest(id.as_str()))
            .bind(&session.user.subject)
            .bind(&session.user.display_name)
            .bind(&session.user.proved_by)
            .bind(session.user.proved_at.seconds())
            .bind(session.created_at.seconds())
            .bind(session.seen_at.seconds())
            .bind(session.expires_at.seconds())
            .execute(&mut *transaction)
            .await?;
            record!(&mut *transaction, &event);
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Finds a session that has not expired.
    pub async fn session(
        &self,
        id: &SessionId,
        now: Timestamp,
    ) -> Result<Option<BrowserSession>, StoreError> {
        let row: Option<Row> = on!(&self.pool, |db| {
            sqlx::query_as(
                "select subject, display_name, proved_by, proved_at, created_at, seen_at, expires_at \
                 from sessions where digest = $1 and expires_at > $2",
            )
            .bind(digest(id.as_str()))
            .bind(now.seconds())
            .fetch_optional(db)
            .await?
        });
        Ok(row.map(BrowserSession::from))
    }

    /// Notes that a browser was seen, and until when its session now lasts. `false`: it has none any more.
    pub async fn touch_session(
        &self,
        id: &SessionId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = on!(write & self.pool, |db| {
            sqlx::query(
                "update sessions set seen_at = $2, expires_at = $3 where digest = $1 and expires_at > $2",
            )
            .bind(digest(id.as_str()))
            .bind(now.seconds())
            .bind(expires_at.seconds())
            .execute(db)
            .await?
            .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Ends a session whose user signs out, at an address. `false`: there was none.
    pub async fn sign_out(
        &self,
        id: &SessionId,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let left = on!(write & self.pool, |db| {
            let mut transaction = db.begin().await?;
            let left: Vec<(String,)> =
                sqlx::query_as("delete from sessions where digest = $1 returning subject")
                    .bind(digest(id.as_str()))
                    .fetch_all(&mut *transaction)
                    .await?;
            for (subject,) in &left {
                let event = AuditEvent {
                    subject: Some(subject.clone()),
                    address,
                    ..AuditEvent::new(AuditKind::SignedOut, now)
                };
                record!(&mut *transaction, &event);
            }
            transaction.commit().await?;
            !left.is_empty()
        });
        Ok(left)
    }

    /// Ends a session that nobody signed out of. `false`: there was none.
    pub async fn remove_session(&self, id: &SessionId) -> Result<bool, StoreError> {
        let removed = on!(write & self.pool, |db| {
            sqlx::query("delete from sessions where digest = $1")
                .bind(digest(id.as_str()))
                .execute(db)
                .await?
                .rows_affected()
        });
        Ok(removed == 1)
    }
}

/// A row as it stands in the table.
#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    user: UserRow,
    created_at: i64,
    seen_at: i64,
    expires_at: i64,
}

impl From<Row> for BrowserSession {
    fn from(row: Row) -> Self {
        Self {
            user: row.user.into(),
            created_at: Timestamp::from_seconds(row.created_at),
            seen_at: Timestamp::from_seconds(row.seen_at),
            expires_at: Timestamp::from_seconds(row.expires_at),
        }
    }
}

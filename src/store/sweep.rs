//! Forget what has expired.

use crate::oauth::{Timestamp, Window};

use super::{Store, StoreError, on};

/// How many rows were forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Questions that nobody can answer or exchange any more.
    pub request_tokens: u64,
    /// Access tokens that have been dead for long.
    pub access_tokens: u64,
    /// Browsers that must sign in again.
    pub sessions: u64,
    /// Round trips that would be too old by now.
    pub trips: u64,
    /// People who have not signed in for more than a year.
    pub users: u64,
    /// Nonces of requests that would be too old by now.
    pub nonces: u64,
    /// Old lines of the audit log.
    pub audit: u64,
    /// Dances at other sides that nobody came back from.
    pub link_dances: u64,
}

impl Store {
    /// Forgets what has expired. Dead tokens stay for a while, so that a refusal can say of what they died.
    pub async fn sweep(&self, now: Timestamp, window: Window) -> Result<Swept, StoreError> {
        Ok(Swept {
            request_tokens: self.sweep_request_tokens(now.plus(-DAY)).await?,
            access_tokens: self.sweep_access_tokens(now.plus(-30 * DAY)).await?,
            sessions: self.sweep_sessions(now).await?,
            trips: self.sweep_trips(now).await?,
            users: self.sweep_users(now.plus(-400 * DAY)).await?,
            nonces: self
                .forget_nonces_before(window.horizon(now).bucket() - SPARED)
                .await?,
            audit: self.sweep_audit(now.plus(-400 * DAY)).await?,
            link_dances: self.sweep_link_dances(now).await?,
        })
    }

    async fn sweep_request_tokens(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(write & self.pool, |db| {
            sqlx::query("delete from request_tokens where expires_at <= $1")
                .bind(before.seconds())
                .execute(db)
                .await?
                .rows_affected()
        }))
    }

    /// An expired token whose session lives can still be renewed.
    async fn sweep_access_tokens(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(write & self.pool, |db| {
            sqlx::query(
                "delete from access_tokens where revoked_at <= $1 \
                 or (expires_at <= $1 and (session_expires_at is null or session_expires_at <= $1))",
            )
            .bind(before.seconds())
            .execute(db)
            .await?
            .rows_affected()
        }))
    }

    async fn sweep_sessions(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(write & self.pool, |db| {
            sqlx::query("delete from sessions where expires_at <= $1")
                .bind(before.seconds())
                .execute(db)
                .await?
                .rows_affected()
        }))
    }

    async fn sweep_link_dances(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(write & self.pool, |db| {
            sqlx::query("delete from link_dances where expires_at <= $1")
                .bind(before.seconds())
                .execute(db)
                .await?
                .rows_affected()
        }))
    }

    async fn sweep_trips(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(write & self.pool, |db| {
            sqlx::query("delete from finished_trips where expires_at <= $1")
                .bind(before.seconds())
                .execute(db)
                .await?
                .rows_affected()
        }))
    }

    async fn sweep_users(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(write & self.pool, |db| {
            sqlx::query("delete from users where proved_at <= $1")
                .bind(before.seconds())
                .execute(db)
                .await?
                .rows_affected()
        }))
    }

    async fn sweep_audit(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(write & self.pool, |db| {
            sqlx::query("delete from audit where at <= $1")
                .bind(before.seconds())
                .execute(db)
                .await?
                .rows_affected()
        }))
    }
}

const DAY: i64 = 24 * 60 * 60;

/// Minutes of nonces that are kept longer than our clock asks for: a replica whose clock is behind ours still admits their
/// requests, and so does one that looked at its clock a moment ago.
const SPARED: i64 = 1;

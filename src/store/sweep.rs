//! Forget what has expired.
//!
//! A portion at a time, found by an index, with a pause as long as the work between two of them: whoever wants to write waits
//! for one portion at most. What is dead stays for a while, so that a refusal can say of what it died.

use std::time::Instant;

use tokio::time::sleep;

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

/// A statement that forgets some rows of a table: those whose condition holds, `$1` being the time before which it must have
/// come true, and `$2` the most that it forgets.
macro_rules! portion {
    ($table:literal, $key:literal, $dead:literal) => {
        concat!(
            "delete from ",
            $table,
            " where (",
            $key,
            ") in (select ",
            $key,
            " from ",
            $table,
            " where ",
            $dead,
            " limit $2)"
        )
    };
}

const REQUEST_TOKENS: &str = portion!("request_tokens", "digest", "expires_at <= $1");
const REVOKED: &str = portion!("access_tokens", "digest", "revoked_at <= $1");
/// An expired token whose session lives can still be renewed.
const EXPIRED: &str = portion!(
    "access_tokens",
    "digest",
    "coalesce(session_expires_at, expires_at) <= $1 and expires_at <= $1"
);
const SESSIONS: &str = portion!("sessions", "digest", "expires_at <= $1");
const TRIPS: &str = portion!("finished_trips", "digest", "expires_at <= $1");
const USERS: &str = portion!("users", "subject, proved_by", "proved_at <= $1");
const AUDIT: &str = portion!("audit", "id", "at <= $1");
const LINK_DANCES: &str = portion!("link_dances", "digest", "expires_at <= $1");

impl Store {
    /// Forgets what has expired: all nonces that are too old, and at most 200 000 rows of each kind.
    pub async fn sweep(&self, now: Timestamp, window: Window) -> Result<Swept, StoreError> {
        let days_ago = |days: i64| now.plus(-days * DAY);
        Ok(Swept {
            // They come fastest, so they wait for nothing else.
            nonces: self
                .forget_nonces_before(window.horizon(now).bucket() - SPARED)
                .await?,
            request_tokens: self.forget(REQUEST_TOKENS, days_ago(1)).await?,
            access_tokens: self.forget(REVOKED, days_ago(30)).await?
                + self.forget(EXPIRED, days_ago(30)).await?,
            sessions: self.forget(SESSIONS, now).await?,
            trips: self.forget(TRIPS, now).await?,
            users: self.forget(USERS, days_ago(400)).await?,
            audit: self.forget(AUDIT, days_ago(400)).await?,
            link_dances: self.forget(LINK_DANCES, now).await?,
        })
    }

    /// Forgets portions until nothing is left, or there have been many. Says how many rows they were.
    async fn forget(&self, portion: &'static str, before: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for _ in 0..PORTIONS {
            let begun = Instant::now();
            let gone = on!(write & self.pool, |db| {
                sqlx::query(portion)
                    .bind(before.seconds())
                    .bind(ROWS)
                    .execute(db)
                    .await?
                    .rows_affected()
            });
            forgotten += gone;
            if gone < ROWS.unsigned_abs() {
                break;
            }
            sleep(begun.elapsed()).await;
        }
        Ok(forgotten)
    }
}

/// Rows of a portion: as a rule, more than a minute brings. In a large table they take a tenth of a second or two; fewer would take
/// longer for each, because the ones that are dead are scattered over many pages, which are written once for each portion.
const ROWS: i64 = 2_000;

/// Portions of one kind in one sweep. What is left then has to wait for the next.
const PORTIONS: u32 = 100;

const DAY: i64 = 24 * 60 * 60;

/// Minutes of nonces that are kept longer than our clock asks for: a replica whose clock is behind ours still admits their
/// requests, and so does one that looked at its clock a moment ago.
const SPARED: i64 = 1;

#[cfg(test)]
mod tests {
    use sqlx::SqlitePool;

    use super::*;

    #[tokio::test]
    async fn what_is_dead_is_found_without_reading_all_that_lives() {
        let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
        crate::store::pool::Pool::sqlite(db.clone(), true)
            .migrate()
            .await
            .unwrap();
        for portion in [
            REQUEST_TOKENS,
            REVOKED,
            EXPIRED,
            SESSIONS,
            TRIPS,
            USERS,
            AUDIT,
            LINK_DANCES,
        ] {
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(format!("explain query plan {portion}")))
                    .bind(0)
                    .bind(ROWS)
                    .fetch_all(&db)
                    .await
                    .unwrap();
            let steps: Vec<String> = plan.into_iter().map(|(.., step)| step).collect();
            assert!(
                steps.iter().any(|step| step.contains("<?")),
                "{portion}: {steps:?}"
            );
            assert!(
                !steps.iter().any(|step| step.starts_with("SCAN")),
                "{portion}: {steps:?}"
            );
        }
    }
}

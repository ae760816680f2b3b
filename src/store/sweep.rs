//! Forget what has expired.
//!
//! A portion at a time, found by an index, with a pause as long as the work between two of them: whoever wants to write waits
//! for one portion at most. What is dead stays for a while, so that a refusal can say of what it died.

use std::time::Instant;

use tokio::time::sleep;

use crate::oauth::{Timestamp, Window};

use super::db::sql;
use super::{Store, StoreError};

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
    /// Old lines of the audit log.
    pub audit: u64,
    /// Dances at other sides that nobody came back from.
    pub link_dances: u64,
}

// Each statement deletes rows that expired before `$1`, `$2` at most.

const REQUEST_TOKENS: &str = "delete from request_tokens where digest in \
    (select digest from request_tokens where expires_at <= $1 limit $2)";
const REVOKED: &str = "delete from access_tokens where digest in \
    (select digest from access_tokens where revoked_at <= $1 limit $2)";
/// An expired token whose session lives can still be renewed.
const EXPIRED: &str = "delete from access_tokens where digest in (select digest from access_tokens \
    where coalesce(session_expires_at, expires_at) <= $1 and expires_at <= $1 limit $2)";
const SESSIONS: &str = "delete from sessions where digest in \
    (select digest from sessions where expires_at <= $1 limit $2)";
const TRIPS: &str = "delete from finished_trips where digest in \
    (select digest from finished_trips where expires_at <= $1 limit $2)";
const USERS: &str = "delete from users where (subject, proved_by) in \
    (select subject, proved_by from users where proved_at <= $1 limit $2)";
const AUDIT: &str = "delete from audit where id in (select id from audit where at <= $1 limit $2)";
const LINK_DANCES: &str = "delete from link_dances where digest in \
    (select digest from link_dances where expires_at <= $1 limit $2)";

impl Store {
    /// Forgets what has expired: all nonces that no window accepts any more, and at most 200 000 rows of each other kind.
    pub async fn sweep(&self, now: Timestamp, window: Window) -> Result<Swept, StoreError> {
        let now = self.sweep_time(now).await?;
        let days_ago = |days: i64| now.plus(-days * DAY);
        // They come fastest, so they wait for nothing else.
        self.nonces.forget(window).await?;
        Ok(Swept {
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

    /// The time of this sweep: now, but at most an hour after the last one, so that a clock which jumps ahead does not delete
    /// everything before it is noticed.
    async fn sweep_time(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let mut transaction = self.db.begin().await?;
        let first = sql(["insert into sweep (one, at) values (1, $1) on conflict (one) do nothing"]);
        transaction.execute(first.bind(now)).await?;
        let rows = transaction.fetch(sql(["select at from sweep"])).await?;
        let last = rows.first().map_or(Ok(now), |row| row.time("at"))?;
        let bounded = now.min(last.plus(HOUR));
        if now > last.plus(DAY) {
            tracing::error!(
                "the clock is {} hours after the last deletion of expired rows, which goes on an hour at a time; if the clock \
                 is wrong, set it",
                (now.seconds() - last.seconds()) / HOUR
            );
        }
        transaction
            .execute(sql(["update sweep set at = $1"]).bind(bounded))
            .await?;
        transaction.commit().await?;
        Ok(bounded)
    }

    /// Forgets portions until nothing is left, or there have been many. Says how many rows they were.
    async fn forget(&self, delete: &'static str, before: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for _ in 0..PORTIONS {
            let begun = Instant::now();
            let gone = self.db.write(sql([delete]).bind(before).bind(ROWS)).await?;
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

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Options;

    #[tokio::test]
    async fn expired_rows_are_found_by_an_index() {
        let options = Options {
            url: "sqlite::memory:".to_owned(),
            password: None,
            max_connections: 1,
        };
        let db = options.connect(true).await.unwrap();
        db.migrate(&options).await.unwrap();
        for delete in [
            REQUEST_TOKENS,
            REVOKED,
            EXPIRED,
            SESSIONS,
            TRIPS,
            USERS,
            AUDIT,
            LINK_DANCES,
        ] {
            let explain = sql(["explain query plan ", delete]).bind(0).bind(ROWS);
            let plan = db.read(explain).await.unwrap();
            let steps = plan.iter().map(|step| step.get("detail").unwrap());
            let steps: Vec<String> = steps.collect();
            assert!(
                steps.iter().any(|step| step.contains("<?")),
                "{delete}: {steps:?}"
            );
            assert!(
                !steps.iter().any(|step| step.starts_with("SCAN")),
                "{delete}: {steps:?}"
            );
        }
    }
}

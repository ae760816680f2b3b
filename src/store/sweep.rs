//! Deletes what has expired.
//!
//! A portion at a time, found by an index, with a pause as long as the work between two of them: whoever wants to write waits
//! for one portion at most. What is dead stays for a while, so that a refusal can say of what it died.

use std::collections::BTreeMap;
use std::time::Instant;

use tokio::time::sleep;

use crate::oauth::{Timestamp, TimestampWindow};

use super::db::sql;
use super::{Store, StoreError};

/// How many rows of each table were deleted.
pub type Swept = BTreeMap<&'static str, u64>;

impl Store {
    /// Deletes what has expired: all nonces that no window accepts any more, and at most 200,000 rows by each statement.
    pub async fn sweep(&self, now: Timestamp, window: TimestampWindow) -> Result<Swept, StoreError> {
        let now = self.sweep_time(now).await?;
        // They come fastest, so they wait for nothing else.
        self.nonces.forget(window).await?;
        let mut swept = Swept::new();
        for (table, days, delete) in EXPIRED {
            let count = self.forget(delete, now.plus(-days * DAY)).await?;
            if count > 0 {
                *swept.entry(table).or_default() += count;
            }
        }
        Ok(swept)
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

/// Table, days for which an expired row is kept, and the statement that deletes rows which expired before `$1`, `$2` at most.
const EXPIRED: [(&str, i64, &str); 8] = [
    (
        "request_tokens",
        1,
        "delete from request_tokens where digest in (select digest from request_tokens where expires_at <= $1 limit $2)",
    ),
    (
        "access_tokens",
        30,
        "delete from access_tokens where digest in (select digest from access_tokens where revoked_at <= $1 limit $2)",
    ),
    // An expired token whose session lives can still be renewed.
    (
        "access_tokens",
        30,
        "delete from access_tokens where digest in (select digest from access_tokens \
         where coalesce(session_expires_at, expires_at) <= $1 and expires_at <= $1 limit $2)",
    ),
    (
        "sessions",
        0,
        "delete from sessions where digest in (select digest from sessions where expires_at <= $1 limit $2)",
    ),
    (
        "finished_trips",
        0,
        "delete from finished_trips where digest in (select digest from finished_trips where expires_at <= $1 limit $2)",
    ),
    (
        "users",
        400,
        "delete from users where (subject, proved_by) in \
         (select subject, proved_by from users where proved_at <= $1 limit $2)",
    ),
    (
        "audit",
        400,
        "delete from audit where id in (select id from audit where at <= $1 limit $2)",
    ),
    (
        "link_dances",
        0,
        "delete from link_dances where digest in (select digest from link_dances where expires_at <= $1 limit $2)",
    ),
];

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
        for (_, _, delete) in EXPIRED {
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

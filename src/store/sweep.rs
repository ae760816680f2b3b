//! Deletes what has expired: a portion at a time, found by an index, with a pause as long as the work between two.

use std::collections::BTreeMap;
use std::time::Instant;

use tokio::time::sleep;

use crate::oauth::{Timestamp, TimestampWindow};

use super::db::{PORTION, portion, sql};
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
        for (table, key, which, days) in EXPIRED {
            let before = now.plus(-days * DAY);
            for _ in 0..PORTIONS {
                let begun = Instant::now();
                let delete = portion(table, key, which, "").bind([&before]);
                let count = self.db.write(delete).await?;
                if count > 0 {
                    *swept.entry(table).or_default() += count;
                }
                if count < PORTION {
                    break;
                }
                sleep(begun.elapsed()).await;
            }
        }
        Ok(swept)
    }

    /// The time of this sweep: at most an hour after the last one, so that a clock which jumps ahead does not delete
    /// everything.
    async fn sweep_time(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let mut transaction = self.db.begin().await?;
        let first = sql(["insert into sweep (one, at) values (1, $1) on conflict (one) do nothing"]);
        transaction.on().execute(first.bind([&now])).await?;
        let rows = transaction.on().fetch(sql(["select at from sweep"])).await?;
        let last = rows.first().map_or(Ok(now), |row| row.time("at"))?;
        let bounded = now.min(last.plus(HOUR));
        if now > last.plus(DAY) {
            let hours = (now.seconds() - last.seconds()) / HOUR;
            tracing::error!(
                "the clock is {hours} hours after the last deletion of expired rows, which goes on an hour at a time; if the \
                 clock is wrong, set it"
            );
        }
        let update = sql(["update sweep set at = $1"]).bind([&bounded]);
        transaction.on().execute(update).await?;
        transaction.commit().await?;
        Ok(bounded)
    }
}

/// Table, its primary key, which rows have expired before `$1`, and for how many days they are kept: an expired token is
/// rejected as such, and not as an unknown one.
const EXPIRED: [(&str, &str, &str, i64); 8] = [
    ("request_tokens", "digest", "expires_at <= $1", 1),
    ("access_tokens", "digest", "revoked_at <= $1", 30),
    // An expired token whose session lives can still be renewed.
    (
        "access_tokens",
        "digest",
        "coalesce(session_expires_at, expires_at) <= $1 and expires_at <= $1",
        30,
    ),
    ("sessions", "digest", "expires_at <= $1", 0),
    ("finished_trips", "digest", "expires_at <= $1", 0),
    ("users", "subject, proved_by", "proved_at <= $1", 400),
    ("audit", "id", "at <= $1", 400),
    ("link_dances", "digest", "expires_at <= $1", 0),
];

/// Portions of one kind in one sweep. What is left then has to wait for the next.
const PORTIONS: u32 = 100;

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreConfig;

    #[tokio::test]
    async fn expired_rows_are_found_by_an_index() {
        let options = StoreConfig::new("sqlite::memory:");
        let db = options.connect(true).await.unwrap();
        db.migrate(&options).await.unwrap();
        for (table, key, which, _) in EXPIRED {
            let mut explain = portion(table, key, which, "").bind([&0_i64]);
            explain.text.insert_str(0, "explain query plan ");
            let plan = db.read(explain).await.unwrap();
            let steps = plan.iter().map(|step| step.get("detail").unwrap());
            let steps: Vec<String> = steps.collect();
            let is_found = steps.iter().any(|step| step.contains("<?"));
            let is_scanned = steps.iter().any(|step| step.starts_with("SCAN"));
            assert!(is_found && !is_scanned, "{table} {which}: {steps:?}");
        }
    }
}

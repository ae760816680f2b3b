//! What signing in leaves behind: attempts by the minute, and login round trips that were completed.

use crate::oauth::{Timestamp, Token};

use super::db::sql;
use super::{Store, StoreError, digest};

impl Store {
    /// Counts an attempt in a slot. `false`: it has had as many in this minute as it may, and nothing was written.
    ///
    /// A replica whose clock is behind counts in the minute of the one that is ahead, by a minute at most: what a wrong clock
    /// has counted later than that does not lock anybody out.
    pub async fn count_attempt(&self, slot: i64, minute: i64, most: u32) -> Result<bool, StoreError> {
        let most = i64::from(most);
        let full = sql([
            "select slot from sign_in_slots where slot = $1 and minute >= $2 and minute <= $2 + 1 and attempts >= $3",
        ]);
        let full = full.bind(slot).bind(minute).bind(most);
        if !self.db.read(full).await?.is_empty() {
            return Ok(false);
        }
        let count = sql([
            "insert into sign_in_slots (slot, minute, attempts) values ($1, $2, 1) \
             on conflict (slot) do update set \
             attempts = case when ",
            OTHER_MINUTE,
            " then 1 else sign_in_slots.attempts + 1 end, minute = case when ",
            OTHER_MINUTE,
            " then excluded.minute else sign_in_slots.minute end where ",
            OTHER_MINUTE,
            " or sign_in_slots.attempts < $3",
        ])
        .bind(slot)
        .bind(minute)
        .bind(most);
        Ok(self.db.write(count).await? == 1)
    }

    /// Notes that a round trip was completed. `false`: it had been completed before.
    pub async fn finish_trip(&self, id: &Token, expires_at: Timestamp) -> Result<bool, StoreError> {
        let insert =
            sql(["insert into finished_trips (digest, expires_at) values ($1, $2) on conflict do nothing"])
                .bind(digest(id.as_str()))
                .bind(expires_at);
        Ok(self.db.write(insert).await? == 1)
    }
}

/// Whether what a slot has counted belongs to an earlier minute, or to one that has not come yet.
const OTHER_MINUTE: &str =
    "(sign_in_slots.minute < excluded.minute or sign_in_slots.minute > excluded.minute + 1)";

//! What signing in leaves behind: attempts by the minute, and round trips that came to their end.

use crate::oauth::{Timestamp, Token};

use super::{Store, StoreError, digest, on};

impl Store {
    /// Counts an attempt in a slot. `false`: it has had as many in this minute as it may, and nothing was written.
    ///
    /// A replica whose clock is behind counts in the minute of the one that is ahead.
    pub async fn count_attempt(&self, slot: i64, minute: i64, most: u32) -> Result<bool, StoreError> {
        if self.attempts(slot, minute).await? >= i64::from(most) {
            return Ok(false);
        }
        let counted = on!(write & self.pool, |db| {
            sqlx::query(
                "insert into sign_in_slots (slot, minute, attempts) values ($1, $2, 1) \
                 on conflict (slot) do update set \
                 attempts = case when sign_in_slots.minute < excluded.minute then 1 \
                            else sign_in_slots.attempts + 1 end, \
                 minute = case when sign_in_slots.minute < excluded.minute then excluded.minute \
                          else sign_in_slots.minute end \
                 where sign_in_slots.minute < excluded.minute or sign_in_slots.attempts < $3",
            )
            .bind(slot)
            .bind(minute)
            .bind(i64::from(most))
            .execute(db)
            .await?
            .rows_affected()
        });
        Ok(counted == 1)
    }

    /// Notes that a round trip came to its end. `false`: it had done so before.
    pub async fn finish_trip(&self, id: &Token, expires_at: Timestamp) -> Result<bool, StoreError> {
        let inserted = on!(write & self.pool, |db| {
            sqlx::query(
                "insert into finished_trips (digest, expires_at) values ($1, $2) on conflict do nothing",
            )
            .bind(digest(id.as_str()))
            .bind(expires_at.seconds())
            .execute(db)
            .await?
            .rows_affected()
        });
        Ok(inserted == 1)
    }

    async fn attempts(&self, slot: i64, minute: i64) -> Result<i64, StoreError> {
        let attempts: Option<i64> = on!(&self.pool, |db| {
            sqlx::query_scalar("select attempts from sign_in_slots where slot = $1 and minute >= $2")
                .bind(slot)
                .bind(minute)
                .fetch_optional(db)
                .await?
        });
        Ok(attempts.unwrap_or(0))
    }
}

//! Users who have signed in, their attempts by the minute, and login round trips that were completed.

use crate::model::User;
use crate::oauth::{Timestamp, Token};

use super::db::{Row, Sql, sql};
use super::{Store, StoreError, digest};

impl Store {
    /// Remembers that a user signed in. An earlier sign-in does not replace a later one.
    pub async fn remember_user(&self, user: &User) -> Result<(), StoreError> {
        let insert = sql([
            "insert into users (subject, display_name, proved_by, proved_at) values ($1, $2, $3, $4) \
             on conflict (subject, proved_by) do update \
             set display_name = excluded.display_name, proved_at = excluded.proved_at \
             where users.proved_at <= excluded.proved_at",
        ])
        .bind_user(user);
        self.db.write(insert).await.map(drop)
    }

    /// Finds a user who has signed in by a login method within the last 400 days.
    pub async fn user(&self, subject: &str, proved_by: &str) -> Result<Option<User>, StoreError> {
        let select = sql(["select subject, display_name, proved_by, proved_at from users \
             where subject = $1 and proved_by = $2"])
        .bind([&subject, &proved_by]);
        self.db.read(select).await?.first().map(user).transpose()
    }

    /// Lists the users who have signed in by a login method most recently.
    pub async fn recent_users(&self, proved_by: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let select = sql(["select subject from users where proved_by = $1 order by proved_at desc limit $2"])
            .bind([&proved_by, &i64::from(limit)]);
        let rows = self.db.read(select).await?;
        rows.iter().map(|row| row.get("subject")).collect()
    }

    /// Counts an attempt in a slot. `false`: it has had as many in this minute as it may. A replica whose clock is behind
    /// counts in the minute of the one that is ahead, by a minute at most: a wrong clock locks no user out.
    pub async fn count_attempt(&self, slot: i64, minute: i64, most: u32) -> Result<bool, StoreError> {
        let most = i64::from(most);
        let full = sql([
            "select slot from sign_in_slots where slot = $1 and minute >= $2 and minute <= $2 + 1 and attempts >= $3",
        ]);
        let full = full.bind([&slot, &minute, &most]);
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
        .bind([&slot, &minute, &most]);
        Ok(self.db.write(count).await? == 1)
    }

    /// Records that a login flow was completed. `false`: it had been completed before.
    pub async fn finish_trip(&self, id: &Token, expires_at: Timestamp) -> Result<bool, StoreError> {
        let insert =
            sql(["insert into finished_trips (digest, expires_at) values ($1, $2) on conflict do nothing"])
                .bind([&digest(id.as_str()), &expires_at]);
        Ok(self.db.write(insert).await? == 1)
    }
}

impl Sql {
    pub(super) fn bind_user(self, user: &User) -> Self {
        self.bind([
            &user.subject,
            &user.display_name,
            &user.proved_by,
            &user.proved_at,
        ])
    }
}

pub(super) fn user(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        subject: row.get("subject")?,
        display_name: row.get("display_name")?,
        proved_by: row.get("proved_by")?,
        proved_at: row.time("proved_at")?,
    })
}

/// Whether what a slot has counted belongs to an earlier minute, or to one that has not come yet.
const OTHER_MINUTE: &str =
    "(sign_in_slots.minute < excluded.minute or sign_in_slots.minute > excluded.minute + 1)";

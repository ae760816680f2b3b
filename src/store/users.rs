//! Users: who has signed in here.

use crate::model::User;

use super::user_row::UserRow;
use super::{Store, StoreError, on};

impl Store {
    /// Remembers that somebody proved who they are. An earlier proof replaces no later one.
    pub async fn remember_user(&self, user: &User) -> Result<(), StoreError> {
        on!(write & self.pool, |db| {
            sqlx::query(
                "insert into users (subject, proved_by, display_name, proved_at) values ($1, $2, $3, $4) \
                 on conflict (subject, proved_by) do update \
                 set display_name = excluded.display_name, proved_at = excluded.proved_at \
                 where users.proved_at <= excluded.proved_at",
            )
            .bind(&user.subject)
            .bind(&user.proved_by)
            .bind(&user.display_name)
            .bind(user.proved_at.seconds())
            .execute(db)
            .await?;
        });
        Ok(())
    }

    /// Finds somebody who has signed in here by a login method. They are forgotten after 400 days.
    pub async fn user(&self, subject: &str, proved_by: &str) -> Result<Option<User>, StoreError> {
        let row: Option<UserRow> = on!(&self.pool, |db| {
            sqlx::query_as(
                "select subject, display_name, proved_by, proved_at from users \
                 where subject = $1 and proved_by = $2",
            )
            .bind(subject)
            .bind(proved_by)
            .fetch_optional(db)
            .await?
        });
        Ok(row.map(User::from))
    }
}

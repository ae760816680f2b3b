//! Users who have signed in.

use crate::model::User;

use super::db::{Row, sql};
use super::{Store, StoreError};

impl Store {
    /// Remembers that a user signed in. An earlier sign-in does not replace a later one.
    pub async fn remember_user(&self, user: &User) -> Result<(), StoreError> {
        let insert = sql([
            "insert into users (subject, proved_by, display_name, proved_at) values ($1, $2, $3, $4) \
             on conflict (subject, proved_by) do update \
             set display_name = excluded.display_name, proved_at = excluded.proved_at \
             where users.proved_at <= excluded.proved_at",
        ])
        .bind(&*user.subject)
        .bind(&*user.proved_by)
        .bind(&*user.display_name)
        .bind(user.proved_at);
        self.db.write(insert).await?;
        Ok(())
    }

    /// Finds a user who has signed in by a login method within the last 400 days.
    pub async fn user(&self, subject: &str, proved_by: &str) -> Result<Option<User>, StoreError> {
        let select = sql(["select subject, display_name, proved_by, proved_at from users \
             where subject = $1 and proved_by = $2"])
        .bind(subject)
        .bind(proved_by);
        self.db.read(select).await?.first().map(user).transpose()
    }
}

/// The user in four columns of a row.
pub(super) fn user(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        subject: row.get("subject")?,
        display_name: row.get("display_name")?,
        proved_by: row.get("proved_by")?,
        proved_at: row.time("proved_at")?,
    })
}

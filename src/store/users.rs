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

    /// Lists the users who have signed in by a login method most recently.
    pub async fn recent_users(&self, proved_by: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let select = sql(["select subject from users where proved_by = $1 order by proved_at desc limit $2"])
            .bind(proved_by)
            .bind(i64::from(limit));
        let rows = self.db.read(select).await?;
        rows.iter().map(|row| row.get("subject")).collect()
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

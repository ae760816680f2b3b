//! The four columns in which a user is kept.

use crate::model::User;
use crate::oauth::Timestamp;

/// A user as a row of several tables has it.
#[derive(sqlx::FromRow)]
pub(super) struct UserRow {
    pub(super) subject: String,
    display_name: String,
    proved_by: String,
    proved_at: i64,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            subject: row.subject,
            display_name: row.display_name,
            proved_by: row.proved_by,
            proved_at: Timestamp::from_seconds(row.proved_at),
        }
    }
}

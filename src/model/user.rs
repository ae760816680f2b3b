//! The resource owner (RFC 5849, section 1.1).

use crate::oauth::Timestamp;

/// A user of the application, and how they proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name by which the application knows them.
    pub subject: String,
    /// The name to show to people.
    pub display_name: String,
    /// The login method that vouched for them: `file`, `probe`, ...
    pub proved_by: String,
    /// When it did.
    pub proved_at: Timestamp,
}

/// What a login method knows of a user's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserStatus {
    /// The user exists.
    Active {
        /// The name to show to people.
        display_name: String,
    },
    /// There is no such user, or not any more.
    NotFound,
    /// The method cannot tell, or not at this moment.
    Unknown,
}

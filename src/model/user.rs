//! The resource owner (RFC 5849, section 1.1), and browsers in which one has signed in.

use crate::oauth::{Timestamp, Token};

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

/// A signed-in browser as it is kept: found by the hash of its [`SessionId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserSession {
    /// Who signed in.
    pub user: User,
    /// When they did.
    pub created_at: Timestamp,
    /// When the browser was last seen.
    pub seen_at: Timestamp,
    /// From when on it must sign in again.
    pub expires_at: Timestamp,
}

/// What the cookie carries. It is made like a token; `Debug` shows only its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(Token);

impl SessionId {
    /// Takes a freshly made token as the name of a new session.
    pub fn new(token: Token) -> Self {
        Self(token)
    }

    /// Reads what a browser sent.
    pub fn parse(text: &str) -> Option<Self> {
        Token::parse(text).map(Self)
    }

    /// The id as it is in the cookie.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

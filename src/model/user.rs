//! The resource owner (RFC 5849, section 1.1), and browsers in which one has signed in.

use crate::oauth::{Timestamp, Token};

/// A user of the application, and how they proved it.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name by which the application knows them.
    pub subject: String,
    pub display_name: String,
    /// The login method that vouched for them: `file`, `probe`, ...
    pub proved_by: String,
    pub proved_at: Timestamp,
}

/// What a login method knows of a user's name.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserStatus {
    Active {
        display_name: String,
    },
    /// There is no such user, or not any more.
    NotFound,
    /// The method cannot tell, or not at this moment.
    Unknown,
}

/// A signed-in browser as it is kept: found by the hash of its [`SessionId`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct BrowserSession {
    pub user: User,
    pub created_at: Timestamp,
    /// When the browser was last seen.
    pub seen_at: Timestamp,
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

//! WHO IS AT THE BROWSER: one enum, one file for each method; every method ends in a [`User`].
//!
//! 1. [`Login`]: the configured method, what the pages ask;
//! 2. [`mod@file`]: a password file, for demos and small installs;
//! 3. `users`: what may stand in that file;
//! 4. [`throttle`]: how often a name and an address may try;
//! 5. [`UserLookup`]: asks the application whether a user exists.

pub mod file;
pub mod throttle;
mod user_lookup;
mod users;

use std::net::IpAddr;
use std::time::Duration;

use crate::model::User;
use crate::oauth::{Secret, Timestamp};

pub use file::{FileLogin, FileLoginError};
pub use throttle::{Limits, Throttle};
pub use user_lookup::UserLookup;

/// The configured way to learn who is at the browser.
#[derive(Debug)]
pub enum Login {
    /// Names and passwords in a file, typed into our own page.
    File {
        /// The names and passwords.
        users: FileLogin,
        /// How often they may be tried.
        throttle: Throttle,
    },
}

/// A name and a password, as somebody typed them.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The name.
    pub name: &'a str,
    /// The password.
    pub password: Secret,
    /// Where the browser is.
    pub address: IpAddr,
    /// When it happens.
    pub at: Timestamp,
}

/// Why somebody was not signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Nobody has this name and this password. Which of the two is wrong is not told.
    #[error("wrong name or password")]
    Wrong,
    /// This name or this address was tried too often.
    #[error("too many attempts, {} s to wait", .0.as_secs())]
    TooMany(Duration),
    /// The login source did not answer.
    #[error("the login source is not available: {0}")]
    Unavailable(&'static str),
}

/// What a login method says about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The application knows this user.
    Known {
        /// The name to show to people.
        display_name: String,
    },
    /// Nobody has this name (any more).
    Gone,
    /// The method cannot tell at this moment.
    CannotSay,
}

impl Login {
    /// Signs in from a password file, with the usual limits.
    pub fn file(users: FileLogin) -> Self {
        Self::File {
            users,
            throttle: Throttle::new(Limits::default()),
        }
    }

    /// Decides on an attempt. Counts it first, so that a guesser pays before we do.
    pub async fn sign_in(&self, attempt: Attempt<'_>) -> Result<User, SignInError> {
        match self {
            Self::File { users, throttle } => {
                throttle
                    .admit(attempt.address, attempt.name)
                    .map_err(SignInError::TooMany)?;
                users.verify(attempt.name, attempt.password, attempt.at).await
            }
        }
    }

    /// Says whether a subject is (still) a user, and under which name to show them.
    #[expect(
        clippy::unused_async,
        reason = "a file answers at once; an application beside us will not"
    )]
    pub async fn standing(&self, subject: &str) -> Standing {
        match self {
            Self::File { users, .. } => users.standing(subject),
        }
    }

    /// Reads the source again, where it is a file. The error leaves everything as it was.
    pub fn reload(&self) -> Result<(), FileLoginError> {
        match self {
            Self::File { users, .. } => users.reload(),
        }
    }
}

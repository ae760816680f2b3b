//! Stand-in.
use std::sync::Arc;

use crate::model::{Consumer, User};
use crate::oauth::{Callback, Timestamp, Token, Verifier};
use crate::store::StoreError;

use super::Provider;

/// What a request token asks, as it stands now.
#[derive(Clone, Debug)]
pub enum Question {
    /// Waiting for an answer.
    Open {
        /// Who asks.
        consumer: Arc<Consumer>,
        /// Where the user returns.
        callback: Callback,
        /// Until when it can be answered.
        expires_at: Timestamp,
    },
    /// Somebody said yes.
    Approved {
        /// Who said it.
        by: User,
        /// Who asked.
        consumer: Arc<Consumer>,
        /// Where the user returns.
        callback: Callback,
    },
    /// Somebody said no.
    Denied {
        /// Who asked.
        consumer: Arc<Consumer>,
        /// Where the user returns.
        callback: Callback,
    },
    /// Approved, and exchanged for an access token already.
    Used,
    /// Its time is over.
    Expired,
    /// No such request token.
    Unknown,
    /// The consumer may not ask any more.
    ConsumerDisabled {
        /// The consumer's name, for people.
        name: String,
    },
}

/// What an answer leads to.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Send the browser there.
    Redirect(String),
    /// Show the code, which the user carries to the consumer.
    ShowVerifier {
        /// Who waits for it.
        consumer_name: String,
        /// The code.
        verifier: Verifier,
    },
    /// Denied, and nobody to send the browser to.
    DeniedOutOfBand {
        /// Who asked.
        consumer_name: String,
    },
    /// It could not be answered by this user; the question as it stands.
    NotOpen(Question),
}
impl Provider {
    /// Reads the question behind a request token.
    pub async fn question(&self, _token: &Token) -> Result<Question, StoreError> { todo!() }
    /// The user says yes. Said again by the same user, it leads to the same place.
    pub async fn approve(&self, _token: &Token, _user: &User) -> Result<Answer, StoreError> { todo!() }
    /// The user says no. Said again, it leads to the same place.
    pub async fn deny(&self, _token: &Token, _user: &User) -> Result<Answer, StoreError> { todo!() }
}

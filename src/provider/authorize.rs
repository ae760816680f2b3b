//! Authorization by the user (RFC 5849, section 2.2).

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{Consumer, RequestToken, RequestTokenState, User};
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
    /// When access that a user gives a consumer now would end.
    pub fn access_ends_at(&self, consumer: &Consumer) -> Timestamp {
        let token = self.rules.access_token_lifetime;
        let lifetime = if consumer.session_handles {
            token.max(self.rules.session_lifetime)
        } else {
            token
        };
        self.clock.now().plus(lifetime)
    }

    /// Reads the question behind a request token.
    pub async fn question(&self, token: &Token) -> Result<Question, StoreError> {
        let Some(kept) = self.store.request_token(token).await? else {
            return Ok(Question::Unknown);
        };
        if kept.expires_at <= self.clock.now() {
            return Ok(Question::Expired);
        }
        let Some(consumer) = self.cache.consumer(&self.store, &kept.consumer).await? else {
            return Ok(Question::Unknown);
        };
        if !consumer.enabled {
            return Ok(Question::ConsumerDisabled {
                name: consumer.name.clone(),
            });
        }
        Ok(as_question(kept, consumer))
    }

    /// The user approves, at an address. Repeated by the same user, it leads to the same place.
    pub async fn approve(&self, token: &Token, user: &User, address: IpAddr) -> Result<Answer, StoreError> {
        let question = self.decided(token, user, address, true).await?;
        match question {
            Question::Approved {
                by,
                consumer,
                callback,
            } if by.subject == user.subject => self.approved(token, user, &consumer, callback).await,
            other => Ok(Answer::NotOpen(other)),
        }
    }

    /// The user denies, at an address. Repeated, it leads to the same place.
    pub async fn deny(&self, token: &Token, user: &User, address: IpAddr) -> Result<Answer, StoreError> {
        let question = self.decided(token, user, address, false).await?;
        match question {
            Question::Denied { consumer, callback } => Ok(match callback {
                Callback::Url(url) => Answer::Redirect(url.denied_redirect(token)),
                Callback::OutOfBand => Answer::DeniedOutOfBand {
                    consumer_name: consumer.name.clone(),
                },
            }),
            other => Ok(Answer::NotOpen(other)),
        }
    }

    /// The question after the user's decision, which counts if it was open.
    async fn decided(
        &self,
        token: &Token,
        user: &User,
        address: IpAddr,
        approves: bool,
    ) -> Result<Question, StoreError> {
        let question = self.question(token).await?;
        let Question::Open { .. } = question else {
            return Ok(question);
        };
        let (address, now) = (Some(address), self.clock.now());
        if !approves {
            self.store.deny_request_token(token, user, address, now).await?;
        } else if self
            .store
            .authorize_request_token(token, user, address, now)
            .await?
        {
            self.store.remember_user(user).await?;
        }
        self.question(token).await
    }

    async fn approved(
        &self,
        token: &Token,
        user: &User,
        consumer: &Consumer,
        callback: Callback,
    ) -> Result<Answer, StoreError> {
        let Some(verifier) = self.keyring.verifier(token, &user.subject) else {
            self.cache
                .check_foreign_token(&self.store, token.as_str())
                .await?;
            return Ok(Answer::NotOpen(Question::Unknown));
        };
        Ok(match callback {
            Callback::Url(url) => Answer::Redirect(url.authorized_redirect(token, &verifier)),
            Callback::OutOfBand => Answer::ShowVerifier {
                consumer_name: consumer.name.clone(),
                verifier,
            },
        })
    }
}

fn as_question(kept: RequestToken, consumer: Arc<Consumer>) -> Question {
    match kept.state {
        RequestTokenState::Pending => Question::Open {
            consumer,
            callback: kept.callback,
            expires_at: kept.expires_at,
        },
        RequestTokenState::Authorized { by } => Question::Approved {
            by,
            consumer,
            callback: kept.callback,
        },
        RequestTokenState::Denied => Question::Denied {
            consumer,
            callback: kept.callback,
        },
        RequestTokenState::Used { .. } => Question::Used,
    }
}

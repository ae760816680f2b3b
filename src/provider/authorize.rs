//! Authorization by the user (RFC 5849, section 2.2).

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{Consumer, RequestToken, RequestTokenState, User};
use crate::oauth::{Callback, Secret, Timestamp, Token};
use crate::store::StoreError;

use super::Provider;

/// An authorization request: what became of a request token until now (RFC 5849, section 2.2).
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum AuthorizationRequest {
    /// It has not expired, and its consumer is enabled. Its state is what the user decided, if a user did.
    Found(Arc<Consumer>, RequestToken),
    Expired,
    Unknown,
    /// The consumer with this name is disabled.
    ConsumerDisabled(String),
}

/// What a decision of the user leads to.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub enum AuthorizationOutcome {
    Redirect(String),
    /// Show the code, which the user carries to the consumer.
    ShowVerifier {
        consumer_name: String,
        verifier: Secret,
    },
    DeniedOutOfBand {
        consumer_name: String,
    },
    /// This user cannot decide it.
    NotPending(AuthorizationRequest),
}

impl Provider {
    /// When access that a user gives a consumer now would end.
    pub fn access_ends_at(&self, consumer: &Consumer) -> Timestamp {
        let token = self.rules.tokens.access_token_lifetime;
        let lifetime = if consumer.session_handles {
            token.max(self.rules.tokens.session_lifetime())
        } else {
            token
        };
        self.clock.now().plus(lifetime)
    }

    /// The authorization request of a request token.
    pub async fn authorization_request(&self, token: &Token) -> Result<AuthorizationRequest, StoreError> {
        let Some(kept) = self.store.request_token(token).await? else {
            return Ok(AuthorizationRequest::Unknown);
        };
        if kept.expires_at <= self.clock.now() {
            return Ok(AuthorizationRequest::Expired);
        }
        let Some(consumer) = self.cache.consumer(&kept.consumer).await? else {
            return Ok(AuthorizationRequest::Unknown);
        };
        if !consumer.enabled {
            return Ok(AuthorizationRequest::ConsumerDisabled(consumer.name.clone()));
        }
        Ok(AuthorizationRequest::Found(consumer, kept))
    }

    /// The user approves, at an address. Repeated by the same user, it leads to the same place.
    pub async fn approve(
        &self,
        token: &Token,
        user: &User,
        address: IpAddr,
    ) -> Result<AuthorizationOutcome, StoreError> {
        let (consumer, kept) = match self.decided(token, user, address, true).await? {
            AuthorizationRequest::Found(consumer, kept) if kept.is_approved_by(user) => (consumer, kept),
            other => return Ok(AuthorizationOutcome::NotPending(other)),
        };
        let Some(verifier) = self.keyring.verifier(token, &user.subject) else {
            self.cache.check_foreign_token(token.as_str()).await?;
            return Ok(AuthorizationOutcome::NotPending(AuthorizationRequest::Unknown));
        };
        let consumer_name = consumer.name.clone();
        Ok(match kept.callback {
            Callback::Url(url) => AuthorizationOutcome::Redirect(url.authorized_redirect(token, &verifier)),
            Callback::OutOfBand => AuthorizationOutcome::ShowVerifier {
                consumer_name,
                verifier,
            },
        })
    }

    /// The user denies, at an address. Repeated, it leads to the same place.
    pub async fn deny(
        &self,
        token: &Token,
        user: &User,
        address: IpAddr,
    ) -> Result<AuthorizationOutcome, StoreError> {
        let (consumer, kept) = match self.decided(token, user, address, false).await? {
            AuthorizationRequest::Found(consumer, kept) if kept.state == RequestTokenState::Denied => {
                (consumer, kept)
            }
            other => return Ok(AuthorizationOutcome::NotPending(other)),
        };
        let consumer_name = consumer.name.clone();
        Ok(match kept.callback {
            Callback::Url(url) => AuthorizationOutcome::Redirect(url.denied_redirect(token)),
            Callback::OutOfBand => AuthorizationOutcome::DeniedOutOfBand { consumer_name },
        })
    }

    /// The request after the user's decision, which counts if it was pending.
    async fn decided(
        &self,
        token: &Token,
        user: &User,
        address: IpAddr,
        approves: bool,
    ) -> Result<AuthorizationRequest, StoreError> {
        let request = self.authorization_request(token).await?;
        if !request.is_pending() {
            return Ok(request);
        }
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
        self.authorization_request(token).await
    }
}

impl AuthorizationRequest {
    /// Whether a user can decide.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Found(_, kept) if kept.state == RequestTokenState::Pending)
    }
}

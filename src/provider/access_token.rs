//! Token credentials: exchange (RFC 5849, section 2.3) and renewal (OAuth Session 1.0).

use std::net::IpAddr;

use crate::model::{
    AccessToken, Consumer, NewAccess, RequestToken, RequestTokenState, TokenSession, UNKNOWN_TOKEN,
    WRONG_HANDLE,
};
use crate::oauth::{Problem, RequestView, Secret, Token};

use super::authenticate::AuthenticatedRequest;
use super::cache::REPEATABLE;
use super::{Provider, ProviderError};

/// Token credentials, for the consumer alone.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct IssuedAccessToken {
    pub token: Token,
    pub secret: Secret,
    /// What the consumer can renew it with.
    pub renewal: Option<Renewal>,
}

/// The answer's part for consumers with session handles.
#[derive(Debug)]
pub struct Renewal {
    /// `oauth_expires_in`, in seconds.
    pub expires_in: i64,
    /// `oauth_session_handle`.
    pub handle: Secret,
    /// `oauth_authorization_expires_in`, in seconds.
    pub authorization_expires_in: i64,
}

impl Provider {
    /// Answers an access-token call: an exchange, or with a session handle a renewal.
    pub async fn issue_access_token(
        &self,
        view: &RequestView<'_>,
        peer: Option<IpAddr>,
    ) -> Result<IssuedAccessToken, ProviderError> {
        let credentials = async |signed: &AuthenticatedRequest| {
            let Some(token) = signed.request.token.clone() else {
                return Err(Problem::ParameterAbsent(vec!["oauth_token"]).into());
            };
            match (&signed.request.session_handle, &signed.request.verifier) {
                (Some(handle), _) => self.renew(signed, peer, &token, handle).await,
                (None, Some(_)) => self.exchange(signed, peer, &token).await,
                (None, None) => {
                    let absent = match self.store.access_token(&token).await? {
                        Some(_) => "oauth_session_handle",
                        None => "oauth_verifier",
                    };
                    Err(Problem::ParameterAbsent(vec![absent]).into())
                }
            }
        };
        self.issue(view, peer, credentials).await
    }

    async fn exchange(
        &self,
        signed: &AuthenticatedRequest,
        peer: Option<IpAddr>,
        token: &Token,
    ) -> Result<IssuedAccessToken, ProviderError> {
        let consumer = &signed.consumer;
        let kept = self.store.request_token(token).await?;
        let kept = kept.ok_or(Problem::TokenRejected(UNKNOWN_TOKEN))?;
        if let Some(issued) = self.repeated_exchange(signed, &kept, token).await? {
            return Ok(issued);
        }
        self.check_verifier(signed, &kept, token).await?;
        let now = self.clock.now();
        let session = consumer.session_handles.then(|| TokenSession {
            id: self.new_token().as_str().to_owned(),
            expires_at: now.plus(self.rules.tokens.session_lifetime()),
        });
        let new = self.keyring.derived_token(EXCHANGED, token);
        let access = NewAccess {
            issued_at: now,
            expires_at: now.plus(self.rules.tokens.access_token_lifetime),
            session,
        };
        let issued = self
            .store
            .exchange(token, &consumer.key, now, &new, &access, peer);
        if let Some(issued) = issued.await? {
            return Ok(self.issued(new, &issued));
        }
        // The same request won at another replica.
        let kept = self.store.request_token(token).await?.ok_or(Problem::TokenUsed)?;
        let issued = self.repeated_exchange(signed, &kept, token).await?;
        Ok(issued.ok_or(Problem::TokenUsed)?)
    }

    /// The answer to an exchange that was repeated within [`REPEATABLE`], because the first answer was lost on its way.
    async fn repeated_exchange(
        &self,
        signed: &AuthenticatedRequest,
        kept: &RequestToken,
        token: &Token,
    ) -> Result<Option<IssuedAccessToken>, ProviderError> {
        let RequestTokenState::Used { by } = &kept.state else {
            return Ok(None);
        };
        let verifier = self.keyring.verifier(token, &by.subject);
        if verifier.is_none() || verifier != signed.request.verifier {
            return Ok(None);
        }
        let now = self.clock.now();
        let found = self.find_derived(EXCHANGED, token).await?;
        let found = found.filter(|(_, issued)| {
            let is_recent = now < issued.connected_at.plus(REPEATABLE);
            is_recent && issued.check_use(&signed.consumer.key, now).is_ok()
        });
        Ok(found.map(|(new, issued)| self.issued(new, &issued)))
    }

    async fn check_verifier(
        &self,
        signed: &AuthenticatedRequest,
        kept: &RequestToken,
        token: &Token,
    ) -> Result<(), ProviderError> {
        let now = self.clock.now();
        let by = kept.check_exchange(&signed.consumer.key, now)?;
        let Some(verifier) = self.keyring.verifier(token, &by.subject) else {
            self.cache.check_foreign_token(token.as_str()).await?;
            return Err(Problem::TokenRejected(UNKNOWN_TOKEN).into());
        };
        if Some(&verifier) != signed.request.verifier.as_ref() {
            self.store
                .count_wrong_verifier(token, WRONG_VERIFIERS, now)
                .await?;
            return Err(WRONG_VERIFIER.into());
        }
        self.token_user(&by.subject).await.map(drop)
    }

    async fn renew(
        &self,
        signed: &AuthenticatedRequest,
        peer: Option<IpAddr>,
        old: &Token,
        handle: &Secret,
    ) -> Result<IssuedAccessToken, ProviderError> {
        let consumer = &signed.consumer;
        let now = self.clock.now();
        let Some(kept) = self.store.access_token(old).await? else {
            return self.repeated_renewal(consumer, old, handle).await;
        };
        let session = kept.check_renewal(&consumer.key)?;
        self.check_handle(session, handle).await?;
        session.check_end(now)?;
        self.token_user(&kept.user.subject).await?;
        let new = self.keyring.derived_token(RENEWED, old);
        let expires_at = now.plus(self.rules.tokens.access_token_lifetime);
        let by = &consumer.key;
        let renewed = self
            .store
            .renew(old, by, &session.id, &new, now, expires_at, peer);
        let Some(renewed) = renewed.await? else {
            // The same request won at another replica.
            return self.repeated_renewal(consumer, old, handle).await;
        };
        self.cache.remove_access_token(old);
        Ok(self.issued(new, &renewed))
    }

    /// The answer to a renewal that was repeated within [`REPEATABLE`], because the first answer was lost on its way.
    async fn repeated_renewal(
        &self,
        consumer: &Consumer,
        old: &Token,
        handle: &Secret,
    ) -> Result<IssuedAccessToken, ProviderError> {
        let since = self.clock.now().plus(1 - REPEATABLE);
        let renewed = self.store.access_token_or_renewed(old, since).await?;
        let renewed = renewed.ok_or(Problem::TokenRejected(UNKNOWN_TOKEN))?;
        let session = renewed.check_renewal(&consumer.key)?;
        self.check_handle(session, handle).await?;
        match self.find_derived(RENEWED, old).await? {
            Some((new, kept)) => Ok(self.issued(new, &kept)),
            None => Err(Problem::TokenRejected(UNKNOWN_TOKEN).into()),
        }
    }

    /// Finds the access token that was derived from another token, with whichever secret key was in front then.
    async fn find_derived(
        &self,
        purpose: &str,
        from: &Token,
    ) -> Result<Option<(Token, AccessToken)>, ProviderError> {
        for new in self.keyring.derived_tokens(purpose, from) {
            if let Some(found) = self.store.access_token(&new).await? {
                return Ok(Some((new, found)));
            }
        }
        Ok(None)
    }

    async fn check_handle(&self, session: &TokenSession, handle: &Secret) -> Result<(), ProviderError> {
        match self.keyring.session_handle(&session.id) {
            Some(own) if own == *handle => return Ok(()),
            Some(_) => {}
            None => self.cache.check_foreign_token(&session.id).await?,
        }
        Err(WRONG_HANDLE.into())
    }

    fn issued(&self, token: Token, kept: &AccessToken) -> IssuedAccessToken {
        let secret = self.secret_of(&token);
        let renewal = kept.session.as_ref().and_then(|session| {
            Some(Renewal {
                expires_in: kept.expires_at.seconds() - kept.issued_at.seconds(),
                handle: self.keyring.session_handle(&session.id)?,
                authorization_expires_in: session.expires_at.seconds() - kept.issued_at.seconds(),
            })
        });
        IssuedAccessToken {
            token,
            secret,
            renewal,
        }
    }
}

const WRONG_VERIFIER: Problem =
    Problem::TokenRejected("The verifier is not the one that the user was given.");

const EXCHANGED: &str = "access-token";
const RENEWED: &str = "renewed-token";

/// Signed exchanges with a wrong verifier that a request token survives, plus one.
const WRONG_VERIFIERS: u32 = 5;

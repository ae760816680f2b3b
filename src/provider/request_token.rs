//! Issues temporary credentials (RFC 5849, section 2.1).

use std::net::IpAddr;

use crate::model::{Consumer, RequestToken, RequestTokenState};
use crate::oauth::{Callback, Problem, RequestView, Secret, Token, TokenCredentials, VerifiedRequest};

use super::authenticate::AuthenticatedRequest;
use super::{Provider, ProviderError};

impl Provider {
    /// Answers a request-token call.
    pub async fn issue_request_token(
        &self,
        view: &RequestView<'_>,
        peer: Option<IpAddr>,
    ) -> Result<TokenCredentials, ProviderError> {
        let credentials = async |signed: &AuthenticatedRequest| {
            if signed.request.token.is_some() {
                let why = "Leave oauth_token out of this call.";
                return Err(Problem::parameter_rejected("oauth_token", why).into());
            }
            let callback = callback(&signed.request, &signed.consumer)?;
            let now = self.clock.now();
            let live = self.store.live_request_tokens(&signed.consumer.key, now).await?;
            if live >= MAX_LIVE {
                return Err(TOO_MANY.into());
            }
            let token = self.new_token();
            let kept = RequestToken {
                consumer: signed.consumer.key.clone(),
                callback,
                issued_at: now,
                expires_at: now.plus(self.rules.tokens.request_token_lifetime),
                wrong_verifiers: 0,
                state: RequestTokenState::Pending,
            };
            self.store.add_request_token(&token, &kept).await?;
            let secret = self.secret_of(&token);
            Ok(TokenCredentials { token, secret })
        };
        self.issue(view, peer, credentials).await
    }

    /// The secret of a token that we have just made.
    pub(super) fn secret_of(&self, token: &Token) -> Secret {
        self.keyring
            .token_secret(token)
            .expect("a new token names a key of this keyring")
    }
}

/// The callback of this call: the consumer's own, or its configured default; never none, which was OAuth 1.0.
fn callback(request: &VerifiedRequest, consumer: &Consumer) -> Result<Callback, Problem> {
    let Some(text) = &request.callback else {
        let absent = || Problem::ParameterAbsent(vec!["oauth_callback"]);
        return consumer.default_callback.clone().ok_or_else(absent);
    };
    let callback = Callback::parse(text)?;
    if let Callback::Url(url) = &callback
        && !consumer.callbacks.iter().any(|pattern| pattern.allows(url))
    {
        return Err(Problem::parameter_rejected("oauth_callback", NOT_ALLOWED));
    }
    Ok(callback)
}

/// Live request tokens that a consumer may have at a time.
const MAX_LIVE: u64 = 1000;
const TOO_MANY: Problem =
    Problem::ConsumerKeyRefused("Too many unanswered requests: try again in some minutes.");
const NOT_ALLOWED: &str = "This callback is not one of the consumer's callbacks: add its scheme, host and port in linkgate's configuration.";

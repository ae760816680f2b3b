//! The dance, as Application Links do it (RFC 5849, section 2).

use std::fmt;

use http::Method;

use crate::demo::form;
use crate::demo::wire::Exchange;
use crate::oauth::{Secret, Token, TokenCredentials, TokenParameter, UnsignedRequest};

use super::Bitbucket;
use super::calls::CallError;
use super::link::{Access, LinkKind};
use super::refusal::Refusal;
use super::signed::{self, Placement};

/// A token call, its answer, and what Bitbucket made of it.
#[derive(Clone, Debug)]
pub struct Attempt<T> {
    /// What went over the wire.
    pub exchange: Exchange,
    /// What was won.
    pub outcome: Result<T, Trouble>,
}

/// Why a token call won nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The provider said no.
    Refused(Refusal),
    /// The provider's answer counts as success and is not what was asked for.
    Unreadable(&'static str),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "Refused with {}.", refusal.problem()),
            Self::Unreadable(why) => f.write_str(why),
        }
    }
}

impl Bitbucket {
    /// Where a user starts a dance.
    pub fn connect_url(&self, kind: LinkKind) -> String {
        format!(
            "{}{AUTHORIZE}?applicationLinkID={}",
            self.base().as_str(),
            kind.id()
        )
    }

    /// Asks for a request token, and keeps it until the browser comes back.
    pub async fn ask_request_token(&self, kind: LinkKind) -> Result<Attempt<Token>, CallError> {
        let callback = ("oauth_callback", self.callback(kind));
        let exchange = self
            .token_call(kind, "request-token", TokenParameter::Absent, callback)
            .await?;
        let outcome = won(&exchange).and_then(|pairs| {
            if form::value(&pairs, "oauth_callback_confirmed") != Some("true") {
                return Err(Trouble::Unreadable(
                    "oauth_callback_confirmed is not exactly `true`.",
                ));
            }
            let (token, secret) = credentials(&pairs)?;
            self.link(kind).keep_asked(token.clone(), secret);
            Ok(token)
        });
        Ok(Attempt { exchange, outcome })
    }

    /// Where the browser goes next. The `?` is appended blindly, and the callback is named once more for nothing.
    pub fn authorize_url(&self, kind: LinkKind, token: &Token) -> String {
        let pairs = [
            ("oauth_token", token.as_str()),
            ("oauth_callback", &self.callback(kind)),
        ];
        let authorize = format!("{}{}/authorize", self.linkgate().as_str(), kind.endpoints());
        authorize + "?" + &form::strict(&pairs)
    }

    /// Where the browser comes back: it has a query of its own already.
    pub fn callback(&self, kind: LinkKind) -> String {
        format!("{}{ACCESS}?applicationLinkID={}", self.base().as_str(), kind.id())
    }

    /// Exchanges a request token of ours; the access token is kept in the link.
    pub async fn exchange(
        &self,
        kind: LinkKind,
        (token, secret): &(Token, Secret),
        verifier: &str,
    ) -> Result<Attempt<Access>, CallError> {
        let credentials = TokenParameter::Token(TokenCredentials {
            token: token.clone(),
            secret: secret.clone(),
        });
        let verifier = ("oauth_verifier", verifier.to_owned());
        let exchange = self
            .token_call(kind, "access-token", credentials, verifier)
            .await?;
        Ok(self.keep_won(kind, exchange))
    }

    /// Renews the access token (OAuth Session 1.0). Bitbucket itself never does; other consumers do.
    pub async fn renew(
        &self,
        kind: LinkKind,
        held: &Access,
        handle: &str,
    ) -> Result<Attempt<Access>, CallError> {
        let (token, secret) = (held.token.clone(), held.secret.clone());
        let credentials = TokenParameter::Token(TokenCredentials { token, secret });
        let handle = ("oauth_session_handle", handle.to_owned());
        let exchange = self.token_call(kind, "access-token", credentials, handle).await?;
        Ok(self.keep_won(kind, exchange))
    }

    fn keep_won(&self, kind: LinkKind, exchange: Exchange) -> Attempt<Access> {
        let outcome = won(&exchange).and_then(|pairs| {
            let (token, secret) = credentials(&pairs)?;
            let handle = form::value(&pairs, "oauth_session_handle").map(Secret::new);
            let access = Access {
                token,
                secret,
                handle,
            };
            self.link(kind).keep_access(access.clone());
            Ok(access)
        });
        Attempt { exchange, outcome }
    }

    async fn token_call(
        &self,
        kind: LinkKind,
        endpoint: &str,
        token: TokenParameter,
        (name, value): (&'static str, String),
    ) -> Result<Exchange, CallError> {
        let url = format!("{}{}/{endpoint}", self.linkgate().as_str(), kind.endpoints());
        let request = UnsignedRequest::new(Method::POST, url)
            .token(token)
            .parameter(name, value);
        let call = signed::sign(&self.link(kind).signer, &request, Placement::Body, &self.0.clock)?;
        Ok(call.send().await?)
    }
}

fn won(exchange: &Exchange) -> Result<Vec<(String, String)>, Trouble> {
    match Refusal::read(exchange) {
        Some(refusal) => Err(Trouble::Refused(refusal)),
        None => Ok(form::read(&exchange.body)),
    }
}

fn credentials(pairs: &[(String, String)]) -> Result<(Token, Secret), Trouble> {
    let token = form::value(pairs, "oauth_token").and_then(Token::parse);
    let token = token.ok_or(Trouble::Unreadable("The answer has no oauth_token."))?;
    let secret = form::value(pairs, "oauth_token_secret").map(Secret::new);
    let secret = secret.ok_or(Trouble::Unreadable("The answer has no oauth_token_secret."))?;
    Ok((token, secret))
}

/// Where Bitbucket starts a dance.
pub(super) const AUTHORIZE: &str = "/plugins/servlet/applinks/oauth/login-dance/authorize";
/// Where the browser comes back.
pub(super) const ACCESS: &str = "/plugins/servlet/applinks/oauth/login-dance/access";

//! Guarded calls: as the user who connected, as the application (2LO), and in the name of a user (2LO with impersonation).

use http::Method;

use crate::demo::form;
use crate::demo::wire::{Call, Exchange, WireError};
use crate::oauth::{RequestSigner, SignError, Token, TokenCredentials, TokenParameter, UnsignedRequest};

use super::Bitbucket;
use super::link::{Access, Link, LinkKind};
use super::refusal::Reaction;
use super::signed::{self, Placement};

/// As whom to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As<'a> {
    /// The user who connected the link.
    Me,
    /// The application itself (2LO).
    Application,
    /// A user whom the application names in the signed query (2LO with impersonation).
    InTheNameOf(&'a str),
}

/// What to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    method: Method,
    target: String,
    form: String,
}

/// A call that is ready to leave.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What leaves.
    pub call: Call,
    /// The user's token in it; `None`: two-legged.
    token: Option<Token>,
}

/// Why a call could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody has connected this link, or its token was dropped.
    #[error("the link is not connected")]
    NotConnected,
    /// The URL or the form cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// There is no answer.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl Wanted {
    /// A GET of a raw path and query.
    pub fn get(target: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            target: target.into(),
            form: String::new(),
        }
    }

    /// A form POST, a space written as `+`.
    pub fn post(target: impl Into<String>, pairs: &[(&str, &str)]) -> Self {
        Self {
            method: Method::POST,
            target: target.into(),
            form: form::plus(pairs),
        }
    }
}

impl Bitbucket {
    /// Makes a call ready to leave, signed for now.
    ///
    /// Two-legged calls carry an empty `oauth_token`, present and signed, and are signed with Bitbucket's own key, also
    /// on a link that was made with the generic form.
    pub fn prepare(&self, kind: LinkKind, caller: As<'_>, wanted: &Wanted) -> Result<Prepared, CallError> {
        match caller {
            As::Me => self.three_legged(self.link(kind), wanted),
            As::Application => self.two_legged(wanted, &wanted.target),
            As::InTheNameOf(user) => {
                let separator = if wanted.target.contains('?') { '&' } else { '?' };
                let requestor = form::strict(&[("xoauth_requestor_id", user)]);
                self.two_legged(wanted, &format!("{}{separator}{requestor}", wanted.target))
            }
        }
    }

    /// Sends a call, and acts on the answer: three problems cost the link the token that was in the call.
    pub async fn send(&self, kind: LinkKind, prepared: &Prepared) -> Result<(Exchange, Reaction), CallError> {
        let exchange = prepared.call.send().await?;
        let reaction = Reaction::to(&exchange);
        if let (Reaction::DropToken, Some(token)) = (reaction, &prepared.token) {
            self.link(kind).drop_access(token);
        }
        Ok((exchange, reaction))
    }

    /// Prepares and sends.
    pub async fn call(
        &self,
        kind: LinkKind,
        caller: As<'_>,
        wanted: &Wanted,
    ) -> Result<(Exchange, Reaction), CallError> {
        let prepared = self.prepare(kind, caller, wanted)?;
        self.send(kind, &prepared).await
    }

    fn three_legged(&self, link: &Link, wanted: &Wanted) -> Result<Prepared, CallError> {
        let Access { token, secret, .. } = link.access().ok_or(CallError::NotConnected)?;
        let credentials = TokenParameter::Token(TokenCredentials {
            token: token.clone(),
            secret,
        });
        let call = self.seal(&link.signer, wanted, &wanted.target, credentials)?;
        Ok(Prepared {
            call,
            token: Some(token),
        })
    }

    fn two_legged(&self, wanted: &Wanted, target: &str) -> Result<Prepared, CallError> {
        let own = &self.link(LinkKind::OwnKey).signer;
        let call = self.seal(own, wanted, target, TokenParameter::Empty)?;
        Ok(Prepared { call, token: None })
    }

    fn seal(
        &self,
        signer: &RequestSigner,
        wanted: &Wanted,
        target: &str,
        token: TokenParameter,
    ) -> Result<Call, CallError> {
        let url = format!("{}{target}", self.linkgate().origin());
        let request = UnsignedRequest::new(wanted.method.clone(), url)
            .form(wanted.form.clone())
            .token(token);
        Ok(signed::sign(signer, &request, Placement::Header, &self.0.clock)?)
    }
}

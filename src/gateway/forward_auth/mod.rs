//! Verdicts for a front proxy that carries the request itself: nginx, Traefik, Caddy, Envoy.
//!
//! The proxy asks about each request in a sub-request of its own. The answer is a status and the headers that say who
//! calls, never a body. The way of a question through this folder:
//!
//! 1. [`ProxyKind`]: in which words the proxy asks; `original`: the client's request, read out of them;
//! 2. `body`: what is known of the client's body. A form that was not original is never taken for signed;
//! 3. `repeats`: what nginx asks twice about one request is answered twice the same;
//! 4. `answer`: the verdict, in the words that the proxy understands.
//!
//! Who may sign and which routes need it is what the [`SignatureCheck`](super::SignatureCheck) goes by, too.

mod client_body;
mod sub_request;
mod verdict;
mod verdict_cache;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use http::request::Parts;
use http::{Request, Response, StatusCode};

use super::assertion::Assertion;
use super::error::{ErrorFormat, GatewayError};
use super::routes::{METHOD_OVERRIDES, RouteMode};
use super::signature_check::{Authorization, GuardOptions, Rejection};
use super::{identity_headers, onward};
use crate::clock::Clock;
use crate::provider::Caller;

use client_body::ClientBody;
use sub_request::OriginalRequest;
use verdict_cache::{RequestFingerprint, VerdictCache};

pub use sub_request::AskedAbout;

/// In which words a front proxy asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// nginx's `auth_request`: `X-Original-URL`, `X-Original-Method`, `X-Request-Id`, and `X-Real-IP`.
    Nginx,
    /// Traefik's `ForwardAuth` and Caddy's `forward_auth`: `X-Forwarded-Method`, `-Uri`, `-Host`, `-Proto` and `-For`.
    XForwarded,
    /// Envoy's `ext_authz`: the request itself, its path behind [`ProxyKind::ENVOY_PREFIX`], with its body if configured.
    Envoy,
}

impl ProxyKind {
    /// What stands before the path that Envoy asks about: its `path_prefix`.
    pub const ENVOY_PREFIX: &str = "/forward-auth/envoy";

    /// In which words is asked at a path; `None`: it is no endpoint of ours.
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "/forward-auth/nginx" => Some(Self::Nginx),
            "/forward-auth" => Some(Self::XForwarded),
            _ => match path.strip_prefix(Self::ENVOY_PREFIX) {
                // Envoy puts the path that it asks about behind ours, byte for byte.
                Some("") => Some(Self::Envoy),
                Some(behind) if behind.starts_with('/') => Some(Self::Envoy),
                _ => None,
            },
        }
    }

    /// The status that lets a request pass. For Envoy every other one than 200 refuses, also 204.
    const fn admits(self) -> StatusCode {
        match self {
            Self::Nginx | Self::XForwarded => StatusCode::NO_CONTENT,
            Self::Envoy => StatusCode::OK,
        }
    }
}

/// Answers the questions of front proxies.
#[derive(Clone, Debug)]
pub struct ForwardAuth {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    guard: GuardOptions,
    assertion: Option<Arc<Assertion>>,
    clock: Clock,
    verdict_cache: VerdictCache,
}

impl ForwardAuth {
    /// Takes what the guard goes by, and what signs an assertion if there is to be one.
    pub fn new(guard: GuardOptions, assertion: Option<Arc<Assertion>>, clock: Clock) -> Self {
        let shared = Shared {
            guard,
            assertion,
            clock,
            verdict_cache: VerdictCache::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Answers one question.
    ///
    /// 204 (for Envoy 200) lets the client's request pass, and its headers say as whom: an identity header without a value overwrites what
    /// the client may have sent. Every other answer refuses, as the guard would, in words that the proxy passes on.
    pub async fn answer(&self, kind: ProxyKind, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let (sub, body) = request.into_parts();
        let accepted = ErrorFormat::by(&sub.headers);
        let shared = &self.shared;
        let original = match shared.read(kind, sub, peer.ip()) {
            Ok(original) => original,
            Err(fault) => return shared.refuse(kind, &fault.into(), accepted),
        };
        let verdict = shared.judge(kind, &original, body, peer.ip()).await;
        let answer = verdict.and_then(|caller| Ok(shared.pass(kind, &original, caller.as_ref())?));
        let mut answer = answer.unwrap_or_else(|refusal| shared.refuse(kind, &refusal, accepted));
        answer.extensions_mut().insert(original.asked());
        answer
    }
}

impl Shared {
    /// The client's request, from a proxy whose word counts.
    fn read(&self, kind: ProxyKind, sub: Parts, peer: IpAddr) -> Result<OriginalRequest, GatewayError> {
        if !self.guard.front.trusts(peer) {
            return Err(GatewayError::StrangeProxy(peer.to_canonical()));
        }
        onward::refuse_codings(&sub.headers)?;
        let original = OriginalRequest::read(kind, sub)?;
        // Envoy removes them; no other proxy can name every spelling.
        if kind != ProxyKind::Envoy
            && let Some(name) = self.guard.identity.unexpected(&original.head.headers).next()
        {
            tracing::warn!(
                header = name.as_str(),
                "a request that says itself who sends it is refused"
            );
            return Err(GatewayError::Ambiguous(
                "A header says who sends the request, which is not its sender's to say.",
            ));
        }
        Ok(original)
    }

    /// Who sends the client's request, if it may pass; `None`: nobody.
    async fn judge(
        &self,
        kind: ProxyKind,
        original: &OriginalRequest,
        body: Body,
        peer: IpAddr,
    ) -> Result<Option<Caller>, Rejection> {
        let (guard, head) = (&self.guard, &original.head);
        let origin = guard.front.origin(head, Some(peer))?;
        let mode = guard.routes.mode(&head.method, head.uri.path(), &head.headers);
        if mode == RouteMode::None {
            return Ok(None);
        }
        let body = ClientBody::read(kind, original, guard.form, body).await?;
        let authorization = Authorization::of(head);
        let view = origin.view(head, authorization.fields(), body.form());
        body.refuse_unseen(&view)?;
        let client = origin.client.filter(|_| original.names_client);
        let question = original
            .id
            .as_ref()
            .map(|id| RequestFingerprint::about(&view, id, peer, client));
        let recalled = question.and_then(|question| self.verdict_cache.recall(question, self.clock.now()));
        if let Some(caller) = recalled {
            refuse_override(head)?;
            return Ok(Some(caller));
        }
        let Some(judged) = guard.provider.judge(&view, client).await? else {
            return match mode {
                RouteMode::OAuth => Err(Rejection::Challenge),
                RouteMode::OAuthOrPassthrough | RouteMode::None => Ok(None),
            };
        };
        refuse_override(head)?;
        body.check(&judged, &head.headers, guard.form).await?;
        let caller = guard.provider.admit(judged).await?;
        if let Some(question) = question {
            self.verdict_cache.remember(question, &caller, self.clock.now());
        }
        Ok(Some(caller))
    }
}

/// No header may make another method of the one that was signed. The guard takes such headers away; here they would travel
/// on.
fn refuse_override(head: &Parts) -> Result<(), GatewayError> {
    let mut overriding = head
        .headers
        .iter()
        .filter(|(name, _)| METHOD_OVERRIDES.contains(&&*identity_headers::normalize(name.as_str())));
    if overriding.all(|(_, value)| value == head.method.as_str()) {
        return Ok(());
    }
    Err(GatewayError::Ambiguous(
        "A header names another method than the one that was signed.",
    ))
}

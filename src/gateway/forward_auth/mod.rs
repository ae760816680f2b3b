//! Forward authentication: decides for a front proxy (nginx, Traefik, Caddy, Envoy) that forwards the request itself.
//!
//! The proxy sends a sub-request for each request of a client. The response has a status and identity headers, and no
//! body for the upstream.
//!
//! * `sub_request`: the original request, read from a sub-request;
//! * `client_body`: the client's body, as far as it was forwarded;
//! * `verdict_cache`: the repeated sub-requests of nginx;
//! * `verdict`: the response that each kind of proxy understands.

mod client_body;
mod sub_request;
mod verdict;
mod verdict_cache;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use http::request::Parts;
use http::{Request, Response};

use super::assertion::Assertion;
use super::body_limits;
use super::error::{ErrorFormat, GatewayError};
use super::origin;
use super::routes::{self, RouteMode};
use super::signature_check::{self, SignatureCheck, SignatureCheckError};
use crate::clock::Clock;
use crate::provider::{Caller, ProviderError};

use client_body::ClientBody;
use sub_request::OriginalRequest;
use verdict_cache::{RequestFingerprint, VerdictCache};

pub use sub_request::AskedAbout;

/// The kinds of front proxies, by the headers of their sub-requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// nginx's `auth_request`: `X-Original-URL`, `X-Original-Method`, `X-Request-Id`, and `X-Real-IP`.
    Nginx,
    /// Traefik's `ForwardAuth` and Caddy's `forward_auth`: `X-Forwarded-Method`, `-Uri`, `-Host`, `-Proto` and `-For`.
    XForwarded,
    /// Envoy's `ext_authz`: the request itself, its path after [`ProxyKind::ENVOY_PREFIX`], with its body if configured.
    Envoy,
}

impl ProxyKind {
    /// The `path_prefix` of Envoy's sub-requests. The client's path follows, byte for byte.
    pub const ENVOY_PREFIX: &str = "/forward-auth/envoy";
}

/// Answers the sub-requests of front proxies.
#[derive(Clone, Debug)]
pub struct ForwardAuth {
    check: Arc<SignatureCheck>,
    assertion: Option<Arc<Assertion>>,
    clock: Clock,
    verdicts: VerdictCache,
}

impl ForwardAuth {
    /// Takes what the check depends on, and what signs the assertion if one is wanted.
    pub fn new(check: SignatureCheck, assertion: Option<Arc<Assertion>>, clock: Clock) -> Self {
        Self {
            check: Arc::new(check),
            assertion,
            clock,
            verdicts: VerdictCache::new(),
        }
    }

    /// Answers one sub-request of `peer`.
    ///
    /// 204 (for Envoy 200) allows the client's request; its identity headers replace those of the client, and are empty
    /// if there is no identity. Every other response denies it, as the signature check would.
    pub async fn answer(&self, kind: ProxyKind, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let (sub_request, body) = request.into_parts();
        let format = ErrorFormat::of(&sub_request);
        let deny = |rejection| verdict::deny(kind, &rejection, self.check.provider.realm(), format);
        let original = match self.original_request(kind, sub_request, peer.ip()) {
            Ok(original) => original,
            Err(error) => return deny(error.into()),
        };
        let verdict = self.verify(kind, &original, body, peer.ip()).await;
        let verdict = verdict.and_then(|caller| Ok(self.allow(kind, &original, caller.as_ref())?));
        let mut response = verdict.unwrap_or_else(deny);
        let asked_about = AskedAbout(original.head.method, original.head.uri);
        response.extensions_mut().insert(asked_about);
        response
    }

    fn original_request(
        &self,
        kind: ProxyKind,
        sub_request: Parts,
        peer: IpAddr,
    ) -> Result<OriginalRequest, GatewayError> {
        if !self.check.public_urls.trusted_proxies.contains(peer) {
            return Err(GatewayError::UntrustedProxy(peer.to_canonical()));
        }
        body_limits::check_transfer_encoding(&sub_request.headers)?;
        let original = OriginalRequest::read(kind, sub_request)?;
        // Envoy removes the headers that a verdict lists; the other proxies do not.
        if kind != ProxyKind::Envoy
            && let Some(name) = self.check.identity.unexpected(&original.head.headers).next()
        {
            tracing::warn!(
                header = name.as_str(),
                "a request that says itself who sends it is refused"
            );
            return Err(GatewayError::Ambiguous(SAYS_WHO));
        }
        Ok(original)
    }

    /// Verifies the original request. `None` if it may pass without OAuth.
    async fn verify(
        &self,
        kind: ProxyKind,
        original: &OriginalRequest,
        body: Body,
        peer: IpAddr,
    ) -> Result<Option<Caller>, SignatureCheckError> {
        let (check, head) = (&self.check, &original.head);
        let origin = check.public_urls.origin(head, Some(peer))?;
        let mode = check.routes.mode(&head.method, head.uri.path(), &head.headers);
        if mode == RouteMode::None {
            return Ok(None);
        }
        let authorization = origin::authorization(&head.headers);
        let is_signed = origin.view(head, &authorization, None).is_signed();
        let body = ClientBody::read(kind, original, check.body_limits, body, is_signed).await?;
        let view = origin.view(head, &authorization, body.form());
        if let Some((request, problem)) = body.not_forwarded(&view).map_err(ProviderError::from)? {
            return Err(check.provider.refuse(&request, problem).await.into());
        }
        let client = origin.client.filter(|_| original.names_client);
        let id = original.request_id.as_ref();
        let fingerprint = id.map(|id| RequestFingerprint::new(&view, id, peer, client));
        if let Some(caller) = fingerprint.and_then(|asked| self.verdicts.get(asked, self.clock.now())) {
            check_method(head)?;
            return Ok(Some(caller));
        }
        let Some(call) = check.provider.authenticate_call(&view, client).await? else {
            return signature_check::unsigned(mode).map(|()| None);
        };
        check_method(head)?;
        if kind != ProxyKind::Envoy && check.identity.unverified(&head.headers).next().is_some() {
            return Err(GatewayError::Ambiguous(SAYS_WHO).into());
        }
        body_limits::check_media_type(&head.headers)?;
        body.check_hash(&call, &head.headers, check.body_limits).await?;
        let caller = check.provider.accept_call(call).await?;
        if let Some(fingerprint) = fingerprint {
            self.verdicts
                .insert(fingerprint, caller.clone(), self.clock.now());
        }
        Ok(Some(caller))
    }
}

/// Rejects a method in lower case, and headers that replace the method: unlike the gateway, a front proxy forwards them to the
/// upstream.
fn check_method(head: &Parts) -> Result<(), GatewayError> {
    let signed = signature_check::signed_method(&head.method);
    let why = if signed != head.method {
        "Methods are case-sensitive: send the method in capitals."
    } else if routes::method_overrides(&head.headers).any(|method| method != signed.as_str()) {
        "A header names another method than the one that was signed."
    } else {
        return Ok(());
    };
    Err(GatewayError::Ambiguous(why))
}

const SAYS_WHO: &str = "A header says who sends the request, which is not its sender's to say.";

//! The signature check: middleware that verifies the OAuth signature of a request before it reaches the application.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use super::body_limits::{self, BodyLimits};
use super::error::{ErrorFormat, GatewayError};
use super::identity_headers::IdentityHeaders;
use super::origin::{self, PublicUrls, RequestOrigin};
use super::routes::{RouteMode, Routes};
use crate::oauth::header;
use crate::provider::{self, Caller, Provider};

/// What the check of a request depends on.
#[derive(Clone, Debug)]
pub struct SignatureCheck {
    /// Verifies signatures and records nonces.
    pub provider: Arc<Provider>,
    /// The URLs that consumers sign, and the trusted proxies.
    pub public_urls: PublicUrls,
    /// Which requests need OAuth.
    pub routes: Routes,
    /// The headers that only linkgate may write.
    pub identity: Arc<IdentityHeaders>,
    /// Limits for bodies that are signed.
    pub body_limits: BodyLimits,
}

/// Checks a request, then calls the application: for `axum::middleware::from_fn_with_state`.
/// `config/examples/middleware` is a complete program.
///
/// Identity headers are removed from the request. Its extensions hold the [`RequestOrigin`] and, if a signed call was
/// accepted, the [`Caller`], which is also in the response's extensions. The peer's address is that of [`ConnectInfo`];
/// without it no proxy is trusted. A request that is rejected does not reach the application.
pub async fn signature_check(
    State(check): State<Arc<SignatureCheck>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| peer.ip());
    let Checked { origin, caller, body } = match check.check(&mut parts, peer, body).await {
        Ok(checked) => checked,
        Err(rejection) => return rejection,
    };
    parts.extensions.insert(origin);
    let Some(caller) = caller else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    parts.extensions.insert(caller.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    response.extensions_mut().insert(caller);
    response
}

/// A request that may pass, apart from its head.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) origin: RequestOrigin,
    /// `None` for a request without OAuth.
    pub(super) caller: Option<Caller>,
    pub(super) body: Body,
}

impl SignatureCheck {
    /// Checks a request of `peer` and removes the identity headers from its head. The response of a rejected request has
    /// the [`RequestOrigin`] in its extensions, if it could be determined.
    pub(super) async fn check(
        &self,
        parts: &mut Parts,
        peer: Option<IpAddr>,
        body: Body,
    ) -> Result<Checked, Response> {
        self.identity.strip(&mut parts.headers);
        parts.extensions.remove::<Caller>();
        let origin = body_limits::check_transfer_encoding(&parts.headers)
            .and_then(|()| self.public_urls.origin(parts, peer))
            .map_err(|error| error.to_response(ErrorFormat::of(parts)))?;
        match self.verify(parts, &origin, body).await {
            Ok((caller, body)) => Ok(Checked { origin, caller, body }),
            Err(rejection) => {
                let format = ErrorFormat::of(parts);
                let mut response = rejection.to_response(self.provider.realm(), format);
                response.extensions_mut().insert(origin);
                Err(response)
            }
        }
    }

    /// Verifies the signature, and the signed hash of the body if there is one
    /// (draft-eaton-oauth-bodyhash-00g, section 4.1.2). The nonce is recorded last, so that only a valid call uses it.
    async fn verify(
        &self,
        parts: &Parts,
        origin: &RequestOrigin,
        body: Body,
    ) -> Result<(Option<Caller>, Body), Rejection> {
        let mode = self.routes.mode(&parts.method, parts.uri.path(), &parts.headers);
        if mode == RouteMode::None {
            return Ok((None, body));
        }
        let (form, mut body) = match self.body_limits.read_form(&parts.headers, body).await? {
            Ok(form) => (Some(form.clone()), Body::from(form)),
            Err(body) => (None, body),
        };
        let authorization = origin::authorization(&parts.headers);
        let view = origin.view(parts, &authorization, form.as_deref());
        let Some(call) = self.provider.judge(&view, origin.client).await? else {
            return unsigned(mode).map(|()| (None, body));
        };
        if call.has_body_hash() {
            let buffered = self.body_limits.buffer(&parts.headers, body).await?;
            call.check_body(&buffered)?;
            body = Body::from(buffered);
        }
        Ok((Some(self.provider.admit(call).await?), body))
    }
}

/// Decides on a request without OAuth.
pub(super) fn unsigned(mode: RouteMode) -> Result<(), Rejection> {
    match mode {
        RouteMode::OAuth => Err(Rejection::Challenge),
        RouteMode::OAuthOrPassthrough | RouteMode::None => Ok(()),
    }
}

/// Why a request does not pass.
#[derive(Debug, thiserror::Error)]
pub(super) enum Rejection {
    /// The request itself is wrong, or linkgate failed.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The consumer's signature or token is not accepted.
    #[error(transparent)]
    Provider(#[from] provider::Error),
    /// The route needs OAuth, and the request is not signed.
    #[error("the request is not signed")]
    Challenge,
}

impl Rejection {
    /// The response to the client. A challenge names no problem, since nothing was tried (RFC 5849, section 3.5.1).
    pub(super) fn to_response(&self, realm: &str, format: ErrorFormat) -> Response {
        match self {
            Self::Gateway(error) => error.to_response(format),
            Self::Provider(error) => error.to_response(realm).map(Body::from),
            Self::Challenge => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                if let Ok(challenge) = HeaderValue::try_from(header::challenge(realm, None)) {
                    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                }
                response
            }
        }
    }
}

//! The signature check: verifies the OAuth signature of a request before it reaches the application.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Method, StatusCode};

use super::body_limits::{self, BodyLimits};
use super::error::{ErrorFormat, GatewayError};
use super::identity_headers::IdentityHeaders;
use super::origin::{self, PublicUrls, RequestOrigin};
use super::routes::{RouteMode, Routes};
use crate::oauth::authorization_header;
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

/// A request that may reach the application.
#[derive(Debug)]
pub struct CheckedRequest {
    /// The head of the request, without identity headers.
    pub head: Parts,
    /// The body; buffered if the signature covers it.
    pub body: Body,
    /// The public URL and the client.
    pub origin: RequestOrigin,
    /// Who made the signed call; `None` for a request without OAuth.
    pub caller: Option<Caller>,
}

impl SignatureCheck {
    /// Checks a request and removes the identity headers from its head. The peer's address is that of [`ConnectInfo`];
    /// without it no proxy is trusted. The error is the response to a request that must not reach the application, with the
    /// [`RequestOrigin`] in its extensions if it is known. `config/examples/middleware` uses it as middleware.
    pub async fn check(&self, request: Request) -> Result<CheckedRequest, Response> {
        let (mut head, body) = request.into_parts();
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(peer)| peer.ip());
        let origin = body_limits::check_transfer_encoding(&head.headers)
            .and_then(|()| self.public_urls.origin(&head, peer))
            .and_then(RequestOrigin::check_loop)
            .map_err(|error| error.to_response(ErrorFormat::of(&head)))?;
        let authorization = origin::authorization(&head.headers);
        let is_signed = origin.view(&head, &authorization, None).is_signed();
        match self.verify(&head, &origin, body, is_signed).await {
            Ok((caller, body)) => {
                let is_by_proxy = caller.is_none() && !is_signed && origin.is_trusted_peer;
                self.identity.strip(&mut head.headers, is_by_proxy);
                if caller.is_some() {
                    head.method = signed_method(&head.method);
                }
                Ok(CheckedRequest {
                    head,
                    body,
                    origin,
                    caller,
                })
            }
            Err(rejection) => {
                let mut response = rejection.to_response(self.provider.realm(), ErrorFormat::of(&head));
                response.extensions_mut().insert(origin);
                Err(response)
            }
        }
    }

    /// Verifies the signature, and the signed hash of the body if there is one
    /// (draft-eaton-oauth-bodyhash-00g, section 4.1.2). The nonce is recorded last, so that only a valid call uses it.
    async fn verify(
        &self,
        head: &Parts,
        origin: &RequestOrigin,
        body: Body,
        is_signed: bool,
    ) -> Result<(Option<Caller>, Body), SignatureCheckError> {
        let mode = self.routes.mode(&head.method, head.uri.path(), &head.headers);
        if mode == RouteMode::None {
            return Ok((None, body));
        }
        let read = self.body_limits.read_form(&head.headers, body, is_signed);
        let (form, mut body) = match read.await? {
            Ok(form) => (Some(form.clone()), Body::from(form)),
            Err(body) => (None, body),
        };
        let authorization = origin::authorization(&head.headers);
        let view = origin.view(head, &authorization, form.as_deref());
        let Some(call) = self.provider.authenticate_call(&view, origin.client).await? else {
            return unsigned(mode).map(|()| (None, body));
        };
        body_limits::check_media_type(&head.headers)?;
        if call.has_body_hash() {
            let buffered = self.body_limits.buffer(&head.headers, body).await?;
            call.check_body(&buffered)?;
            body = Body::from(buffered);
        }
        Ok((Some(self.provider.accept_call(call).await?), body))
    }
}

/// The method that a consumer signed: the signature covers it in upper case (RFC 5849, section 3.4.1.1), and methods are
/// case-sensitive (RFC 9110, section 9.1).
pub(super) fn signed_method(method: &Method) -> Method {
    let upper = method.as_str().to_ascii_uppercase();
    Method::from_bytes(upper.as_bytes()).unwrap_or_else(|_| method.clone())
}

/// Decides on a request without OAuth.
pub(super) fn unsigned(mode: RouteMode) -> Result<(), SignatureCheckError> {
    match mode {
        RouteMode::OAuth => Err(SignatureCheckError::Challenge),
        RouteMode::OAuthOrPassthrough | RouteMode::None => Ok(()),
    }
}

/// Why a request does not pass.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignatureCheckError {
    /// The request itself is wrong, or linkgate failed.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The consumer's signature or token is not accepted.
    #[error(transparent)]
    Provider(#[from] provider::ProviderError),
    /// The route needs OAuth, and the request is not signed.
    #[error("the request is not signed")]
    Challenge,
}

impl SignatureCheckError {
    /// The response to the client. A challenge names no problem, since nothing was tried (RFC 5849, section 3.5.1).
    pub(super) fn to_response(&self, realm: &str, format: ErrorFormat) -> Response {
        match self {
            Self::Gateway(error) => error.to_response(format),
            Self::Provider(error) => error.to_response(realm).map(Body::from),
            Self::Challenge => {
                let challenge = authorization_header::challenge(realm, None);
                let headers = [
                    (CONTENT_TYPE, "text/plain;charset=UTF-8"),
                    (WWW_AUTHENTICATE, &challenge),
                ];
                (StatusCode::UNAUTHORIZED, headers, UNSIGNED).into_response()
            }
        }
    }
}

const UNSIGNED: &str = "This resource requires a request signed with OAuth 1.0a.\n";

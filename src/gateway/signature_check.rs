//! The guard: a tower middleware that lets a request through when nobody lies in it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};

use super::body_limits::BodyLimits;
use super::error::{ErrorFormat, GatewayError};
use super::identity_headers::IdentityHeaders;
use super::origin::{PublicUrls, RequestOrigin};
use super::routes::{RouteMode, Routes};
use crate::oauth::header;
use crate::provider::{self, Caller, Judged, Provider};

/// What the guard goes by.
#[derive(Clone, Debug)]
pub struct SignatureCheck {
    /// Who decides whether a signature is true.
    pub provider: Arc<Provider>,
    /// Our public URLs, and the proxies in front of us.
    pub public_urls: PublicUrls,
    /// Which requests need OAuth.
    pub routes: Routes,
    /// The headers that nobody but us may write.
    pub identity: Arc<IdentityHeaders>,
    /// How much of a form is held.
    pub body_limits: BodyLimits,
}

/// Middleware.
pub async fn signature_check(
    axum::extract::State(check): axum::extract::State<Arc<SignatureCheck>>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let peer = peer(&parts);
    let Checked { origin, caller, body } = match check.check(&mut parts, peer, body).await {
        Ok(checked) => checked,
        Err(rejected) => return rejected,
    };
    parts.extensions.insert(origin);
    if let Some(caller) = caller.clone() {
        parts.extensions.insert(caller);
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(caller) = caller {
        response.extensions_mut().insert(caller);
    }
    response
}

/// A request that passes, beside its head.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) origin: RequestOrigin,
    /// Who calls; `None`: a request without OAuth.
    pub(super) caller: Option<Caller>,
    pub(super) body: Body,
}

/// Why a request does not pass.
pub(super) enum Rejection {
    Gateway(GatewayError),
    Provider(provider::Error),
    Challenge,
}

impl SignatureCheck {
    /// Prepares the head of a peer's request for the service behind us, and says who calls; or answers in its place.
    pub(super) async fn check(
        &self,
        parts: &mut Parts,
        peer: Option<IpAddr>,
        body: Body,
    ) -> Result<Checked, Response<Body>> {
        self.identity.strip(&mut parts.headers);
        parts.extensions.remove::<Caller>();
        let origin = super::body_limits::check_transfer_encoding(&parts.headers)
            .and_then(|()| self.public_urls.origin(parts, peer))
            .map_err(|fault| fault.to_response(ErrorFormat::of(parts)))?;
        match self.admit(parts, &origin, body).await {
            Ok((caller, body)) => Ok(Checked { origin, caller, body }),
            Err(Rejection::Gateway(fault)) => Err(fault.to_response(ErrorFormat::of(parts))),
            Err(Rejection::Challenge) => Err(challenge(self.provider.realm())),
            Err(Rejection::Provider(error)) => {
                let mut refused = error.to_response(self.provider.realm()).map(Body::from);
                refused.extensions_mut().insert(origin);
                Err(refused)
            }
        }
    }

    /// Says who calls, and gives the body back.
    async fn admit(
        &self,
        parts: &Parts,
        origin: &RequestOrigin,
        body: Body,
    ) -> Result<(Option<Caller>, Body), Rejection> {
        let mode = self.routes.mode(&parts.method, parts.uri.path(), &parts.headers);
        if mode == RouteMode::None {
            return Ok((None, body));
        }
        let (form, body) = match self.body_limits.read_form(&parts.headers, body).await? {
            Ok(form) => (Some(form.clone()), Body::from(form)),
            Err(body) => (None, body),
        };
        let authorization = Authorization::of(parts);
        let view = origin.view(parts, authorization.fields(), form.as_ref().map(Bytes::as_ref));
        let judged = self.provider.judge(&view, origin.client).await?;
        let Some(judged) = judged else {
            return match mode {
                RouteMode::OAuth => Err(Rejection::Challenge),
                RouteMode::OAuthOrPassthrough | RouteMode::None => Ok((None, body)),
            };
        };
        let body = self.checked(&judged, parts, body).await?;
        Ok((Some(self.provider.admit(judged).await?), body))
    }

    /// The body, compared with the hash that the consumer signed, if it signed one
    /// (draft-eaton-oauth-bodyhash-00g, section 4.1.2).
    async fn checked(&self, judged: &Judged, parts: &Parts, body: Body) -> Result<Body, Rejection> {
        if !judged.has_body_hash() {
            return Ok(body);
        }
        let body = Box::pin(self.body_limits.buffer(&parts.headers, body)).await?;
        judged.check_body(&body)?;
        Ok(Body::from(body))
    }
}

impl From<GatewayError> for Rejection {
    fn from(fault: GatewayError) -> Self {
        Self::Gateway(fault)
    }
}

impl From<provider::Error> for Rejection {
    fn from(error: provider::Error) -> Self {
        Self::Provider(error)
    }
}

/// The answer to a request without OAuth where it is needed: no problem is named, since nothing was tried.
/// RFC 5849, section 3.5.1.
pub(super) fn challenge(realm: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    if let Ok(challenge) = HeaderValue::try_from(header::challenge(realm, None)) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn peer(parts: &Parts) -> Option<IpAddr> {
    let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    connection.map(|ConnectInfo(address)| address.ip())
}

/// The `Authorization` fields of a request. As a rule there is one, for which nothing is allocated.
pub(super) enum Authorization<'a> {
    One([&'a [u8]; 1]),
    Other(Vec<&'a [u8]>),
}

impl<'a> Authorization<'a> {
    pub(super) fn of(parts: &'a Parts) -> Self {
        let all = parts.headers.get_all(AUTHORIZATION);
        let mut fields = all.iter().map(HeaderValue::as_bytes);
        match (fields.next(), fields.next()) {
            (Some(only), None) => Self::One([only]),
            _ => Self::Other(all.iter().map(HeaderValue::as_bytes).collect()),
        }
    }

    pub(super) fn fields(&self) -> &[&'a [u8]] {
        match self {
            Self::One(one) => one,
            Self::Other(fields) => fields,
        }
    }
}

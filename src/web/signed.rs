//! The token endpoints' common way: from an HTTP request to the view that the provider judges, and to the answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use super::App;
use crate::gateway::BodyLimits;
use crate::gateway::error::ErrorFormat;
use crate::oauth::RequestView;
use crate::oauth::encoding::form_body;
use crate::provider::Error;

/// Answers a call of a token endpoint: 200 with `issue`'s pairs, or the refusal. Never a redirect, which consumers
/// take for success.
pub(super) async fn answer(
    app: &App,
    request: Request<Body>,
    issue: impl AsyncFnOnce(&RequestView<'_>, Option<IpAddr>) -> Result<Pairs, Error>,
) -> Response<Body> {
    if !TOKEN_METHODS.contains(request.method()) {
        return method_not_allowed();
    }
    let (parts, body) = request.into_parts();
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip().to_canonical());
    let arrival = match app.front.origin(&parts, peer) {
        Ok(arrival) => arrival,
        Err(fault) => return fault.to_response(ErrorFormat::of(&parts)),
    };
    let form = match LIMITS.read_form(&parts.headers, body).await {
        Ok(form) => form.ok(),
        Err(fault) => return fault.to_response(ErrorFormat::of(&parts)),
    };
    let authorization: Vec<&[u8]> = parts
        .headers
        .get_all(AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let view = arrival.view(&parts, &authorization, form.as_deref());
    match issue(&view, arrival.client).await {
        Ok(pairs) => issued(&pairs),
        Err(error) => {
            let mut response = error.to_response(app.provider.realm()).map(Body::from);
            response.extensions_mut().insert(arrival);
            response
        }
    }
}

/// What an answer consists of, decoded.
pub(super) type Pairs = Vec<(&'static str, String)>;

/// RFC 5849, section 2.1. The type is the reference provider's.
fn issued(pairs: &Pairs) -> Response<Body> {
    let mut response = Response::new(Body::from(form_body(
        pairs.iter().map(|(name, value)| (name, value)),
    )));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn method_not_allowed() -> Response<Body> {
    let mut response = Response::new(Body::from("Call this endpoint with POST, or with GET.\n"));
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// POST, as Bitbucket does; and GET, as other real clients do.
const TOKEN_METHODS: [Method; 2] = [Method::POST, Method::GET];

/// A token call holds a dozen short parameters.
const LIMITS: BodyLimits = BodyLimits {
    size: 64 * 1024,
    time: Duration::from_secs(10),
};

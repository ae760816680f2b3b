//! The internal listener, where the application calls remote applications through linkgate.
//!
//! Only this machine can reach it. A bearer token is required besides, because other programs run here too, and any web
//! page can make a browser send requests to a loopback address.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::uri::PathAndQuery;
use http::{HeaderMap, Request};

use crate::http::negotiate::at_most_one;
use crate::oauth::Secret;

use super::Links;
use super::error::LinkError;

/// The service of the internal listener.
pub fn router(links: Arc<Links>, token: Secret) -> Router {
    Router::new().fallback(call).with_state(Arc::new((links, token)))
}

/// Makes a call: `/{link}`, followed by the path and query below the link's URL.
async fn call(
    State(state): State<Arc<(Arc<Links>, Secret)>>,
    request: Request<Body>,
) -> Result<Response, LinkError> {
    let (links, token) = &*state;
    if !has_bearer_token(token, request.headers()) {
        return Err(LinkError::WrongToken);
    }
    let target = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
    let target = target.strip_prefix('/').unwrap_or_default();
    let end = target.find(['/', '?']).unwrap_or(target.len());
    let (name, below) = target.split_at(end);
    let link = links.get(name).ok_or(LinkError::UnknownLink)?;
    let root = if below.starts_with('/') { "" } else { "/" };
    let below = format!("{root}{below}");
    links.call(link, &below, request).await
}

/// Returns true if the request carries the token, once, in the scheme `Bearer` (RFC 6750, section 2.1).
fn has_bearer_token(token: &Secret, headers: &HeaderMap) -> bool {
    let field = at_most_one(headers, AUTHORIZATION).ok().flatten();
    let credentials = field.and_then(|field| field.to_str().ok()?.split_once(' '));
    // `Secret` compares in constant time.
    credentials.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case("Bearer") && Secret::new(given.trim()) == *token
    })
}

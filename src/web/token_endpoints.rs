//! The token endpoints: `/oauth/request-token`, `/oauth/access-token`, and the paths that AppLinks assume.

use std::net::IpAddr;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use super::{App, Shared};
use crate::gateway::error::ErrorFormat;
use crate::gateway::{BodyLimits, RequestOrigin};
use crate::oauth::RequestView;
use crate::oauth::encoding::form_body;
use crate::provider::Error;

/// Issues temporary credentials (RFC 5849, section 2.1): a request token, its secret, and the confirmation of OAuth 1.0a.
pub(super) async fn request_token(
    State(app): Shared,
    Extension(origin): Extension<RequestOrigin>,
    request: Request<Body>,
) -> Response<Body> {
    answer(&app, origin, request, async |view, client| {
        let issued = app.provider.issue_request_token(view, client).await?;
        Ok(vec![
            ("oauth_token", issued.token.as_str().to_owned()),
            ("oauth_token_secret", issued.secret.expose().to_owned()),
            ("oauth_callback_confirmed", "true".to_owned()),
        ])
    })
    .await
}

/// Issues token credentials (RFC 5849, section 2.3) and renews them (OAuth Session 1.0): an access token, its secret, and for
/// consumers that renew the session handle.
pub(super) async fn access_token(
    State(app): Shared,
    Extension(origin): Extension<RequestOrigin>,
    request: Request<Body>,
) -> Response<Body> {
    answer(&app, origin, request, async |view, client| {
        let issued = app.provider.issue_access_token(view, client).await?;
        let mut pairs = vec![
            ("oauth_token", issued.token.as_str().to_owned()),
            ("oauth_token_secret", issued.secret.expose().to_owned()),
        ];
        if let Some(renewal) = issued.renewal {
            pairs.extend([
                ("oauth_expires_in", renewal.expires_in.to_string()),
                ("oauth_session_handle", renewal.handle.expose().to_owned()),
                (
                    "oauth_authorization_expires_in",
                    renewal.authorization_expires_in.to_string(),
                ),
            ]);
        }
        Ok(pairs)
    })
    .await
}

/// The response of a token endpoint: 200 with the pairs, or a rejection. Never a redirect, which consumers take for success.
async fn answer(
    app: &App,
    origin: RequestOrigin,
    request: Request<Body>,
    issue: impl AsyncFnOnce(&RequestView<'_>, Option<IpAddr>) -> Result<Pairs, Error>,
) -> Response<Body> {
    if !METHODS.contains(request.method()) {
        return method_not_allowed();
    }
    let (parts, body) = request.into_parts();
    let form = match LIMITS.read_form(&parts.headers, body).await {
        Ok(form) => form.ok(),
        Err(error) => return error.to_response(ErrorFormat::of(&parts)),
    };
    let authorization = parts.headers.get_all(AUTHORIZATION).iter();
    let authorization: Vec<&[u8]> = authorization.map(HeaderValue::as_bytes).collect();
    let view = origin.view(&parts, &authorization, form.as_deref());
    match issue(&view, origin.client).await {
        Ok(pairs) => issued(&pairs),
        Err(error) => {
            let mut response = error.to_response(app.provider.realm()).map(Body::from);
            response.extensions_mut().insert(origin);
            response
        }
    }
}

/// Names and values, decoded.
type Pairs = Vec<(&'static str, String)>;

/// RFC 5849, section 2.1.
fn issued(pairs: &Pairs) -> Response<Body> {
    let mut response = Response::new(Body::from(form_body(
        pairs.iter().map(|(name, value)| (name, value)),
    )));
    let headers = response.headers_mut();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, form);
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

/// Bitbucket sends POST, other clients send GET.
const METHODS: [Method; 2] = [Method::POST, Method::GET];

/// A request for a token has about a dozen short parameters.
const LIMITS: BodyLimits = BodyLimits {
    size: 64 * 1024,
    time: Duration::from_secs(10),
};

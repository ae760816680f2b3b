//! The token endpoints: `/oauth/request-token`, `/oauth/access-token`, and the paths that AppLinks assume.

use std::net::IpAddr;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{Method, Request, StatusCode};

use super::{App, Shared};
use crate::gateway::error::ErrorFormat;
use crate::gateway::{BodyLimits, RequestOrigin, authorization};
use crate::oauth::RequestView;
use crate::oauth::encoding::form_body;
use crate::provider::ProviderError;

/// Issues temporary credentials (RFC 5849, section 2.1): a request token, its secret, and the confirmation of OAuth 1.0a.
pub(super) async fn request_token(
    State(app): Shared,
    Extension(origin): Extension<RequestOrigin>,
    request: Request<Body>,
) -> Response {
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
) -> Response {
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
    issue: impl AsyncFnOnce(&RequestView<'_>, Option<IpAddr>) -> Result<Pairs, ProviderError>,
) -> Response {
    if !METHODS.contains(request.method()) {
        let text = "Call this endpoint with POST, or with GET.\n";
        let headers = [(ALLOW, "GET, POST"), (CONTENT_TYPE, "text/plain")];
        return (StatusCode::METHOD_NOT_ALLOWED, headers, text).into_response();
    }
    let (parts, body) = request.into_parts();
    let form = match LIMITS.read_form(&parts.headers, body, true).await {
        Ok(form) => form.ok(),
        Err(error) => return error.to_response(ErrorFormat::of(&parts)),
    };
    let authorization = authorization(&parts.headers);
    let view = origin.view(&parts, &authorization, form.as_deref());
    match issue(&view, origin.client).await {
        Ok(pairs) => {
            let form = "application/x-www-form-urlencoded";
            let headers = [(CONTENT_TYPE, form), (CACHE_CONTROL, "no-store")];
            (headers, form_body(pairs)).into_response()
        }
        Err(error) => {
            let mut response = error.to_response(app.provider.realm()).map(Body::from);
            response.extensions_mut().insert(origin);
            response
        }
    }
}

/// Names and values, decoded.
type Pairs = Vec<(&'static str, String)>;

/// Bitbucket sends POST, other clients send GET.
const METHODS: [Method; 2] = [Method::POST, Method::GET];

/// A request for a token has about a dozen short parameters.
const LIMITS: BodyLimits = BodyLimits {
    size: 64 * 1024,
    time: Duration::from_secs(10),
};

//! `POST /oauth/request-token`: temporary credentials (RFC 5849, section 2.1).

use axum::body::Body;
use axum::extract::State;
use http::{Request, Response};

use super::{Shared, signed};

/// Answers with a request token, its secret, and the confirmation that tells OAuth 1.0a from 1.0.
pub(super) async fn issue(State(app): Shared, request: Request<Body>) -> Response<Body> {
    signed::answer(&app, request, async |view, client| {
        let issued = app.provider.issue_request_token(view, client).await?;
        Ok(vec![
            ("oauth_token", issued.token.as_str().to_owned()),
            ("oauth_token_secret", issued.secret.expose().to_owned()),
            ("oauth_callback_confirmed", "true".to_owned()),
        ])
    })
    .await
}

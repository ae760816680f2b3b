//! `POST /oauth/access-token`: token credentials (RFC 5849, section 2.3), and their renewal (OAuth Session 1.0).

use axum::body::Body;
use axum::extract::State;
use http::{Request, Response};

use super::{Shared, signed};

/// Answers with an access token and its secret, and for consumers that renew with the session around it.
pub(super) async fn issue(State(app): Shared, request: Request<Body>) -> Response<Body> {
    signed::answer(&app, request, async |view, client| {
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

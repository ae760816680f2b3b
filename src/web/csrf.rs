//! Protection against forged forms: a token in each form, bound to what the form does.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;

use crate::gateway::{PublicUrls, RequestOrigin};
use crate::model::{SessionId, User};
use crate::oauth::Token;

use super::App;
use super::error::{ErrorKind, PageError};

/// What a form does, and for whom. A token for one purpose is good for no other.
#[derive(Clone, Debug)]
pub(super) struct FormPurpose<'a>(&'static str, Vec<&'a str>);

impl<'a> FormPurpose<'a> {
    /// Answering an access request, as the user to whom it was shown.
    pub(super) fn answer(session: &'a SessionId, request_token: &'a Token, user: &'a User) -> Self {
        Self(
            "form-answer",
            vec![session.as_str(), request_token.as_str(), &user.subject],
        )
    }

    /// Signing out of a session.
    pub(super) fn sign_out(session: &'a SessionId) -> Self {
        Self("form-sign-out", vec![session.as_str()])
    }

    /// Revoking access that the session's user gave: the id of a token, a link, or all.
    pub(super) fn revoke(session: &'a SessionId, what: &'a str) -> Self {
        Self("form-revoke", vec![session.as_str(), what])
    }

    /// Revoking a token of any user, as an administrator.
    pub(super) fn revoke_any(session: &'a SessionId, token_id: &'a str) -> Self {
        Self("form-revoke-of-anybody", vec![session.as_str(), token_id])
    }

    /// Signing in, with the cookie of a browser that has no session.
    pub(super) fn sign_in(browser: &'a str) -> Self {
        Self("form-sign-in", vec![browser])
    }

    /// The token to put into the form.
    pub(super) fn token(&self, app: &App) -> String {
        app.mac(self.0, &self.1)
    }

    /// Checks a form's token, in constant time. `retry` is the path of the page with the form.
    pub(super) fn check(&self, app: &App, token: &str, retry: &str) -> Result<(), PageError> {
        if app.mac_matches(self.0, &self.1, token) {
            return Ok(());
        }
        Err(ErrorKind::FormOutdated.page().retry(retry))
    }
}

/// The form of a button that revokes, as it is submitted.
#[derive(Deserialize)]
pub(super) struct RevokeFields {
    pub(super) token: String,
    pub(super) form_token: String,
    /// The page with the button, where it is not always the same.
    pub(super) return_to: Option<String>,
}

/// Rejects a form that another site sent, according to `Sec-Fetch-Site` and `Origin`. Browsers without both have only the
/// token to pass. With `Sec-Fetch-Site`, an `Origin: null` is that of a browser that sends no referrer.
pub(super) fn check_same_site(
    urls: &PublicUrls,
    request: &RequestOrigin,
    headers: &HeaderMap,
) -> Result<(), PageError> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_same_origin = match headers.get(ORIGIN).map(HeaderValue::as_bytes) {
        None => true,
        Some(b"null") => site.is_some(),
        Some(origin) => urls.is_own_origin(request, origin),
    };
    match site {
        None | Some(b"same-origin" | b"none") if is_same_origin => Ok(()),
        _ => Err(ErrorKind::CrossSite.page()),
    }
}

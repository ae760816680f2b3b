//! How a page becomes a response: its layout, its header fields and its content security policy.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use crate::oauth::Callback;

use super::i18n::{Locale, Messages};
use super::text::{MAX_NAME, sanitize};
use super::{App, assets};

/// What every page shows around its content. An extractor.
#[derive(Clone)]
pub(super) struct Layout {
    pub(super) locale: Locale,
    /// The application's name.
    pub(super) application: String,
    /// The path of the stylesheet.
    pub(super) stylesheet: String,
    /// The path of the icon.
    pub(super) icon: String,
    /// The path of an image that is shown instead of the application's name.
    pub(super) logo: Option<String>,
}

impl Layout {
    /// The layout of an installation's pages.
    pub(super) fn new(app: &App, locale: Locale) -> Self {
        let branding = app.branding.current();
        Self {
            locale,
            application: sanitize(&branding.name, MAX_NAME),
            stylesheet: app.path(&branding.stylesheet.path()),
            icon: app.path(&assets::icon()),
            logo: branding.logo.as_ref().map(|logo| app.path(&logo.path())),
        }
    }

    /// The messages of a page.
    pub(super) fn messages(&self) -> Messages {
        Messages::new(self.locale, &self.application)
    }
}

impl FromRequestParts<Arc<App>> for Layout {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let locale = Locale::from_request_parts(parts, app).await?;
        Ok(Self::new(app, locale))
    }
}

/// The form of a button that ends the session.
#[derive(Clone, Debug)]
pub(super) struct SignOutForm {
    pub(super) action: String,
    /// Where the user continues after signing in again.
    pub(super) return_to: String,
    pub(super) form_token: String,
}

/// The form of a button that revokes.
#[derive(Clone, Debug)]
pub(super) struct RevokeForm {
    pub(super) action: String,
    /// What is revoked.
    pub(super) token: String,
    pub(super) form_token: String,
}

/// Renders a page. Its policy allows forms to this site only.
pub(super) fn render(page: &impl Template) -> Response {
    let Ok(html) = page.render() else {
        tracing::error!("cannot render a page");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let html_type = [(CONTENT_TYPE, "text/html; charset=utf-8")];
    (html_type, html).into_response()
}

/// Renders a page whose form may end at a callback.
pub(super) fn render_with_callback(page: &impl Template, callback: Option<&Callback>) -> Response {
    let policy = [(CONTENT_SECURITY_POLICY, content_security_policy(callback))];
    (policy, render(page)).into_response()
}

/// Renders a page with a script of linkgate's own.
pub(super) fn render_with_script(page: &impl Template) -> Response {
    let policy = content_security_policy(None);
    let policy = policy.to_str().expect("a policy is printable ASCII");
    let policy = HeaderValue::try_from(format!("{policy}; script-src 'self'"));
    let policy = policy.expect("a policy is printable ASCII");
    ([(CONTENT_SECURITY_POLICY, policy)], render(page)).into_response()
}

/// Completes the header fields of a page or a redirect.
///
/// `same-origin` and not `no-referrer`: with the latter Chrome sends `Origin: null` with the forms of these pages. No
/// `Cross-Origin-Opener-Policy`: AppLinks open these pages in a popup, and the page at the end calls its opener.
pub(super) fn page_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert_with(|| content_security_policy(None));
    for (name, value) in [
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        (VARY, "accept-language"),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The policy of a page whose form may end at a callback: Chromium checks `form-action` on every redirect after a form
/// submission.
fn content_security_policy(callback: Option<&Callback>) -> HeaderValue {
    let mut policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'".to_owned();
    if let Some(Callback::Url(url)) = callback {
        policy.push(' ');
        policy.push_str(source_expression(url.origin()));
    }
    policy.push_str("; frame-ancestors 'none'; base-uri 'none'");
    HeaderValue::try_from(policy).expect("an origin is printable ASCII")
}

/// An origin as a source expression. The grammar of CSP has no IPv6 addresses, so the scheme alone stands for one.
fn source_expression(origin: &str) -> &str {
    match origin.split_once("//[") {
        Some((scheme, _)) => scheme,
        None => origin,
    }
}

/// Redirects the browser, with GET.
pub(super) fn see_other(location: &str) -> Response {
    if let Ok(location) = HeaderValue::try_from(location) {
        return (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response();
    }
    tracing::error!("invalid redirect location");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// The response with further cookies to set.
pub(super) fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_origin_is_named_by_its_scheme() {
        assert_eq!(source_expression("http://[::1]:7990"), "http:");
        let origin = "https://bitbucket.example.com";
        assert_eq!(source_expression(origin), origin);
    }
}

//! How a page becomes a response: its header fields and its content security policy.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};

use crate::oauth::Callback;

/// The form of a button that ends the session.
#[derive(Clone, Debug)]
pub(super) struct SignOutForm {
    pub(super) action: String,
    /// Where the user continues after signing in again.
    pub(super) return_to: String,
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
    let target = match callback {
        // Chromium checks `form-action` on every redirect after a form submission.
        Some(Callback::Url(url)) => format!(" {}", source_expression(url.origin())),
        Some(Callback::OutOfBand) | None => String::new(),
    };
    let policy = [(CONTENT_SECURITY_POLICY, content_security_policy(&target, ""))];
    (policy, render(page)).into_response()
}

/// Renders a page with a script of linkgate's own.
pub(super) fn render_with_script(page: &impl Template) -> Response {
    let policy = content_security_policy("", "; script-src 'self'");
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
        .or_insert_with(|| content_security_policy("", ""));
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

fn content_security_policy(form_target: &str, more: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{form_target}; \
         frame-ancestors 'none'; base-uri 'none'{more}"
    );
    HeaderValue::try_from(policy).expect("an origin is printable ASCII")
}

/// An origin as a source expression. The grammar of CSP has no IPv6 addresses, so it is named by its scheme.
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

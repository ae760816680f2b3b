//! The headers of a page, the same on every one of them but for where its forms may lead.

use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, SET_COOKIE, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::oauth::Callback;

/// Completes the headers of a page or a redirect.
///
/// `same-origin` and not `no-referrer`: with the latter Chrome sends `Origin: null` with our own forms. No
/// `Cross-Origin-Opener-Policy`: AppLinks open these pages in a popup, and the page at the end calls its opener.
pub(super) async fn page(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, content_security_policy(None));
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept-language"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The policy of a page whose form may end at a callback.
///
/// Chromium applies `form-action` to every redirect that follows a form, so the callback's origin must stand in it.
pub(super) fn content_security_policy(callback: Option<&Callback>) -> HeaderValue {
    let mut policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'".to_owned();
    if let Some(Callback::Url(url)) = callback {
        policy.push(' ');
        policy.push_str(source(url.origin()));
    }
    policy.push_str("; frame-ancestors 'none'; base-uri 'none'");
    HeaderValue::try_from(policy).expect("an origin is printable ASCII")
}

/// The policy of a page with a script of ours.
pub(super) fn with_script() -> HeaderValue {
    let policy = content_security_policy(None);
    let policy = policy.to_str().expect("a policy is printable ASCII");
    HeaderValue::try_from(format!("{policy}; script-src 'self'")).expect("a policy is printable ASCII")
}

/// A source expression for an origin. The grammar of CSP has no IPv6 addresses: the scheme must do for them.
fn source(origin: &str) -> &str {
    match origin.split_once("//[") {
        Some((scheme, _)) => scheme,
        None => origin,
    }
}

/// Sends the browser on with a GET.
pub(super) fn see_other(location: &str) -> Response {
    if let Ok(location) = HeaderValue::try_from(location) {
        return (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response();
    }
    tracing::error!("a location that is no header value was not followed");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// The first cookie of a name.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
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
        assert_eq!(source("http://[::1]:7990"), "http:");
        assert_eq!(
            source("https://bitbucket.example.com"),
            "https://bitbucket.example.com"
        );
    }

    #[test]
    fn cookies_are_found_in_any_field_and_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("a=1; xb=2"));
        headers.append("cookie", HeaderValue::from_static("b=3=4;c"));
        assert_eq!(cookie(&headers, "a"), Some("1"));
        assert_eq!(cookie(&headers, "b"), Some("3=4"));
        assert_eq!(cookie(&headers, "c"), None);
    }
}

//! Where a user continues after signing in.

use axum::response::Response;
use http::Method;
use http::request::Parts;
use http::uri::PathAndQuery;

use crate::login::Login;
use crate::oauth::{Token, encoding};

use super::{AUTHORIZE, App, LOGIN};

/// A path of this site, with its query. It comes through the browser, so it is validated every time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnTo(String);

impl ReturnTo {
    /// Parses a return path: one `/`, then printable ASCII without backslash, at most 2048 bytes.
    ///
    /// Browsers take `//host`, `/\host` and, because they drop tabs and line breaks, `/<tab>/host` for another site.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let fits = text.len() <= MAX_LENGTH
            && !rest.starts_with('/')
            && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        fits.then(|| Self(text.to_owned()))
    }

    /// Parses the return path of a form or a query. Without one it is the sign-in page itself.
    pub(super) fn or_login(text: Option<&str>) -> Self {
        text.and_then(Self::parse)
            .unwrap_or_else(|| Self(LOGIN.to_owned()))
    }

    /// The page of a request; of a submitted form, the page that the form is on, whose path is one segment shorter.
    pub(super) fn page_of(parts: &Parts) -> Self {
        let path = match parts.method {
            Method::POST => parts.uri.path().rsplit_once('/').map(|(page, _)| page),
            _ => parts.uri.path_and_query().map(PathAndQuery::as_str),
        };
        Self::or_login(path)
    }

    /// The approval page of a request token. Nothing else of its URL is kept, least of all `oauth_callback`.
    pub(super) fn approval_page(token: &Token) -> Self {
        Self(format!(
            "{}?oauth_token={}",
            AUTHORIZE[0],
            encoding::encode(token.as_str())
        ))
    }

    /// The path and query.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The request token, if the path is an approval page.
    pub(super) fn request_token(&self) -> Option<Token> {
        let (path, query) = self.0.split_once('?')?;
        let token = query.strip_prefix("oauth_token=")?;
        let alphanumeric = token.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (AUTHORIZE.contains(&path) && alphanumeric)
            .then(|| Token::parse(token))
            .flatten()
    }

    /// The path of the sign-in page that leads here.
    pub(super) fn login(&self) -> String {
        self.login_with([])
    }

    /// The path of the sign-in page that leads here, with the flags that are set.
    pub(super) fn login_with<const N: usize>(&self, flags: [(&str, bool); N]) -> String {
        let return_to = (self.0 != LOGIN).then(|| format!("return_to={}", encoding::encode(&self.0)));
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set);
        let flags = flags.map(|(name, _)| format!("{name}=1"));
        let query: Vec<_> = return_to.into_iter().chain(flags).collect();
        let separator = if query.is_empty() { "" } else { "?" };
        format!("{LOGIN}{separator}{}", query.join("&"))
    }

    /// Redirects to the sign-in page that leads here. `fresh`: although there is a session.
    ///
    /// The sign-in page may redirect to another site. Chromium checks `form-action` on every redirect after a form
    /// submission, so after a form the user follows a link on a page in between.
    pub(super) fn sign_in(&self, app: &App, by_form: bool, fresh: bool) -> Response {
        let pause = by_form && !matches!(*app.login, Login::Form(_));
        app.redirect(&self.login_with([("fresh", fresh), ("pause", pause)]))
    }
}

/// In bytes.
const MAX_LENGTH: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_found_again_in_its_address() {
        let token = Token::parse("abcdEFGH1234").unwrap();
        let address = ReturnTo::approval_page(&token);
        assert_eq!(address.as_str(), "/oauth/authorize?oauth_token=abcdEFGH1234");
        assert_eq!(address.request_token(), Some(token));
        assert_eq!(
            address.login(),
            "/oauth/login?return_to=%2Foauth%2Fauthorize%3Foauth_token%3DabcdEFGH1234"
        );
        let elsewhere = ReturnTo::parse("/builds?oauth_token=abcd").unwrap();
        assert_eq!(elsewhere.request_token(), None);
    }
}

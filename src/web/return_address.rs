//! Where somebody goes on after signing in.

use crate::oauth::{Token, encoding};

use super::{AUTHORIZE, LOGIN};

/// A path of this very site, with its query. It came through the browser, so it is read anew every time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnAddress(String);

impl ReturnAddress {
    /// Reads a return address: one `/`, then printable ASCII without backslash.
    ///
    /// Browsers take `//host`, `/\host` and, because they drop tabs and line breaks, `/<tab>/host` for another site.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let fits = text.len() <= LONGEST
            && !rest.starts_with('/')
            && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        fits.then(|| Self(text.to_owned()))
    }

    /// Reads the return address of a form or a query; without one it is the login page itself.
    pub(super) fn or_login(text: Option<&str>) -> Self {
        text.and_then(Self::parse)
            .unwrap_or_else(|| Self(LOGIN.to_owned()))
    }

    /// The approval page of a request token. Nothing else of the URL is kept, `oauth_callback` least of all.
    pub(super) fn to_question(token: &Token) -> Self {
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

    /// The request token, when it leads to an approval page.
    pub(super) fn request_token(&self) -> Option<Token> {
        let (path, query) = self.0.split_once('?')?;
        let token = query.strip_prefix("oauth_token=")?;
        let alphanumeric = token.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (AUTHORIZE.contains(&path) && alphanumeric)
            .then(|| Token::parse(token))
            .flatten()
    }

    /// The login page that leads here.
    pub(super) fn login(&self) -> String {
        self.login_and(&[])
    }

    /// The login page that leads here, and knows something more.
    pub(super) fn login_and(&self, also: &[&str]) -> String {
        let there = (self.0 != LOGIN).then(|| format!("return_to={}", encoding::encode(&self.0)));
        let also = also.iter().map(|name| format!("{name}=1"));
        let query: Vec<_> = there.into_iter().chain(also).collect();
        if query.is_empty() {
            LOGIN.to_owned()
        } else {
            format!("{LOGIN}?{}", query.join("&"))
        }
    }
}

const LONGEST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_return_addresses() {
        for good in [
            "/",
            "/a",
            "/a//b",
            "/oauth/authorize?oauth_token=x",
            "/a?b=https://evil.example/",
        ] {
            assert!(ReturnAddress::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "a",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "/a\\b",
            "\\/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/a\r\nSet-Cookie: x",
            "/a b",
            "/\u{e9}",
            " /a",
            &format!("/{}", "a".repeat(LONGEST)),
        ] {
            assert_eq!(ReturnAddress::parse(bad), None, "{bad:?}");
            assert_eq!(ReturnAddress::or_login(Some(bad)).as_str(), LOGIN);
        }
    }

    #[test]
    fn a_question_is_found_again_in_its_address() {
        let token = Token::parse("abcdEFGH1234").unwrap();
        let address = ReturnAddress::to_question(&token);
        assert_eq!(address.as_str(), "/oauth/authorize?oauth_token=abcdEFGH1234");
        assert_eq!(address.request_token(), Some(token));
        assert_eq!(
            address.login(),
            "/oauth/login?return_to=%2Foauth%2Fauthorize%3Foauth_token%3DabcdEFGH1234"
        );
        let elsewhere = ReturnAddress::parse("/builds?oauth_token=abcd").unwrap();
        assert_eq!(elsewhere.request_token(), None);
    }
}

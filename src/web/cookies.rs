//! The cookies that linkgate sets.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::oauth::Token;

use super::{App, randomness};

/// A cookie.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cookie<'a> {
    /// The session of a user who is signed in.
    Session,
    /// A browser without a session: proves to the sign-in form that it was shown to this browser.
    Browser,
    /// A pending sign-in, by its id: each tab may have one.
    PendingLogin(&'a str),
}

impl Cookie<'_> {
    /// The value that the browser sent.
    pub(super) fn get<'h>(self, app: &App, headers: &'h HeaderMap) -> Option<&'h str> {
        find(headers, &self.name(app))
    }

    /// The pending sign-ins of a browser: what identifies each, and its value.
    pub(super) fn pending_logins<'h>(app: &App, headers: &'h HeaderMap) -> Vec<(&'h str, &'h str)> {
        let prefix = Self::PendingLogin("").name(app);
        let pending = pairs(headers).filter_map(|(name, value)| Some((name.strip_prefix(&prefix)?, value)));
        pending.collect()
    }

    /// `SameSite=Lax`: the popup is opened from the consumer's site, and an identity provider redirects from its own; both
    /// requests need the cookie.
    pub(super) fn set(self, app: &App, value: &str) -> HeaderValue {
        let max_age = match self {
            Self::Session | Self::Browser => None,
            // Longer than the attempt may take, so that a late user is told the reason.
            Self::PendingLogin(_) => Some(3600),
        };
        self.line(app, value, max_age)
    }

    pub(super) fn clear(self, app: &App) -> HeaderValue {
        self.line(app, "", Some(0))
    }

    fn line(self, app: &App, value: &str, max_age: Option<u32>) -> HeaderValue {
        let name = self.name(app);
        let secure = if app.public_url.is_secure() {
            "; Secure"
        } else {
            ""
        };
        let max_age = max_age.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{max_age}");
        let mut line = HeaderValue::try_from(line).expect("a cookie is letters, digits and punctuation");
        line.set_sensitive(true);
        line
    }

    /// With https, the prefix allows only this host, over https, to set the cookie.
    fn name(self, app: &App) -> String {
        let prefix = if app.public_url.is_secure() { "__Host-" } else { "" };
        match self {
            Self::Session => format!("{prefix}linkgate-session"),
            Self::Browser => format!("{prefix}linkgate-browser"),
            Self::PendingLogin(id) => {
                let short: String = id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
                format!("{prefix}linkgate-trip-{short}")
            }
        }
    }
}

/// A browser without a session, identified by a random cookie that linkgate signed.
#[derive(Debug)]
pub(super) struct Browser {
    /// The random part of the cookie.
    pub(super) random: String,
}

impl Browser {
    /// Identifies a browser by its cookie.
    pub(super) fn known(app: &App, headers: &HeaderMap) -> Option<Self> {
        let (random, mac) = Cookie::Browser.get(app, headers)?.split_once('.')?;
        let random = random.to_owned();
        app.mac_matches(PURPOSE, &[&random], mac)
            .then_some(Self { random })
    }

    /// Identifies a browser by its cookie, or by a new one, which is returned.
    pub(super) fn known_or_new(app: &App, headers: &HeaderMap) -> (Self, Option<HeaderValue>) {
        if let Some(known) = Self::known(app, headers) {
            return (known, None);
        }
        let random = Token::generate("", &mut randomness()).as_str().to_owned();
        let mac = app.mac(PURPOSE, &[&random]);
        let set = Cookie::Browser.set(app, &format!("{random}.{mac}"));
        (Self { random }, Some(set))
    }
}

/// The first cookie of a name.
fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    pairs(headers).find_map(|(found, value)| (found == name).then_some(value))
}

/// The names and values of all cookies.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

const PURPOSE: &str = "cookie-browser";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_in_any_field_and_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("a=1; xb=2"));
        headers.append("cookie", HeaderValue::from_static("b=3=4;c"));
        assert_eq!(find(&headers, "a"), Some("1"));
        assert_eq!(find(&headers, "b"), Some("3=4"));
        assert_eq!(find(&headers, "c"), None);
    }
}

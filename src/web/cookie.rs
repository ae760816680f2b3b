//! The cookies that we set.

use http::{HeaderMap, HeaderValue};

use super::{App, headers};

/// A cookie of ours.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cookie<'a> {
    /// Who is signed in.
    Session,
    /// A browser that nobody is signed in at: proves to the login form that it was shown to this browser.
    Browser,
    /// A round trip that is under way, by its id: several tabs may have one each.
    Trip(&'a str),
}

impl Cookie<'_> {
    /// What the browser sent.
    pub(super) fn of<'h>(self, app: &App, headers: &'h HeaderMap) -> Option<&'h str> {
        headers::cookie(headers, &self.name(app))
    }

    /// `SameSite=Lax`: the popup is opened from the consumer's site, and an identity provider sends the browser back from
    /// its own; both must find who is there.
    pub(super) fn set(self, app: &App, value: &str) -> HeaderValue {
        let age = match self {
            Self::Session | Self::Browser => None,
            // Longer than the trip may take: somebody who is late is told so.
            Self::Trip(_) => Some(3600),
        };
        self.line(app, value, age)
    }

    pub(super) fn clear(self, app: &App) -> HeaderValue {
        self.line(app, "", Some(0))
    }

    fn line(self, app: &App, value: &str, age: Option<u32>) -> HeaderValue {
        let secure = if app.public_url.is_secure() {
            "; Secure"
        } else {
            ""
        };
        let age = age.map_or_else(String::new, |age| format!("; Max-Age={age}"));
        let name = self.name(app);
        let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
        let mut line = HeaderValue::try_from(line).expect("a cookie is letters, digits and punctuation");
        line.set_sensitive(true);
        line
    }

    /// Behind https a cookie has a prefix that only this very host, over https, can set.
    fn name(self, app: &App) -> String {
        let prefix = if app.public_url.is_secure() { "__Host-" } else { "" };
        match self {
            Self::Session => format!("{prefix}linkgate-session"),
            Self::Browser => format!("{prefix}linkgate-browser"),
            Self::Trip(id) => {
                let short: String = id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
                format!("{prefix}linkgate-trip-{short}")
            }
        }
    }
}

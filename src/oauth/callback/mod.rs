//! Where the user returns: out of band, or to a URL of the consumer (RFC 5849, sections 2.1 and 2.2).
//!
//! 1. [`Callback`], as a request-token call names it; a [`CallbackUrl`] can be redirected to as it stands;
//! 2. [`AllowedCallback`], as the administrator allows it.
//!
//! The text of a callback is kept as it was sent: what was checked is, byte for byte, what the browser is sent to.

mod pattern;

pub use pattern::AllowedCallback;

use super::credentials::{Token, Verifier};
use super::encode::{self, Plus};
use super::origin::Origin;
use super::problem::Problem;

/// The callback of a request token, fixed when the token is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callback {
    /// `oob`: the user carries the verifier to the consumer.
    OutOfBand,
    /// An absolute http or https URL, exactly as the consumer sent it.
    Url(CallbackUrl),
}

/// An absolute http(s) URL that can be redirected to as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackUrl {
    text: String,
    origin: Origin,
    /// Where the path begins in `text`, and where it ends.
    path: (usize, usize),
}

impl Callback {
    /// Reads `oauth_callback` strictly: `oob`, or an absolute http(s) URL of printable ASCII without user information,
    /// backslash, fragment, dot segments or an `oauth_verifier` of its own.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text == "oob" {
            return Ok(Self::OutOfBand);
        }
        let url = CallbackUrl::parse(text);
        url.map(Self::Url)
            .map_err(|why| Problem::parameter_rejected("oauth_callback", why))
    }

    /// The callback as it was sent.
    pub fn as_str(&self) -> &str {
        match self {
            Self::OutOfBand => "oob",
            Self::Url(url) => url.as_str(),
        }
    }
}

impl CallbackUrl {
    /// The URL as the consumer sent it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and authority, for `Content-Security-Policy: form-action`.
    pub fn origin(&self) -> &str {
        self.origin.as_str()
    }

    /// The host, for people.
    pub fn host(&self) -> &str {
        self.origin.host()
    }

    /// The callback with `oauth_token` and `oauth_verifier` appended (`?` or `&`).
    pub fn authorized_redirect(&self, token: &Token, verifier: &Verifier) -> String {
        self.with(token, verifier.expose())
    }

    /// The callback with `oauth_token` and `oauth_verifier=denied` appended, which is how AppLinks are told of a refusal.
    pub fn denied_redirect(&self, token: &Token) -> String {
        self.with(token, "denied")
    }

    fn with(&self, token: &Token, verifier: &str) -> String {
        let mut out = self.text.clone();
        if !out.contains('?') {
            out.push('?');
        } else if !out.ends_with(['?', '&']) {
            out.push('&');
        }
        out.push_str("oauth_token=");
        encode::push_encoded(&mut out, token.as_str().as_bytes());
        out.push_str("&oauth_verifier=");
        encode::push_encoded(&mut out, verifier.as_bytes());
        out
    }

    fn path(&self) -> &str {
        &self.text[self.path.0..self.path.1]
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > 4096 {
            return Err("The callback must have at most 4096 characters.");
        }
        if let Some(why) = text.chars().find_map(unwelcome) {
            return Err(why);
        }
        let (origin, rest) = Origin::split(text)?;
        let decoded =
            encode::decode(rest).map_err(|_| "A percent sign in the callback must begin an escape.")?;
        if decoded.iter().any(u8::is_ascii_control) {
            return Err("The callback must not contain control characters, encoded or not.");
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        check_path(path)?;
        let ours = |piece: &str| {
            let name = piece.split('=').next().unwrap_or_default().as_bytes();
            OURS.iter().any(|ours| encode::means(name, ours, Plus::Space))
        };
        if query.split('&').any(ours) {
            return Err("The callback must not have oauth_token or oauth_verifier in its query.");
        }
        let start = text.len() - rest.len();
        Ok(Self {
            path: (start, start + path.len()),
            text: text.to_owned(),
            origin,
        })
    }
}

/// Refuses what some reader of the path could take for `..`: also encoded, also behind a `;`.
fn check_path(path: &str) -> Result<(), &'static str> {
    let decoded = encode::decode(path).unwrap_or_default();
    if decoded.contains(&b'\\') {
        return Err("The path must not contain a backslash.");
    }
    let dots = |segment: &[u8]| {
        let name = segment.split(|&byte| byte == b';').next().unwrap_or_default();
        matches!(name, b"." | b"..")
    };
    if decoded.split(|&byte| byte == b'/').any(dots) {
        return Err("The path must not contain the segments `.` and `..`.");
    }
    Ok(())
}

/// Why a character must not stand in a callback.
fn unwelcome(character: char) -> Option<&'static str> {
    match character {
        '#' => Some("The callback must not have a fragment."),
        '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
            Some("Percent-encode backslashes, quotes, brackets and braces in the callback.")
        }
        '!'..='~' => None,
        _ => Some("The callback must consist of printable ASCII characters."),
    }
}

const OURS: [&str; 2] = ["oauth_token", "oauth_verifier"];

#[cfg(test)]
mod tests;

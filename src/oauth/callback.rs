//! Where the user returns: out of band, or to a URL of the consumer (RFC 5849, sections 2.1 and 2.2).

use super::credentials::{Token, Verifier};
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
pub struct CallbackUrl(String);

impl Callback {
    /// Reads `oauth_callback` strictly: `oob`, or an absolute http(s) URL of printable ASCII without user information,
    /// backslash, fragment, dot segments or an `oauth_verifier` of its own.
    pub fn parse(_text: &str) -> Result<Self, Problem> {
        todo!()
    }

    /// The callback as it was sent.
    pub fn as_str(&self) -> &str {
        todo!()
    }
}

impl CallbackUrl {
    /// The URL as the consumer sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme and authority, for `Content-Security-Policy: form-action`.
    pub fn origin(&self) -> &str {
        todo!()
    }

    /// The host, for people.
    pub fn host(&self) -> &str {
        todo!()
    }

    /// The callback with `oauth_token` and `oauth_verifier` appended (`?` or `&`).
    pub fn approved(&self, _token: &Token, _verifier: &Verifier) -> String {
        todo!()
    }

    /// The callback with `oauth_token` and `oauth_verifier=denied` appended, which is how AppLinks are told of a refusal.
    pub fn denied(&self, _token: &Token) -> String {
        todo!()
    }
}

/// An allowed callback of a consumer: an origin (`https://host[:port]`, port `*` for any), with an optional path prefix
/// that ends at a segment's boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackPattern {
    text: String,
}

impl CallbackPattern {
    /// Reads a pattern. The error is a sentence that says what to write instead.
    pub fn parse(_text: &str) -> Result<Self, &'static str> {
        todo!()
    }

    /// The pattern as it was configured.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a callback is one of those that this pattern allows.
    pub fn allows(&self, _url: &CallbackUrl) -> bool {
        todo!()
    }
}

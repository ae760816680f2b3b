//! What an administrator allows as a callback.

use crate::oauth::encode;
use crate::oauth::origin::{self, Origin};

use super::{CallbackUrl, check_path, unwelcome};

/// An allowed callback of a consumer: an origin (`https://host[:port]`, port `*` for any), with an optional path prefix
/// that ends at a segment's boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedCallback {
    text: String,
    origin: Origin,
    any_port: bool,
    prefix: String,
}

impl AllowedCallback {
    /// Reads a pattern. The error is a sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("Write the callback without white space.");
        }
        let (scheme, authority, prefix) = origin::pieces(text)?;
        if prefix.contains(['?', '#']) {
            return Err(
                "Leave the query and the fragment out: scheme, host, port and the beginning of the path.",
            );
        }
        if prefix.contains('*') || authority.starts_with('*') {
            return Err(
                "Only the port may be *: name the host, and leave out what may vary at the end of the path.",
            );
        }
        if let Some(why) = prefix.chars().find_map(unwelcome) {
            return Err(why);
        }
        encode::decode(prefix).map_err(|_| "A percent sign in the path must begin an escape.")?;
        check_path(prefix)?;
        let (host, port) = origin::host_and_port(authority)?;
        let any_port = port == Some("*");
        let port = port.filter(|_| !any_port).map(origin::port_number).transpose()?;
        Ok(Self {
            text: text.to_owned(),
            origin: Origin::new(scheme, host, port),
            any_port,
            prefix: prefix.to_owned(),
        })
    }

    /// The pattern as it was configured.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a callback is one of those that this pattern allows.
    ///
    /// Scheme and host must be the same; so must the port, unless the pattern has `*` for it. The callback's path must
    /// begin with the pattern's, letter by letter, and go on at a slash or end there.
    pub fn allows(&self, url: &CallbackUrl) -> bool {
        let same = if self.any_port {
            self.origin.differs_only_in_port(&url.origin)
        } else {
            self.origin == url.origin
        };
        let rest = url.path().strip_prefix(self.prefix.as_str());
        let whole = |rest: &str| rest.is_empty() || rest.starts_with('/') || self.prefix.ends_with('/');
        same && rest.is_some_and(whole)
    }
}

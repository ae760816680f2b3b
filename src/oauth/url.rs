//! The [`Origin`] of any http or https URL, and the [`PublicUrl`]s of linkgate (RFC 6454; RFC 3986, section 3.2). A host is
//! parsed more strictly than browsers do it: the `url` crate takes `h;x`, which would end a directive of a
//! `Content-Security-Policy`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// Scheme, host and port of an http or https URL: lower case, without user information and default ports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    text: String,
    host: Range<usize>,
}

impl Origin {
    /// Parses the origin at the beginning of a URL. Returns it with the rest: empty, or from `/`, `?` or `#` on.
    ///
    /// # Errors
    ///
    /// A sentence that names what is wrong.
    pub fn split(url: &str) -> Result<(Self, &str), &'static str> {
        let url = SplitUrl::parse(url)?;
        let port = url.port.map(parse_port).transpose()?;
        Ok((Self::new(url.is_secure, url.host, port), url.rest))
    }

    /// Scheme and authority: `https://builds.example.com`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host and, unless it is the default one, the port.
    pub fn authority(&self) -> &str {
        &self.text[self.host.start..]
    }

    /// The host. An IPv6 address has its brackets.
    pub fn host(&self) -> &str {
        &self.text[self.host.clone()]
    }

    /// Whether the scheme is https.
    pub fn is_secure(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether another origin has the same scheme and the same host. Ports are not compared.
    pub fn same_scheme_and_host(&self, other: &Self) -> bool {
        self.text[..self.host.end] == other.text[..other.host.end]
    }

    pub(super) fn new(is_secure: bool, host: &str, port: Option<u16>) -> Self {
        let scheme = if is_secure { "https://" } else { "http://" };
        let port = port.filter(|&port| port != if is_secure { 443 } else { 80 });
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let text = format!("{scheme}{}{port}", host.to_ascii_lowercase());
        let host = scheme.len()..text.len() - port.len();
        Self { text, host }
    }
}

/// A URL under which consumers reach linkgate: scheme, authority and, if a front proxy strips one, a path prefix. Consumers
/// sign it followed by the path of the request as it arrived; the `Host` field is not signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicUrl {
    text: String,
    origin: Origin,
}

impl PublicUrl {
    /// Parses `http://host[:port][/path]` or `https://...`, without query, fragment and user information.
    ///
    /// # Errors
    ///
    /// A sentence that names what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (origin, path) = Origin::split(text)?;
        if path.contains(['?', '#']) {
            return Err("Leave the query and the fragment out: only scheme, host, port and path.");
        }
        let path = path.trim_end_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\');
        if !path.bytes().all(is_plain) {
            return Err("Percent-encode whatever is not a plain ASCII character in the path.");
        }
        let mut segments = path.split('/').skip(1);
        if segments.any(|segment| matches!(segment, "" | "." | "..")) {
            return Err("Write the path without empty segments, `.` and `..`.");
        }
        Ok(Self {
            text: format!("{}{path}", origin.as_str()),
            origin,
        })
    }

    /// The whole URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and authority, in lower case and without a default port: `https://builds.example.com`.
    pub fn origin(&self) -> &str {
        self.origin.as_str()
    }

    /// The authority, in lower case and without a default port.
    pub fn authority(&self) -> &str {
        self.origin.authority()
    }

    /// The host.
    pub fn host(&self) -> &str {
        self.origin.host()
    }

    /// Whether the scheme is https.
    pub fn is_secure(&self) -> bool {
        self.origin.is_secure()
    }

    /// The path before the path of every request: empty, or `/ctx`.
    pub fn path_prefix(&self) -> &str {
        &self.text[self.origin.as_str().len()..]
    }

    /// The path of a request without that path, which a front proxy may have removed or not.
    pub fn relative<'a>(&self, path: &'a str) -> &'a str {
        let below = path.strip_prefix(self.path_prefix());
        below.filter(|below| below.starts_with('/')).unwrap_or(path)
    }
}

/// The path below which linkgate's own pages and endpoints are; in the code it is `/oauth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPrefix(String);

impl PathPrefix {
    /// Parses a path of letters, digits, `-` and `_`, without a slash at its end.
    ///
    /// # Errors
    ///
    /// A sentence that names what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_segment = |segment: &str| !segment.is_empty() && segment.bytes().all(is_allowed);
        match text.strip_prefix('/') {
            Some(path) if path.split('/').all(is_segment) => Ok(Self(text.to_owned())),
            _ => Err("Write a path of letters and digits, without a slash at its end: \"/linkgate\"."),
        }
    }

    /// A path of the code as it is requested.
    pub fn place(&self, path: &str) -> String {
        moved(path, OWN, &self.0).unwrap_or_else(|| path.to_owned())
    }

    /// The path in the code, if a requested path is below this one.
    pub fn find(&self, path: &str) -> Option<String> {
        moved(path, &self.0, OWN)
    }
}

impl Default for PathPrefix {
    fn default() -> Self {
        Self(OWN.to_owned())
    }
}

const OWN: &str = "/oauth";

fn moved(path: &str, from: &str, to: &str) -> Option<String> {
    let below = path.strip_prefix(from)?;
    (below.is_empty() || below.starts_with(['/', '?'])).then(|| format!("{to}{below}"))
}

/// The parts of an http or https URL. The host is checked.
pub(super) struct SplitUrl<'a> {
    pub(super) is_secure: bool,
    pub(super) host: &'a str,
    pub(super) port: Option<&'a str>,
    /// Empty, or from `/`, `?` or `#` on.
    pub(super) rest: &'a str,
}

impl<'a> SplitUrl<'a> {
    pub(super) fn parse(url: &'a str) -> Result<Self, &'static str> {
        const NOT_ABSOLUTE: &str = "It must be an absolute URL that begins with https:// or http://.";
        let (scheme, rest) = url.split_once("://").ok_or(NOT_ABSOLUTE)?;
        let is_secure = scheme.eq_ignore_ascii_case("https");
        if !is_secure && !scheme.eq_ignore_ascii_case("http") {
            return Err("It must begin with https:// or http://.");
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("It must not contain a user name or @.");
        }
        // The colon before a port follows the brackets of an IPv6 address.
        let brackets = authority.find(']').unwrap_or(0);
        let colon = authority[brackets..].find(':').map(|colon| brackets + colon);
        let (host, port) = match colon {
            Some(colon) => (&authority[..colon], Some(&authority[colon + 1..])),
            None => (authority, None),
        };
        if !is_valid_host(host) {
            return Err(if host.is_ascii() {
                "It has no valid host name after the two slashes."
            } else {
                "Write a host of other letters than a-z in its xn-- form."
            });
        }
        Ok(Self {
            is_secure,
            host,
            port,
            rest,
        })
    }
}

/// Parses a port of 1 to 65535, in its one spelling.
pub(super) fn parse_port(text: &str) -> Result<u16, &'static str> {
    let is_canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = is_canonical.then(|| text.parse().ok()).flatten();
    port.ok_or("The port must be a number from 1 to 65535.")
}

/// Whether a host is an IP address or a DNS name of ASCII labels; names in other scripts can look alike.
fn is_valid_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']');
        return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| {
        let has_hyphen = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && label.bytes().all(is_allowed) && !has_hyphen
    };
    // Browsers read a host whose last label begins with a digit as an IPv4 address, in many notations.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_numeric = last.starts_with(|first: char| first.is_ascii_digit());
    host.len() <= 253 && host.split('.').all(is_label) && (!is_numeric || host.parse::<Ipv4Addr>().is_ok())
}

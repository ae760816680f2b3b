//! Scheme and authority of a URL, read strictly (RFC 6454, section 4; RFC 3986, section 3.2).

use std::net::{Ipv4Addr, Ipv6Addr};

/// Scheme, host and port of an http or https URL: lower case, without user information, default ports left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    text: String,
    /// Where the host begins in `text`.
    host: usize,
    /// Where it ends.
    host_end: usize,
}

impl Origin {
    /// Reads the origin at the beginning of a URL, and what follows it: empty, or from `/`, `?` or `#` on.
    ///
    /// The error is a sentence that says what is wrong.
    pub fn split(url: &str) -> Result<(Self, &str), &'static str> {
        let (scheme, authority, rest) = pieces(url)?;
        let (host, port) = host_and_port(authority)?;
        let port = port.map(port_number).transpose()?;
        Ok((Self::new(scheme, host, port), rest))
    }

    /// Scheme and authority: `https://builds.example.com`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and, unless it is the default one, port.
    pub fn authority(&self) -> &str {
        &self.text[self.host..]
    }

    /// The host alone. An IPv6 address keeps its brackets.
    pub fn host(&self) -> &str {
        &self.text[self.host..self.host_end]
    }

    /// `true` for https.
    pub fn is_secure(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether scheme and host are the same, whatever the port.
    pub fn differs_only_in_port(&self, other: &Self) -> bool {
        self.text[..self.host_end] == other.text[..other.host_end]
    }

    /// An origin of checked parts.
    pub(super) fn new(scheme: Scheme, host: &str, port: Option<u16>) -> Self {
        let mut text = scheme.prefix().to_owned();
        let start = text.len();
        text.push_str(host);
        text.make_ascii_lowercase();
        let host_end = text.len();
        if let Some(port) = port.filter(|&port| port != scheme.port()) {
            text.push(':');
            text.push_str(&port.to_string());
        }
        Self {
            text,
            host: start,
            host_end,
        }
    }
}

/// The schemes that OAuth is spoken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, authority, and the rest from `/`, `?` or `#` on.
pub(super) fn pieces(url: &str) -> Result<(Scheme, &str, &str), &'static str> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or("It must be an absolute URL that begins with https:// or http://.")?;
    let scheme = if scheme.eq_ignore_ascii_case("https") {
        Scheme::Https
    } else if scheme.eq_ignore_ascii_case("http") {
        Scheme::Http
    } else {
        return Err("It must begin with https:// or http://.");
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    Ok((scheme, authority, rest))
}

/// A checked host, and the text of the port when there is one.
pub(super) fn host_and_port(authority: &str) -> Result<(&str, Option<&str>), &'static str> {
    if authority.contains('@') {
        return Err("It must not contain a user name or @.");
    }
    let end = if authority.starts_with('[') {
        authority.find(']').map_or(authority.len(), |at| at + 1)
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, after) = authority.split_at(end);
    check_host(host)?;
    match after.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if after.is_empty() => Ok((host, None)),
        None => Err(BAD_HOST),
    }
}

/// A port of 1 to 65535 in its one spelling.
pub(super) fn port_number(text: &str) -> Result<u16, &'static str> {
    let canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = canonical.then(|| text.parse().ok()).flatten();
    port.ok_or("The port must be a number from 1 to 65535.")
}

/// A DNS name of ASCII labels, or an IP address. Names of other scripts must come in their `xn--` form, so that nobody
/// mistakes one host for another.
fn check_host(host: &str) -> Result<(), &'static str> {
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner
            .strip_suffix(']')
            .and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return address.map(|_| ()).ok_or(BAD_HOST);
    }
    if !host.is_ascii() {
        return Err("Write a host of other letters than a-z in its xn-- form.");
    }
    let label = |label: &str| {
        let fits = (1..=63).contains(&label.len());
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        fits && label.bytes().all(allowed) && !label.starts_with('-') && !label.ends_with('-')
    };
    // Browsers read a last label that begins with a digit as an IPv4 address, in whatever notation.
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with(|first: char| first.is_ascii_digit());
    let named = host.len() <= 253 && host.split('.').all(label);
    if named && (!numeric || host.parse::<Ipv4Addr>().is_ok()) {
        Ok(())
    } else {
        Err(BAD_HOST)
    }
}

const BAD_HOST: &str = "It has no valid host name after the two slashes.";

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Result<String, &'static str> {
        Origin::split(url).map(|(origin, rest)| format!("{} {rest}", origin.as_str()))
    }

    #[test]
    fn the_same_origin_has_one_spelling() {
        assert_eq!(
            origin("HTTPS://H.Example:443/A?b").unwrap(),
            "https://h.example /A?b"
        );
        assert_eq!(origin("http://h:80").unwrap(), "http://h ");
        assert_eq!(origin("http://h:443?q").unwrap(), "http://h:443 ?q");
        assert_eq!(
            origin("https://[2001:DB8::1]:8443#f").unwrap(),
            "https://[2001:db8::1]:8443 #f"
        );
    }

    #[test]
    fn whatever_two_readers_could_read_differently_is_refused() {
        for url in [
            "h/a",
            "//h/a",
            "/a",
            "",
            "ftp://h",
            "https:h",
            "https:/h",
            "https://",
            "https:///a",
            "https://h:",
            "https://h:0",
            "https://h:080",
            "https://h:65536",
            "https://h:+80",
            "https://u@h",
            "https://u:p@h",
            "https://h@",
            "https://h%40x",
            "https://h\\x",
            "https://h\\@x/",
            "https://h.",
            "https://.h",
            "https://a..b",
            "https://h x",
            "https://h\t",
            "https://h\0",
            "https://-h",
            "https://b\u{456}t",
            "https://[::1",
            "https://[::1]x",
            "https://[::g]",
            "https://::1",
            "https://127.1",
            "https://0x7f.0.0.0x1",
            "https://2130706433",
            "https://256.0.0.1",
            "javascript://h/%0aalert(1)",
            " https://h",
            "https ://h",
        ] {
            assert!(origin(url).is_err(), "{url}");
        }
    }

    #[test]
    fn addresses_and_inner_names_are_hosts() {
        for url in [
            "http://127.0.0.1:8080",
            "http://[::1]",
            "http://bitbucket_server:7990",
            "http://xn--bcher-kva.example",
        ] {
            assert!(origin(url).is_ok(), "{url}");
        }
    }
}

//! What the proxies in front of us say about a request: `X-Forwarded-*`, and `Forwarded` (RFC 7239).

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::error::GatewayError;

/// The proxies whose word counts, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Takes the networks in which trusted proxies live.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether an address is one of theirs.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who sent the request: from our peer backwards, the first address that is no trusted proxy.
    pub(super) fn client(&self, peer: IpAddr, chain: &[Hop]) -> IpAddr {
        let mut client = peer.to_canonical();
        for hop in chain.iter().rev() {
            match hop {
                Hop::Address(address) if self.contains(client) => client = *address,
                _ => break,
            }
        }
        client
    }
}

/// What the proxy that speaks to us says. Of several values in one field the last counts: it wrote that one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    /// The hops before the proxy, the farthest first.
    pub(super) chain: Vec<Hop>,
    /// The authority that its client asked for.
    pub(super) host: Option<String>,
    /// The scheme that its client used, lower case.
    pub(super) proto: Option<String>,
}

/// One hop on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// A known address.
    Address(IpAddr),
    /// `unknown`, an obfuscated name, or nonsense: nothing before it can be believed.
    Unknown,
}

impl Forwarded {
    /// Reads both families of a trusted proxy. Two families that tell two stories are refused: one of them came from
    /// a stranger, and we cannot know which.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, GatewayError> {
        if !headers.keys().any(is_about_forwarding) {
            return Ok(Self::default());
        }
        let x = Self::from_x(headers)?;
        if !headers.contains_key(FORWARDED) {
            return Ok(x);
        }
        let standard = Self::from_standard(headers)?;
        if differ(x.host.as_ref(), standard.host.as_ref())
            || differ(x.proto.as_ref(), standard.proto.as_ref())
            || differ(x.chain.last(), standard.chain.last())
        {
            return Err(GatewayError::Ambiguous("Forwarded and X-Forwarded-* disagree."));
        }
        let has_chain = !x.chain.is_empty();
        Ok(Self {
            chain: if has_chain { x.chain } else { standard.chain },
            host: x.host.or(standard.host),
            proto: x.proto.or(standard.proto),
        })
    }

    fn from_x(headers: &HeaderMap) -> Result<Self, GatewayError> {
        let last = |name| Ok(list(headers, name)?.pop().map(str::to_ascii_lowercase));
        Ok(Self {
            chain: list(headers, &X_FORWARDED_FOR)?
                .into_iter()
                .map(Hop::parse)
                .collect(),
            host: last(&X_FORWARDED_HOST)?,
            proto: last(&X_FORWARDED_PROTO)?,
        })
    }

    fn from_standard(headers: &HeaderMap) -> Result<Self, GatewayError> {
        let mut read = Self::default();
        for value in headers.get_all(FORWARDED) {
            let text = value.to_str().map_err(|_| UNREADABLE)?;
            for element in split_unquoted(text, b',') {
                // Each element is one hop, so the last one replaces what those before it said.
                (read.host, read.proto) = (None, None);
                for pair in split_unquoted(element, b';') {
                    let Some((name, value)) = pair.split_once('=') else {
                        continue;
                    };
                    let value = value.trim().trim_matches('"');
                    match name.trim().to_ascii_lowercase().as_str() {
                        "for" => read.chain.push(Hop::parse(value)),
                        "host" => read.host = Some(value.to_ascii_lowercase()),
                        "proto" => read.proto = Some(value.to_ascii_lowercase()),
                        _ => {}
                    }
                }
            }
        }
        Ok(read)
    }
}

impl Hop {
    /// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim().trim_matches('"');
        let bare = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        let address = bare
            .parse()
            .ok()
            .or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()));
        address.map_or(Self::Unknown, |address: IpAddr| {
            Self::Address(address.to_canonical())
        })
    }
}

impl Display for Hop {
    /// As it stands in `X-Forwarded-For`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Unknown => f.write_str(UNKNOWN),
        }
    }
}

/// Whether one of the fields may be read that a [`Forwarded`] is made of.
fn is_about_forwarding(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("x-forwarded-") || name == "forwarded"
}

/// All values of a field, over all lines and commas.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Vec<&'a str>, GatewayError> {
    let mut values = Vec::new();
    for line in headers.get_all(name) {
        let line = line.to_str().map_err(|_| UNREADABLE)?;
        values.extend(line.split(',').map(str::trim).filter(|value| !value.is_empty()));
    }
    Ok(values)
}

fn split_unquoted(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        !quoted && c == char::from(separator)
    })
}

fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

/// Who sent the request, written by proxies.
pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The authority that the client asked for.
pub(super) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The scheme that the client used.
pub(super) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A hop of which nothing is known (RFC 7239, section 6.2).
pub(super) const UNKNOWN: &str = "unknown";

const UNREADABLE: GatewayError = GatewayError::Ambiguous("A forwarding header cannot be read.");

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn address(text: &str) -> Hop {
        Hop::Address(text.parse().unwrap())
    }

    #[test]
    fn reads_both_families() {
        let x = headers(&[
            ("x-forwarded-for", "192.0.2.1, 2001:db8::1"),
            ("x-forwarded-for", "[2001:db8::2]:443,192.0.2.2:80"),
            ("x-forwarded-host", "evil.example, Builds.example.com"),
            ("x-forwarded-proto", "HTTPS"),
        ]);
        let read = Forwarded::read(&x).unwrap();
        assert_eq!(
            read.chain,
            [
                address("192.0.2.1"),
                address("2001:db8::1"),
                address("2001:db8::2"),
                address("192.0.2.2")
            ]
        );
        assert_eq!(read.host.as_deref(), Some("builds.example.com"));
        assert_eq!(read.proto.as_deref(), Some("https"));

        let standard = headers(&[(
            "forwarded",
            r#"for=192.0.2.1;host="evil, example", For="[2001:db8::1]:80";PROTO=https;host=a"#,
        )]);
        let read = Forwarded::read(&standard).unwrap();
        assert_eq!(read.chain, [address("192.0.2.1"), address("2001:db8::1")]);
        assert_eq!(read.host.as_deref(), Some("a"));
        assert_eq!(read.proto.as_deref(), Some("https"));
    }

    #[test]
    fn refuses_two_stories() {
        for (name, value) in [
            ("x-forwarded-host", "b"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-for", "192.0.2.9"),
        ] {
            let both = headers(&[("forwarded", "for=192.0.2.1;proto=https;host=a"), (name, value)]);
            assert!(
                matches!(Forwarded::read(&both), Err(GatewayError::Ambiguous(_))),
                "{name}"
            );
        }
        let agreeing = headers(&[
            ("forwarded", "proto=https;host=a"),
            ("x-forwarded-host", "a"),
            ("x-forwarded-for", "192.0.2.1"),
        ]);
        assert_eq!(Forwarded::read(&agreeing).unwrap().chain, [address("192.0.2.1")]);
    }

    #[test]
    fn believes_trusted_hops_only() {
        let trusted = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        let chain = [address("1.1.1.1"), address("2.2.2.2"), address("10.0.0.2")];
        assert_eq!(trusted.client(ip("10.0.0.1"), &chain), ip("2.2.2.2"));
        assert_eq!(trusted.client(ip("::ffff:10.0.0.1"), &chain), ip("2.2.2.2"));
        assert_eq!(trusted.client(ip("9.9.9.9"), &chain), ip("9.9.9.9"));
        let hidden = [address("1.1.1.1"), Hop::Unknown];
        assert_eq!(trusted.client(ip("10.0.0.1"), &hidden), ip("10.0.0.1"));
    }

    #[test]
    fn nonsense_is_hidden() {
        for text in [
            "unknown",
            "_secret",
            "",
            "[",
            "]",
            "[]",
            "300.1.1.1",
            "\"",
            "1.2.3.4:99999",
        ] {
            assert_eq!(Hop::parse(text), Hop::Unknown, "{text}");
        }
    }
}

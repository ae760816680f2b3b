//! What proxies in front of us say about a request: `X-Forwarded-*`, and `Forwarded` (RFC 7239).

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::fault::Fault;

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
    Hidden,
}

impl Forwarded {
    /// Reads both families of a trusted proxy. Two families that tell two stories are refused: one of them came from
    /// a stranger, and we cannot know which.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Fault> {
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
            return Err(Fault::Ambiguous("Forwarded and X-Forwarded-* disagree."));
        }
        let has_chain = !x.chain.is_empty();
        Ok(Self {
            chain: if has_chain { x.chain } else { standard.chain },
            host: x.host.or(standard.host),
            proto: x.proto.or(standard.proto),
        })
    }

    fn from_x(headers: &HeaderMap) -> Result<Self, Fault> {
        let last = |name| Ok(list(headers, name)?.pop().map(str::to_ascii_lowercase));
        Ok(Self {
            chain: list(headers, &X_FORWARDED_FOR)?
                .into_iter()
                .map(Hop::read)
                .collect(),
            host: last(&X_FORWARDED_HOST)?,
            proto: last(&X_FORWARDED_PROTO)?,
        })
    }

    fn from_standard(headers: &HeaderMap) -> Result<Self, Fault> {
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
                        "for" => read.chain.push(Hop::read(value)),
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
    fn read(text: &str) -> Self {
        let text = text.trim().trim_matches('"');
        let bare = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        let address = bare
            .parse()
            .ok()
            .or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()));
        address.map_or(Self::Hidden, |address: IpAddr| {
            Self::Address(address.to_canonical())
        })
    }
}

impl Display for Hop {
    /// As it stands in `X-Forwarded-For`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Hidden => f.write_str(HIDDEN),
        }
    }
}

/// The hops of a request as the application is told of them, our peer the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// As it stands in `X-Forwarded-For`.
    text: String,
    /// Where our peer begins in it.
    peer_at: usize,
    peer: IpAddr,
}

impl Chain {
    /// What was said of the hops before our peer, and our peer.
    pub(super) fn new(before: &[&str], peer: IpAddr) -> Self {
        let mut text = String::with_capacity(LONGEST_ADDRESS);
        for hop in before {
            text.push_str(hop);
            text.push_str(", ");
        }
        let (peer_at, peer) = (text.len(), peer.to_canonical());
        push_address(&mut text, peer);
        Self { text, peer_at, peer }
    }

    /// As it stands in `X-Forwarded-For`.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// As it stands in `Forwarded` (RFC 7239, section 4): each hop an element, and in the last one, which is about the peer
    /// that spoke to us, what it called.
    pub(super) fn standard(&self, host: &str, proto: &str) -> String {
        let (before, peer) = self.text.split_at(self.peer_at);
        let mut out = String::with_capacity(2 * self.text.len() + host.len() + 32);
        let hops = before.strip_suffix(", ").map(|before| before.split(','));
        for hop in hops.into_iter().flatten() {
            match Hop::read(hop) {
                Hop::Address(address) => push_hop(&mut out, &address.to_string(), address.is_ipv6()),
                Hop::Hidden => push_hop(&mut out, HIDDEN, false),
            }
        }
        push_hop(&mut out, peer, self.peer.is_ipv6());
        // A token needs no quotes, and a port makes it none.
        let quote = if host.contains([':', '[']) { "\"" } else { "" };
        for part in [";host=", quote, host, quote, ";proto=", proto] {
            out.push_str(part);
        }
        out
    }
}

fn push_hop(out: &mut String, hop: &str, is_ipv6: bool) {
    let (before, after) = if is_ipv6 { ("\"[", "]\"") } else { ("", "") };
    let separator = if out.is_empty() { "for=" } else { ", for=" };
    for part in [separator, before, hop, after] {
        out.push_str(part);
    }
}

/// Appends an address as it displays itself. Every request has one, so the usual kind is spared the machinery.
pub(super) fn push_address(out: &mut String, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        return out.push_str(&address.to_string());
    };
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            out.push('.');
        }
        for unit in [100, 10, 1] {
            if octet >= unit || unit == 1 {
                out.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
}

/// Whether one of the fields may be read that a [`Forwarded`] is made of.
fn is_about_forwarding(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("x-forwarded-") || name == "forwarded"
}

/// All values of a field, over all lines and commas.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Vec<&'a str>, Fault> {
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

/// Characters of the longest address: eight groups of four digits.
const LONGEST_ADDRESS: usize = 39;

/// A hop of which nothing is known (RFC 7239, section 6.2).
const HIDDEN: &str = "unknown";

const UNREADABLE: Fault = Fault::Ambiguous("A forwarding header cannot be read.");

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
    fn addresses_are_written_as_they_display_themselves() {
        let octets = [0, 1, 9, 10, 99, 100, 101, 199, 200, 255];
        let v4 = octets.map(|octet| IpAddr::from([octet, 127, 0, 255 - octet]));
        for address in v4.into_iter().chain(["::1".parse().unwrap()]) {
            let mut out = String::new();
            push_address(&mut out, address);
            assert_eq!(out, address.to_string());
        }
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
                matches!(Forwarded::read(&both), Err(Fault::Ambiguous(_))),
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
        let hidden = [address("1.1.1.1"), Hop::Hidden];
        assert_eq!(trusted.client(ip("10.0.0.1"), &hidden), ip("10.0.0.1"));
    }

    #[test]
    fn writes_both_families() {
        for (before, peer, host, x, standard) in [
            (
                &[][..],
                "192.0.2.1",
                "a.example",
                "192.0.2.1",
                "for=192.0.2.1;host=a.example;proto=https",
            ),
            (
                &["nonsense, 2001:db8::1", "[2001:db8::2]:80,192.0.2.1:81"],
                "::ffff:10.0.0.1",
                "a.example:8443",
                "nonsense, 2001:db8::1, [2001:db8::2]:80,192.0.2.1:81, 10.0.0.1",
                r#"for=unknown, for="[2001:db8::1]", for="[2001:db8::2]", for=192.0.2.1, for=10.0.0.1;host="a.example:8443";proto=https"#,
            ),
            (
                &[],
                "::1",
                "[::1]",
                "::1",
                r#"for="[::1]";host="[::1]";proto=https"#,
            ),
        ] {
            let chain = Chain::new(before, peer.parse().unwrap());
            assert_eq!((chain.as_str(), &*chain.standard(host, "https")), (x, standard));
            let value = HeaderValue::from_str(standard).unwrap();
            let read = Forwarded::read(&HeaderMap::from_iter([(FORWARDED, value)])).unwrap();
            assert_eq!(read.host.as_deref(), Some(host));
            assert_eq!(read.chain.len(), x.split(',').count());
        }
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
            assert_eq!(Hop::read(text), Hop::Hidden, "{text}");
        }
    }
}

//! What we say to the application about who sent a request: `X-Forwarded-For`, and `Forwarded` (RFC 7239).

use std::net::IpAddr;

use super::forwarded::{Hop, UNKNOWN};

/// The hops of a request as the application is told of them, our peer the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForwardedFor {
    /// As it stands in `X-Forwarded-For`.
    text: String,
    /// Where our peer begins in it.
    peer_at: usize,
    peer: IpAddr,
}

impl ForwardedFor {
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
    pub(super) fn forwarded(&self, host: &str, proto: &str) -> String {
        let (before, peer) = self.text.split_at(self.peer_at);
        let mut out = String::with_capacity(2 * self.text.len() + host.len() + 32);
        let hops = before.strip_suffix(", ").map(|before| before.split(','));
        for hop in hops.into_iter().flatten() {
            match Hop::parse(hop) {
                Hop::Address(address) => push_hop(&mut out, &address.to_string(), address.is_ipv6()),
                Hop::Unknown => push_hop(&mut out, UNKNOWN, false),
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
fn push_address(out: &mut String, address: IpAddr) {
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

/// Characters of the longest address: eight groups of four digits.
const LONGEST_ADDRESS: usize = 39;

#[cfg(test)]
mod tests {
    use http::header::FORWARDED;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::gateway::forwarded::Forwarded;

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
            let chain = ForwardedFor::new(before, peer.parse().unwrap());
            assert_eq!((chain.as_str(), &*chain.forwarded(host, "https")), (x, standard));
            let value = HeaderValue::from_str(standard).unwrap();
            let read = Forwarded::read(&HeaderMap::from_iter([(FORWARDED, value)])).unwrap();
            assert_eq!(read.host.as_deref(), Some(host));
            assert_eq!(read.chain.len(), x.split(',').count());
        }
    }
}

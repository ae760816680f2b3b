//! Forwarding header fields: reads `X-Forwarded-*` and `Forwarded` (RFC 7239) of trusted proxies, and writes them anew.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::error::GatewayError;

/// The networks of the proxies whose forwarding fields are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// Whether an address belongs to a trusted proxy. An IPv4-mapped IPv6 address is compared as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address: from `peer` backwards over `hops`, the first one that is not a trusted proxy. An unknown hop
    /// ends the search, since its sender may have made up everything before it.
    pub(super) fn client(&self, peer: IpAddr, hops: &[Hop]) -> IpAddr {
        let mut client = peer.to_canonical();
        for hop in hops.iter().rev() {
            match hop {
                Some(address) if self.contains(client) => client = *address,
                _ => break,
            }
        }
        client
    }
}

/// The forwarding fields of a trusted proxy. If a field has several values, the last one counts: the proxy appended it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ForwardingFields {
    /// The hops before the proxy, the client's side first.
    pub(super) hops: Vec<Hop>,
    /// The authority that the client requested, in lower case.
    pub(super) host: Option<String>,
    /// The scheme that the client used, in lower case.
    pub(super) proto: Option<String>,
}

impl ForwardingFields {
    /// Reads `X-Forwarded-*` and `Forwarded`. The hops of `X-Forwarded-For` win over those of `Forwarded`. If the two families
    /// name different hosts, schemes or last hops, the client sent one of them, and which one is unknown: `Ambiguous`.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, GatewayError> {
        let (x, standard) = (Self::from_x_forwarded(headers)?, Self::from_forwarded(headers)?);
        if disagree(x.host.as_ref(), standard.host.as_ref())
            || disagree(x.proto.as_ref(), standard.proto.as_ref())
            || disagree(x.hops.last(), standard.hops.last())
        {
            return Err(GatewayError::Ambiguous("Forwarded and X-Forwarded-* disagree."));
        }
        Ok(Self {
            hops: if x.hops.is_empty() { standard.hops } else { x.hops },
            host: x.host.or(standard.host),
            proto: x.proto.or(standard.proto),
        })
    }

    fn from_x_forwarded(headers: &HeaderMap) -> Result<Self, GatewayError> {
        let last = |name| Ok::<_, GatewayError>(values(headers, name)?.pop().map(str::to_ascii_lowercase));
        let hops = values(headers, &X_FORWARDED_FOR)?;
        Ok(Self {
            hops: hops.into_iter().map(parse_hop).collect(),
            host: last(&X_FORWARDED_HOST)?,
            proto: last(&X_FORWARDED_PROTO)?,
        })
    }

    /// RFC 7239, section 4.
    fn from_forwarded(headers: &HeaderMap) -> Result<Self, GatewayError> {
        let mut fields = Self::default();
        for line in headers.get_all(FORWARDED) {
            let line = line.to_str().map_err(|_| UNREADABLE)?;
            for element in split_unquoted(line, ',') {
                // Each element is one hop, and only the last hop's host and proto count.
                (fields.host, fields.proto) = (None, None);
                for (name, value) in split_unquoted(element, ';').filter_map(|pair| pair.split_once('=')) {
                    let value = value.trim().trim_matches('"');
                    match name.trim().to_ascii_lowercase().as_str() {
                        "for" => fields.hops.push(parse_hop(value)),
                        "host" => fields.host = Some(value.to_ascii_lowercase()),
                        "proto" => fields.proto = Some(value.to_ascii_lowercase()),
                        _ => {}
                    }
                }
            }
        }
        Ok(fields)
    }
}

/// The canonical address of a hop between the client and linkgate. `None`: `unknown`, an obfuscated identifier (RFC 7239,
/// section 6.3), or anything else that is not an address.
pub(super) type Hop = Option<IpAddr>;

/// Parses `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn parse_hop(text: &str) -> Hop {
    let text = text.trim().trim_matches('"');
    let in_brackets = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = in_brackets.unwrap_or(text).parse();
    let address = address.or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// The value of `X-Forwarded-For` for the upstream: the hops in `fields`, which were read from `headers`, then the peer. The
/// text of the field is kept as the proxy wrote it.
pub(super) fn forwarded_for(headers: &HeaderMap, fields: &ForwardingFields, peer: IpAddr) -> String {
    let mut hops = Vec::new();
    if !fields.hops.is_empty() {
        let lines = headers.get_all(X_FORWARDED_FOR).iter();
        hops.extend(lines.filter_map(|line| line.to_str().ok().map(str::to_owned)));
        if hops.is_empty() {
            let unknown = || "unknown".to_owned();
            hops.extend(
                fields
                    .hops
                    .iter()
                    .map(|hop| hop.map_or_else(unknown, |hop| hop.to_string())),
            );
        }
    }
    hops.push(peer.to_canonical().to_string());
    hops.join(", ")
}

/// The value of `Forwarded` (RFC 7239, section 4) for these hops: one element for each. The last element is the peer's, and
/// carries the host and the scheme of its request.
pub(super) fn forwarded(forwarded_for: &str, host: &str, proto: &str) -> String {
    let mut value = String::new();
    for hop in forwarded_for.split(',') {
        let separator = if value.is_empty() { "" } else { ", " };
        let _ = match parse_hop(hop) {
            Some(IpAddr::V6(address)) => write!(value, "{separator}for=\"[{address}]\""),
            Some(address) => write!(value, "{separator}for={address}"),
            None => write!(value, "{separator}for=unknown"),
        };
    }
    // A host with a port or an IPv6 address is not a token and needs quotes.
    let quote = if host.contains([':', '[']) { "\"" } else { "" };
    let _ = write!(value, ";host={quote}{host}{quote};proto={proto}");
    value
}

/// All values of a list field, over all its lines.
fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Vec<&'a str>, GatewayError> {
    let mut values = Vec::new();
    for line in headers.get_all(name) {
        let line = line.to_str().map_err(|_| UNREADABLE)?;
        values.extend(line.split(',').map(str::trim).filter(|value| !value.is_empty()));
    }
    Ok(values)
}

/// Splits at the separators that are not inside a quoted string.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        !is_quoted && c == separator
    })
}

fn disagree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(super) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

const UNREADABLE: GatewayError = GatewayError::Ambiguous("A forwarding header cannot be read.");

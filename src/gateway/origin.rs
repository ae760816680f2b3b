//! The origin of a request: the public URL that it was sent to, and the client that sent it.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::OriginalUri;
use http::header::{AUTHORIZATION, CONTENT_TYPE, FORWARDED, HOST};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Version};

use super::error::GatewayError;
use super::forwarded::{ForwardingFields, TrustedProxies, X_FORWARDED_FOR, forwarded_for};
use crate::http::negotiate::at_most_one;
use crate::oauth::{PublicUrl, RequestView};
use parking_lot::Mutex;

/// The configured public URLs, and the proxies whose forwarding fields are used.
#[derive(Clone, Debug)]
pub struct PublicUrls {
    /// The first one is the default.
    urls: Vec<Arc<PublicUrl>>,
    pub(super) trusted_proxies: TrustedProxies,
    /// The peers that were logged because they are no trusted proxies, at most [`MAX_LOGGED`].
    logged: Arc<Mutex<HashSet<IpAddr>>>,
}

/// The public URL and the client of a request. The signature check puts it into the request's extensions.
#[derive(Clone, Debug)]
pub struct RequestOrigin {
    /// The public URL that the consumer signed, if the request is signed.
    pub url: Arc<PublicUrl>,
    /// The client's address; `None` if the peer is not known.
    pub client: Option<IpAddr>,
    /// The authority that the client requested, as it or a trusted proxy wrote it.
    pub(super) host: Option<HeaderValue>,
    pub(super) scheme: &'static str,
    /// The hops between the client and the upstream; `None` if the peer is not known.
    pub(super) forwarded_for: Option<String>,
    pub(super) is_trusted_peer: bool,
    /// The installations of linkgate that forwarded the request, if there are any.
    pub(super) via: Option<HeaderValue>,
}

impl RequestOrigin {
    /// The request as its consumer signed it. `form` is the body, if it is a form.
    pub fn view<'a>(
        &'a self,
        head: &'a Parts,
        authorization: &'a [&'a [u8]],
        form: Option<&'a [u8]>,
    ) -> RequestView<'a> {
        // A router may have changed the path.
        let uri = head.extensions.get().map_or(&head.uri, |OriginalUri(uri)| uri);
        RequestView {
            method: head.method.as_str(),
            url: &self.url,
            secure: self.is_secure(),
            path: self.url.relative(uri.path()),
            query: head.uri.query(),
            authorization,
            form,
            has_other_body: form.is_none()
                && head.headers.contains_key(CONTENT_TYPE)
                && !head.method.is_safe(),
        }
    }

    /// Rejects a request that this installation has forwarded before.
    pub(super) fn check_loop(self) -> Result<Self, GatewayError> {
        let via = self.via.as_ref().map_or(&[][..], HeaderValue::as_bytes);
        let mut hops = via.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        if hops.any(|hop| hop == self.url.authority().as_bytes()) {
            return Err(GatewayError::Loop);
        }
        Ok(self)
    }

    /// Whether the client used https, according to the public URL and to a trusted proxy, if there is one.
    pub fn is_secure(&self) -> bool {
        self.url.is_secure() && self.scheme == "https"
    }
}

impl PublicUrls {
    /// Takes the default public URL, the further ones, and the proxies whose forwarding fields are used.
    pub fn new(default: PublicUrl, further: Vec<PublicUrl>, trusted_proxies: TrustedProxies) -> Self {
        let urls = [default].into_iter().chain(further).map(Arc::new);
        Self {
            urls: urls.collect(),
            trusted_proxies,
            logged: Arc::default(),
        }
    }

    /// The default public URL.
    pub fn default_url(&self) -> &PublicUrl {
        &self.urls[0]
    }

    /// Whether a browser's `Origin` (RFC 6454, section 7) is of this site: that of a public URL, or of the host that its
    /// request names.
    pub fn is_own_origin(&self, request: &RequestOrigin, origin: &[u8]) -> bool {
        let host = request.host.as_ref().map(HeaderValue::as_bytes);
        let named = host.map(|host| [request.scheme.as_bytes(), b"://", host].concat());
        named.is_some_and(|named| named == origin)
            || self.urls.iter().any(|url| url.origin().as_bytes() == origin)
    }

    /// Logs a peer that sends forwarding fields and is no trusted proxy, once.
    fn log_untrusted(&self, headers: &HeaderMap, peer: Option<IpAddr>) {
        let Some(peer) = peer.as_ref().map(IpAddr::to_canonical) else {
            return;
        };
        let is_forwarded = headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED);
        let is_new = |logged: &mut HashSet<_>| logged.len() < MAX_LOGGED && logged.insert(peer);
        if is_forwarded && is_new(&mut self.logged.lock()) {
            tracing::warn!(
                %peer,
                "{peer} sends X-Forwarded-For or Forwarded and is no trusted proxy: the fields are ignored, and it counts as \
                 the client; if it is yours, write server.trusted_proxies = [\"{peer}\"]"
            );
        }
    }

    /// Determines the origin of a request.
    ///
    /// A further public URL is chosen if the request names its authority and, through a trusted proxy, its scheme. An
    /// unknown authority chooses the default: if another URL was signed, the signature does not match. Two different
    /// authorities or none (RFC 9112, section 3.2) are `Ambiguous`, and so are forwarding fields that contradict each other.
    pub fn origin(&self, parts: &Parts, peer: Option<IpAddr>) -> Result<RequestOrigin, GatewayError> {
        let own = authority(parts)?;
        let is_trusted_peer = peer.is_some_and(|peer| self.trusted_proxies.contains(peer));
        let fields = if is_trusted_peer {
            ForwardingFields::read(&parts.headers)?
        } else {
            self.log_untrusted(&parts.headers, peer);
            ForwardingFields::default()
        };
        if fields.host.as_deref().is_some_and(|host| !is_authority(host)) {
            return Err(GatewayError::Ambiguous("X-Forwarded-Host is not a host."));
        }
        let (host, proto) = (fields.host.as_deref().or(own), fields.proto.as_deref());
        let named = host.and_then(|host| self.urls.iter().find(|url| is_named(url, host, proto)));
        let url = named.unwrap_or(&self.urls[0]);
        let scheme = match proto {
            Some("https") => "https",
            Some("http") => "http",
            _ => scheme_of(url),
        };
        Ok(RequestOrigin {
            url: Arc::clone(url),
            client: peer.map(|peer| self.trusted_proxies.client(peer, &fields.hops)),
            host: host.and_then(|host| HeaderValue::from_str(host).ok()),
            scheme,
            forwarded_for: peer.map(|peer| forwarded_for(&parts.headers, &fields, peer)),
            is_trusted_peer,
            via: parts.headers.get(X_LINKGATE_VIA).cloned(),
        })
    }
}

/// The values of all `Authorization` fields.
pub fn authorization(headers: &HeaderMap) -> Vec<&[u8]> {
    let fields = headers.get_all(AUTHORIZATION).iter();
    fields.map(HeaderValue::as_bytes).collect()
}

/// The authority that the request itself names: `Host`, or the target's (`:authority` in HTTP/2), which must agree.
/// `None` for an HTTP/1.0 request without either.
pub(super) fn authority(request: &Parts) -> Result<Option<&str>, GatewayError> {
    let host = at_most_one(&request.headers, HOST)
        .map_err(|_| GatewayError::Ambiguous("The request names Host twice."))?
        .map(|host| host.to_str().ok().filter(|host| is_authority(host)))
        .map(|host| host.ok_or(GatewayError::Ambiguous("Host is not a host.")))
        .transpose()?;
    let target = request.uri.authority().map(Authority::as_str);
    if target.is_some_and(|target| !is_authority(target)) {
        return Err(GatewayError::Ambiguous("The request's target is not a host."));
    }
    if let (Some(target), Some(host)) = (target, host) {
        let scheme = request.uri.scheme().unwrap_or(&Scheme::HTTP).as_str();
        if !without_default_port(target, scheme).eq_ignore_ascii_case(without_default_port(host, scheme)) {
            return Err(GatewayError::Ambiguous("Host and the request's target disagree."));
        }
    }
    match host.or(target) {
        None if request.version == Version::HTTP_11 => {
            Err(GatewayError::Ambiguous("The request names no Host."))
        }
        named => Ok(named),
    }
}

/// Whether a text is `host` or `host:port`; the host is a name, an IPv4 address, or an IPv6 address in brackets.
/// `http::uri::Authority` also accepts `user@host` and an empty port.
fn is_authority(text: &str) -> bool {
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let is_port = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok();
    let in_brackets = text.strip_prefix('[').and_then(|text| text.split_once(']'));
    let (is_host, port) = if let Some((address, port)) = in_brackets {
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let end = text.bytes().position(|b| !is_name_byte(b)).unwrap_or(text.len());
        (end > 0, &text[end..])
    };
    is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn is_named(url: &PublicUrl, authority: &str, proto: Option<&str>) -> bool {
    let scheme = scheme_of(url);
    proto.is_none_or(|proto| proto == scheme)
        && without_default_port(authority, scheme).eq_ignore_ascii_case(url.authority())
}

fn scheme_of(url: &PublicUrl) -> &'static str {
    if url.is_secure() { "https" } else { "http" }
}

fn without_default_port<'a>(authority: &'a str, scheme: &str) -> &'a str {
    let port = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

/// Names the installation that forwarded a request.
pub(super) const X_LINKGATE_VIA: HeaderName = HeaderName::from_static("x-linkgate-via");

/// Any client may send the fields.
const MAX_LOGGED: usize = 256;

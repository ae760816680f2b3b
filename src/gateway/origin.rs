//! Where a request was sent to, and by whom: which of our public URLs it names.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Version};

use super::chain::ForwardedFor;
use super::error::GatewayError;
use super::forwarded::{Forwarded, TrustedProxies, X_FORWARDED_FOR};
use crate::oauth::{PublicUrl, RequestView};

/// The names under which the world knows us, and the proxies that may say which of them was used.
#[derive(Clone, Debug)]
pub struct PublicUrls {
    urls: Vec<Name>,
    trusted: TrustedProxies,
}

/// A public URL, and its authority as it stands in `Host`.
#[derive(Clone, Debug)]
struct Name {
    url: Arc<PublicUrl>,
    host: Option<HeaderValue>,
}

/// Where a request was sent to, and by whom. The guard leaves it in the request's extensions.
#[derive(Clone, Debug)]
pub struct RequestOrigin {
    /// The public URL that a signature is about.
    pub url: Arc<PublicUrl>,
    /// Who sent it; `None` when nobody told us the peer.
    pub client: Option<IpAddr>,
    /// The authority that the client asked for, as it (or a trusted proxy) wrote it.
    pub(super) host: Option<HeaderValue>,
    /// The authority of `url`.
    pub(super) signed_host: Option<HeaderValue>,
    /// The scheme that the client used.
    pub(super) scheme: &'static str,
    /// Over which hops it came; `None` when nobody told us the peer.
    pub(super) forwarded_for: Option<ForwardedFor>,
    /// Whether the peer is a trusted proxy.
    pub(super) is_trusted_peer: bool,
}

impl RequestOrigin {
    /// A request as its consumer signed it: the head that arrived here, and the form, if its body is one.
    pub fn view<'a>(
        &'a self,
        head: &'a Parts,
        authorization: &'a [&'a [u8]],
        form: Option<&'a [u8]>,
    ) -> RequestView<'a> {
        RequestView {
            method: head.method.as_str(),
            url: &self.url,
            secure: self.is_secure(),
            path: head.uri.path(),
            query: head.uri.query(),
            authorization,
            form,
        }
    }

    /// Whether the client used https, as far as the public URL and a trusted proxy say.
    pub fn is_secure(&self) -> bool {
        self.url.is_secure() && self.scheme == "https"
    }
}

impl PublicUrls {
    /// Takes the public URLs, the default first, and the proxies whose `X-Forwarded-*` counts.
    pub fn new(default: PublicUrl, further: Vec<PublicUrl>, trusted: TrustedProxies) -> Self {
        let urls = [default].into_iter().chain(further).map(|url| Name {
            host: HeaderValue::from_str(url.authority()).ok(),
            url: Arc::new(url),
        });
        Self {
            urls: urls.collect(),
            trusted,
        }
    }

    /// The default public URL.
    pub fn default_url(&self) -> &PublicUrl {
        &self.urls[0].url
    }

    /// Whether a peer is a proxy whose word counts.
    pub(super) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.contains(peer)
    }

    /// Reads where a request was sent to.
    ///
    /// Another public URL than the default is chosen only when the request names its authority (and a trusted proxy,
    /// where there is one, its scheme). A name that is none of ours chooses nothing: then the default was signed, or
    /// the signature does not match. Contradictions (two `Host`, a target that names another host, two families of
    /// forwarding headers that disagree) are refused.
    pub fn origin(&self, request: &Parts, peer: Option<IpAddr>) -> Result<RequestOrigin, GatewayError> {
        let own = authority(request)?;
        let trusted = peer.is_some_and(|peer| self.trusted.contains(peer));
        let forwarded = if trusted {
            Forwarded::read(&request.headers)?
        } else {
            Forwarded::default()
        };
        if forwarded.host.as_deref().is_some_and(|host| !is_authority(host)) {
            return Err(GatewayError::Ambiguous("X-Forwarded-Host is not a host."));
        }
        let named = forwarded.host.as_deref().or(own);
        let proto = forwarded.proto.as_deref();
        let name = named
            .and_then(|named| self.urls.iter().find(|name| is_named(&name.url, named, proto)))
            .unwrap_or(&self.urls[0]);
        let url = &name.url;
        // As a rule it is the value that came in, which costs nothing to share.
        let written = request.headers.get(HOST).filter(|_| forwarded.host.is_none());
        let host = written.cloned().or_else(|| HeaderValue::from_str(named?).ok());
        Ok(RequestOrigin {
            url: Arc::clone(url),
            signed_host: name.host.clone(),
            host,
            client: peer.map(|peer| self.trusted.client(peer, &forwarded.chain)),
            scheme: match proto {
                Some("https") => "https",
                Some("http") => "http",
                _ if url.is_secure() => "https",
                _ => "http",
            },
            forwarded_for: peer.map(|peer| chain(request, peer, &forwarded)),
            is_trusted_peer: trusted,
        })
    }
}

/// The authority that the request itself names: `:authority` or an absolute target, and `Host`, which must agree.
pub(super) fn authority(request: &Parts) -> Result<Option<&str>, GatewayError> {
    let mut hosts = request.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return Err(GatewayError::Ambiguous("The request names Host twice.")),
        (Some(host), None) => {
            let host = host.to_str().ok().filter(|host| is_authority(host));
            Some(host.ok_or(GatewayError::Ambiguous("Host is not a host."))?)
        }
        (None, None) => None,
    };
    let target = request.uri.authority().map(Authority::as_str);
    if target.is_some_and(|target| !is_authority(target)) {
        return Err(GatewayError::Ambiguous("The request's target is not a host."));
    }
    if let (Some(target), Some(host)) = (target, host) {
        let scheme = request.uri.scheme().unwrap_or(&Scheme::HTTP);
        if !without_default_port(target, scheme.as_str())
            .eq_ignore_ascii_case(without_default_port(host, scheme.as_str()))
        {
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

/// Whether a text is `host` or `host:port`, the host a name, or an address, in brackets if it is one of version 6.
fn is_authority(text: &str) -> bool {
    let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let port = if let Some(address) = text.strip_prefix('[') {
        let Some((address, port)) = address.split_once(']') else {
            return false;
        };
        address.parse::<Ipv6Addr>().is_ok().then_some(port)
    } else {
        let end = text.bytes().position(|b| !named(b)).unwrap_or(text.len());
        (end > 0).then(|| &text[end..])
    };
    port.is_some_and(|port| port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

fn is_named(url: &PublicUrl, authority: &str, proto: Option<&str>) -> bool {
    let scheme = if url.is_secure() { "https" } else { "http" };
    proto.is_none_or(|proto| proto == scheme)
        && without_default_port(authority, scheme).eq_ignore_ascii_case(url.authority())
}

fn without_default_port<'a>(authority: &'a str, scheme: &str) -> &'a str {
    let port = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

/// The hops with our peer at their end; what came before is known from a trusted proxy only.
fn chain(request: &Parts, peer: IpAddr, forwarded: &Forwarded) -> ForwardedFor {
    if forwarded.chain.is_empty() {
        return ForwardedFor::new(&[], peer);
    }
    let lines = request.headers.get_all(X_FORWARDED_FOR).iter();
    let lines: Vec<_> = lines.filter_map(|line| line.to_str().ok()).collect();
    if !lines.is_empty() {
        return ForwardedFor::new(&lines, peer);
    }
    let hops: Vec<_> = forwarded.chain.iter().map(ToString::to_string).collect();
    ForwardedFor::new(&hops.iter().map(String::as_str).collect::<Vec<_>>(), peer)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn front() -> PublicUrls {
        let [default, further] =
            ["https://a.example/ctx", "http://b.example:8080"].map(|url| PublicUrl::parse(url).unwrap());
        PublicUrls::new(
            default,
            vec![further],
            TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]),
        )
    }

    fn arrival(
        target: &str,
        headers: &[(&str, &str)],
        version: Version,
        peer: &str,
    ) -> Result<RequestOrigin, GatewayError> {
        let mut request = Request::builder().uri(target).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        front().origin(&parts, Some(peer.parse().unwrap()))
    }

    fn url(target: &str, headers: &[(&str, &str)]) -> String {
        let arrival = arrival(target, headers, Version::HTTP_2, "10.0.0.1").unwrap();
        arrival.url.as_str().to_owned()
    }

    #[test]
    fn a_request_names_one_of_our_urls() {
        let (a, b) = ("https://a.example/ctx", "http://b.example:8080");
        for (host, chosen) in [
            ("a.example", a),
            ("A.Example:443", a),
            ("b.example:8080", b),
            ("B.EXAMPLE:8080", b),
            ("b.example", a),
            ("b.example:80", a),
            ("evil.example", a),
        ] {
            assert_eq!(url("/x", &[("host", host)]), chosen, "{host}");
            assert_eq!(url(&format!("http://{host}/x"), &[]), chosen, "{host}");
            let forwarded = [("host", "inner"), ("x-forwarded-host", host)];
            assert_eq!(url("/x", &forwarded), chosen, "{host}");
        }
        let https = [
            ("x-forwarded-host", "b.example:8080"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(url("/x", &https), a);
    }

    #[test]
    fn http2_names_its_authority_once() {
        let same = [("host", "a.example:443")];
        assert!(arrival("https://a.example/", &same, Version::HTTP_2, "1.1.1.1").is_ok());
        let other = [("host", "b.example")];
        assert!(arrival("https://a.example/", &other, Version::HTTP_2, "1.1.1.1").is_err());
        assert!(arrival("/", &[], Version::HTTP_11, "1.1.1.1").is_err());
        assert!(arrival("/", &[], Version::HTTP_10, "1.1.1.1").is_ok());
    }

    #[test]
    fn the_scheme_is_that_of_the_url_unless_a_proxy_knows_better() {
        let scheme = |headers: &[_], peer| arrival("/", headers, Version::HTTP_10, peer).unwrap().scheme;
        assert_eq!(scheme(&[], "1.1.1.1"), "https");
        assert_eq!(scheme(&[("host", "b.example:8080")], "1.1.1.1"), "http");
        assert_eq!(scheme(&[("x-forwarded-proto", "http")], "10.0.0.1"), "http");
        assert_eq!(scheme(&[("x-forwarded-proto", "http")], "1.1.1.1"), "https");
    }

    #[test]
    fn the_chain_is_what_trusted_proxies_know() {
        let chain = |headers: &[_], peer| {
            let arrival = arrival("/", headers, Version::HTTP_10, peer).unwrap();
            arrival.forwarded_for.unwrap().as_str().to_owned()
        };
        let x = ("x-forwarded-for", "192.0.2.1,192.0.2.2:80");
        let standard = ("forwarded", "for=\"[2001:db8::1]:80\", for=_hidden");
        assert_eq!(chain(&[x], "10.0.0.1"), "192.0.2.1,192.0.2.2:80, 10.0.0.1");
        assert_eq!(chain(&[standard], "10.0.0.1"), "2001:db8::1, unknown, 10.0.0.1");
        assert_eq!(chain(&[x, standard], "1.1.1.1"), "1.1.1.1");
        assert_eq!(chain(&[], "::ffff:10.0.0.1"), "10.0.0.1");
    }

    #[test]
    fn an_authority_is_a_host_and_a_port() {
        for good in ["a", "a:1", "1.2.3.4:65535", "[::1]", "[::1]:80", "a_b.c-d"] {
            assert!(is_authority(good), "{good}");
        }
        for bad in [
            "", ":80", "a:", "a:x", "a:65536", "a:+1", "u@a", "a b", "a,b", "[a]", "::1", "a/b", "\u{e4}",
        ] {
            assert!(!is_authority(bad), "{bad}");
        }
    }
}

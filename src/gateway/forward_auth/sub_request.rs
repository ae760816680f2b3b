//! The client's request, as a front proxy shows it.

use std::fmt::{self, Display, Formatter};

use http::header::{CONTENT_LENGTH, FORWARDED, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};

use super::ProxyKind;
use crate::gateway::error::GatewayError;
use crate::gateway::forwarded::{X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use crate::gateway::origin;

/// The client's request.
///
/// Each proxy is believed in its own family of headers only, which it writes over what its client sent. Every other header
/// about forwarding may be the client's own, and goes.
#[derive(Debug)]
pub(super) struct OriginalRequest {
    /// Method, target and headers of the client. `Host`, `X-Forwarded-Proto` and `X-Forwarded-For` say what the proxy
    /// says.
    pub(super) head: Parts,
    /// The number that nginx gave to the request.
    pub(super) id: Option<HeaderValue>,
    /// Whether the proxy says who the client is.
    pub(super) names_client: bool,
    /// Whether the proxy says that it shows a part of the body only.
    pub(super) partial_body: bool,
}

/// What a proxy asked about, for the log: method and path.
#[derive(Clone, Debug)]
pub struct AskedAbout {
    method: Method,
    target: Uri,
}

impl Display for AskedAbout {
    /// `POST /api/x`
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target.path())
    }
}

impl OriginalRequest {
    /// Reads a sub-request.
    pub(super) fn read(kind: ProxyKind, sub: Parts) -> Result<Self, GatewayError> {
        let mut said = match kind {
            ProxyKind::Nginx => ProxyHeaders::by_nginx(&sub)?,
            ProxyKind::XForwarded => ProxyHeaders::by_forwarded(&sub)?,
            ProxyKind::Envoy => ProxyHeaders::by_envoy(&sub)?,
        };
        let mut head = sub;
        head.method = said.method;
        head.uri = target(&said.target)?;
        let headers = &mut head.headers;
        for name in FORWARDING {
            headers.remove(name);
        }
        let names_client = !said.clients.is_empty();
        for client in said.clients {
            headers.append(X_FORWARDED_FOR, client);
        }
        if let Some(proto) = said.proto {
            headers.insert(X_FORWARDED_PROTO, proto);
        }
        match said.host.take() {
            Some(host) => drop(headers.insert(HOST, host)),
            // Only HTTP/1.0 needs no host, so a client without one spoke that.
            None => head.version = Version::HTTP_10,
        }
        Ok(Self {
            head,
            id: said.id,
            names_client,
            partial_body: said.partial_body,
        })
    }

    /// What it was about, for the log.
    pub(super) fn asked(&self) -> AskedAbout {
        AskedAbout {
            method: self.head.method.clone(),
            target: self.head.uri.clone(),
        }
    }
}

/// What a proxy says, in its own words.
struct ProxyHeaders {
    method: Method,
    target: String,
    host: Option<HeaderValue>,
    proto: Option<HeaderValue>,
    clients: Vec<HeaderValue>,
    id: Option<HeaderValue>,
    partial_body: bool,
}

impl ProxyHeaders {
    fn by_nginx(sub: &Parts) -> Result<Self, GatewayError> {
        let headers = &sub.headers;
        let url = one(headers, "x-original-url")?.ok_or(GatewayError::Unshown("X-Original-URL"))?;
        let url = url.to_str().map_err(|_| NO_URL)?;
        let (scheme, rest) = url.split_once("://").ok_or(NO_URL)?;
        let (host, path) = rest.split_at(rest.find('/').ok_or(NO_URL)?);
        if !matches!(scheme, "http" | "https") {
            return Err(NO_URL);
        }
        Ok(Self {
            method: method(headers, "x-original-method", "X-Original-Method")?,
            target: path.to_owned(),
            host: Some(host)
                .filter(|host| !host.is_empty())
                .map(value)
                .transpose()?,
            proto: Some(value(scheme)?),
            clients: one(headers, "x-real-ip")?.into_iter().collect(),
            id: one(headers, "x-request-id")?,
            partial_body: false,
        })
    }

    fn by_forwarded(sub: &Parts) -> Result<Self, GatewayError> {
        let headers = &sub.headers;
        let target = one(headers, "x-forwarded-uri")?.ok_or(GatewayError::Unshown("X-Forwarded-Uri"))?;
        let host = match one(headers, "x-forwarded-host")? {
            Some(host) => Some(host),
            None => own_host(sub)?,
        };
        Ok(Self {
            method: method(headers, "x-forwarded-method", "X-Forwarded-Method")?,
            target: target.to_str().map_err(|_| NO_TARGET)?.to_owned(),
            host,
            proto: one(headers, "x-forwarded-proto")?,
            clients: headers.get_all(X_FORWARDED_FOR).iter().cloned().collect(),
            id: None,
            partial_body: false,
        })
    }

    fn by_envoy(sub: &Parts) -> Result<Self, GatewayError> {
        let headers = &sub.headers;
        let path = sub.uri.path_and_query().map(PathAndQuery::as_str);
        let target = path.and_then(|path| path.strip_prefix(ProxyKind::ENVOY_PREFIX));
        let partial = one(headers, "x-envoy-auth-partial-body")?;
        Ok(Self {
            method: sub.method.clone(),
            target: target.ok_or(NO_TARGET)?.to_owned(),
            host: own_host(sub)?,
            proto: one(headers, "x-forwarded-proto")?,
            clients: headers.get_all(X_FORWARDED_FOR).iter().cloned().collect(),
            id: None,
            partial_body: partial.is_some_and(|partial| partial != "false"),
        })
    }
}

/// The value of a header that the proxy writes. Two of them: the client wrote one.
fn one(headers: &HeaderMap, name: &str) -> Result<Option<HeaderValue>, GatewayError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (only, None) => Ok(only.cloned()),
        _ => Err(GatewayError::Ambiguous(
            "A header of the front proxy stands twice.",
        )),
    }
}

fn method(headers: &HeaderMap, name: &str, original: &'static str) -> Result<Method, GatewayError> {
    let method = one(headers, name)?.ok_or(GatewayError::Unshown(original))?;
    Method::from_bytes(method.as_bytes())
        .map_err(|_| GatewayError::Ambiguous("The front proxy shows no method."))
}

/// The host that the sub-request itself was sent to, which is the client's when the proxy leaves it alone.
fn own_host(sub: &Parts) -> Result<Option<HeaderValue>, GatewayError> {
    origin::authority(sub)?.map(value).transpose()
}

/// Path and query, byte for byte or not at all: a target of which we would judge a part only (up to a `#`) is refused.
fn target(text: &str) -> Result<Uri, GatewayError> {
    let target: PathAndQuery = text.parse().map_err(|_| NO_TARGET)?;
    if !text.starts_with('/') || target.as_str() != text {
        return Err(NO_TARGET);
    }
    Ok(Uri::from(target))
}

fn value(text: &str) -> Result<HeaderValue, GatewayError> {
    HeaderValue::from_str(text).map_err(|_| NO_URL)
}

/// What says something about forwarding or framing, of whichever family.
const FORWARDING: [HeaderName; 12] = [
    CONTENT_LENGTH,
    FORWARDED,
    HOST,
    TRANSFER_ENCODING,
    X_FORWARDED_FOR,
    X_FORWARDED_HOST,
    X_FORWARDED_PROTO,
    HeaderName::from_static("x-forwarded-method"),
    HeaderName::from_static("x-forwarded-uri"),
    HeaderName::from_static("x-original-method"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-real-ip"),
];

const NO_URL: GatewayError = GatewayError::Ambiguous("The front proxy shows no URL.");
const NO_TARGET: GatewayError = GatewayError::Ambiguous("The front proxy shows no path.");

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn sub(target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn read(
        kind: ProxyKind,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<OriginalRequest, GatewayError> {
        OriginalRequest::read(kind, sub(target, headers))
    }

    const URL: (&str, &str) = ("x-original-url", "https://a.example/b//c%2f?d=e");
    const GET: (&str, &str) = ("x-original-method", "GET");

    #[test]
    fn nginx_shows_a_url() {
        let original = read(
            ProxyKind::Nginx,
            "/forward-auth/nginx",
            &[
                URL,
                GET,
                ("x-forwarded-host", "evil"),
                ("forwarded", "host=evil"),
                ("accept", "a/b"),
            ],
        );
        let head = original.unwrap().head;
        assert_eq!(head.uri, "/b//c%2f?d=e");
        let left: Vec<_> = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            left,
            [
                ("accept", "a/b"),
                ("x-forwarded-proto", "https"),
                ("host", "a.example")
            ]
        );
    }

    #[test]
    fn no_part_of_a_url_is_guessed() {
        for url in [
            "https://a.example",
            "https://a.example?b",
            "/b",
            "//a.example/b",
            "ftp://a.example/b",
            "https://a.example/b#c",
            "https://a.example/b c",
            "https://a.example/\u{1}",
        ] {
            let Ok(url) = HeaderValue::from_str(url) else {
                continue;
            };
            let mut sub = sub("/", &[GET]);
            sub.headers.insert("x-original-url", url.clone());
            let refused = OriginalRequest::read(ProxyKind::Nginx, sub);
            assert!(
                matches!(refused, Err(GatewayError::Ambiguous(_))),
                "{url:?}: {refused:?}"
            );
        }
        assert!(matches!(
            read(ProxyKind::Nginx, "/", &[GET]),
            Err(GatewayError::Unshown("X-Original-URL"))
        ));
        assert!(matches!(
            read(ProxyKind::Nginx, "/", &[URL]),
            Err(GatewayError::Unshown("X-Original-Method"))
        ));
        assert!(matches!(
            read(ProxyKind::Nginx, "/", &[URL, GET, GET]),
            Err(GatewayError::Ambiguous(_))
        ));
        let without_host = read(ProxyKind::Nginx, "/", &[("x-original-url", "http:///b"), GET]).unwrap();
        assert!(!without_host.head.headers.contains_key(HOST));
    }

    #[test]
    fn traefik_and_caddy_show_pieces() {
        let pieces = [
            ("host", "linkgate.internal"),
            ("x-forwarded-method", "PROPFIND"),
            ("x-forwarded-uri", "/a/../b?c"),
            ("x-forwarded-host", "a.example"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "192.0.2.1, 192.0.2.2"),
            ("x-original-url", "https://evil.example/"),
        ];
        let original = read(ProxyKind::XForwarded, "/forward-auth", &pieces).unwrap();
        assert_eq!(
            (original.head.method.as_str(), original.head.uri.to_string()),
            ("PROPFIND", "/a/../b?c".to_owned())
        );
        assert_eq!(original.head.headers[HOST], "a.example");
        assert_eq!(original.head.headers[X_FORWARDED_FOR], "192.0.2.1, 192.0.2.2");
        let original = read(ProxyKind::XForwarded, "/forward-auth", &pieces[..3]).unwrap();
        assert_eq!(original.head.headers[HOST], "linkgate.internal");
        assert!(!original.names_client);
    }

    #[test]
    fn envoy_shows_the_request_itself() {
        let host = ("host", "a.example");
        let original = read(ProxyKind::Envoy, "/forward-auth/envoy//a%2fb?c", &[host]).unwrap();
        assert_eq!(original.head.uri, "//a%2fb?c");
        assert!(!original.partial_body);
        for (said, partial) in [("true", true), ("false", false), ("?", true)] {
            let said = ("x-envoy-auth-partial-body", said);
            let original = read(ProxyKind::Envoy, "/forward-auth/envoy/", &[host, said]).unwrap();
            assert_eq!(original.partial_body, partial, "{said:?}");
        }
        assert!(read(ProxyKind::Envoy, "/forward-auth/envoy", &[host]).is_err());
    }
}

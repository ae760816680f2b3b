//! The original request of a client, read from a front proxy's sub-request.

use std::fmt::{self, Display, Formatter};

use axum::extract::OriginalUri;
use http::header::{CONTENT_LENGTH, FORWARDED, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};

use super::ProxyKind;
use crate::gateway::error::GatewayError;
use crate::gateway::forwarded::{X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use crate::gateway::origin;
use crate::http::negotiate;

/// The request of a client about which a front proxy asks.
///
/// Only those headers of a proxy are used that its kind overwrites. Every other header about forwarding may be the
/// client's and is removed.
#[derive(Debug)]
pub(super) struct OriginalRequest {
    /// The client's method, target and headers. `Host`, `X-Forwarded-Proto` and `X-Forwarded-For` are the proxy's.
    pub(super) head: Parts,
    /// nginx's `X-Request-Id`.
    pub(super) request_id: Option<HeaderValue>,
    pub(super) names_client: bool,
    pub(super) is_partial_body: bool,
}

/// Method and path of an original request, for the log.
#[derive(Clone, Debug)]
pub struct AskedAbout(pub(super) Method, pub(super) Uri);

impl Display for AskedAbout {
    /// `POST /api/x`
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let path = self.1.path();
        let end = path.floor_char_boundary(MAX_LOGGED_PATH);
        write!(f, "{} {}", self.0, &path[..end])
    }
}

impl OriginalRequest {
    /// Reads a sub-request. A header of the proxy that is invalid or occurs twice is `Ambiguous`.
    pub(super) fn read(kind: ProxyKind, sub_request: Parts) -> Result<Self, GatewayError> {
        let headers = &sub_request.headers;
        let (method, target, host, proto) = match kind {
            ProxyKind::Nginx => of_nginx(headers)?,
            ProxyKind::XForwarded => of_x_forwarded(&sub_request)?,
            ProxyKind::Envoy => of_envoy(&sub_request)?,
        };
        let (clients, request_id): (Vec<_>, _) = match kind {
            ProxyKind::Nginx => {
                let client = at_most_one(headers, "X-Real-IP")?;
                (
                    client.into_iter().collect(),
                    at_most_one(headers, "X-Request-Id")?,
                )
            }
            _ => (headers.get_all(X_FORWARDED_FOR).iter().cloned().collect(), None),
        };
        let is_partial_body = kind == ProxyKind::Envoy
            && at_most_one(headers, "X-Envoy-Auth-Partial-Body")?
                .is_some_and(|is_partial| is_partial != "false");
        let mut head = sub_request;
        head.extensions.remove::<OriginalUri>();
        head.method = method;
        head.uri = parse_target(&target)?;
        let headers = &mut head.headers;
        for name in PROXY_HEADERS {
            headers.remove(name);
        }
        let names_client = !clients.is_empty();
        for client in clients {
            headers.append(X_FORWARDED_FOR, client);
        }
        if let Some(proto) = proto {
            headers.insert(X_FORWARDED_PROTO, proto);
        }
        match host {
            Some(host) => drop(headers.insert(HOST, host)),
            // Only HTTP/1.0 permits a request without Host.
            None => head.version = Version::HTTP_10,
        }
        Ok(Self {
            head,
            request_id,
            names_client,
            is_partial_body,
        })
    }
}

/// Method, target, host and scheme of the original request, as a proxy tells them in its own headers.
type Told = (Method, String, Option<HeaderValue>, Option<HeaderValue>);

fn of_nginx(headers: &HeaderMap) -> Result<Told, GatewayError> {
    let url = required(headers, "X-Original-URL")?;
    let url = url.to_str().ok().and_then(|url| url.split_once("://"));
    let (scheme, rest) = url.ok_or(NO_URL)?;
    let (host, path) = rest.split_at(rest.find('/').ok_or(NO_URL)?);
    if !matches!(scheme, "http" | "https") {
        return Err(NO_URL);
    }
    let method = method(headers, "X-Original-Method")?;
    let host = if host.is_empty() { None } else { Some(value(host)?) };
    Ok((method, path.to_owned(), host, Some(value(scheme)?)))
}

fn of_x_forwarded(sub_request: &Parts) -> Result<Told, GatewayError> {
    let headers = &sub_request.headers;
    let target = required(headers, "X-Forwarded-Uri")?;
    let host = match at_most_one(headers, "X-Forwarded-Host")? {
        Some(host) => Some(host),
        None => own_host(sub_request)?,
    };
    let method = method(headers, "X-Forwarded-Method")?;
    let target = target.to_str().map_err(|_| NO_TARGET)?.to_owned();
    Ok((method, target, host, at_most_one(headers, "X-Forwarded-Proto")?))
}

fn of_envoy(sub_request: &Parts) -> Result<Told, GatewayError> {
    let target = sub_request.uri.path_and_query().map(PathAndQuery::as_str);
    let target = target.and_then(|target| target.strip_prefix(ProxyKind::ENVOY_PREFIX));
    let target = target.ok_or(NO_TARGET)?.to_owned();
    let proto = at_most_one(&sub_request.headers, "X-Forwarded-Proto")?;
    Ok((sub_request.method.clone(), target, own_host(sub_request)?, proto))
}

/// The value of a header that the proxy writes. If there are two, one of them is the client's.
fn at_most_one(headers: &HeaderMap, name: &str) -> Result<Option<HeaderValue>, GatewayError> {
    let value = negotiate::at_most_one(headers, name)
        .map_err(|_| GatewayError::Ambiguous("A header of the front proxy stands twice."))?;
    Ok(value.cloned())
}

/// The same for a header that the proxy must write.
fn required(headers: &HeaderMap, name: &'static str) -> Result<HeaderValue, GatewayError> {
    at_most_one(headers, name)?.ok_or(GatewayError::MissingProxyHeader(name))
}

fn method(headers: &HeaderMap, name: &'static str) -> Result<Method, GatewayError> {
    let method = required(headers, name)?;
    Method::from_bytes(method.as_bytes())
        .map_err(|_| GatewayError::Ambiguous("The front proxy shows no method."))
}

/// The host of the sub-request itself, which is the client's if the proxy does not replace it.
fn own_host(sub_request: &Parts) -> Result<Option<HeaderValue>, GatewayError> {
    origin::authority(sub_request)?.map(value).transpose()
}

/// Path and query, byte for byte. `PathAndQuery` would drop a fragment, so a target with one is rejected.
fn parse_target(text: &str) -> Result<Uri, GatewayError> {
    let target: PathAndQuery = text.parse().map_err(|_| NO_TARGET)?;
    if !text.starts_with('/') || target.as_str() != text {
        return Err(NO_TARGET);
    }
    Ok(Uri::from(target))
}

fn value(text: &str) -> Result<HeaderValue, GatewayError> {
    HeaderValue::from_str(text).map_err(|_| NO_URL)
}

/// All headers about forwarding and framing, of every kind of proxy.
const PROXY_HEADERS: [HeaderName; 12] = [
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

const MAX_LOGGED_PATH: usize = 1024;

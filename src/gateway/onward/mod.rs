//! The headers of a message on its way on: what belongs to one connection stays behind, what we say is written.

use bytes::BytesMut;
use http::header::{CONNECTION, COOKIE, FORWARDED, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::connection::field;
use super::error::GatewayError;
use super::forwarded::{X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use super::identity_headers::{self, Initials};
use super::origin::RequestOrigin;
use super::routes::METHOD_OVERRIDES;

/// The head of a request as the application gets it.
#[derive(Debug)]
pub(super) struct Onward {
    pub(super) method: Method,
    /// Path and query.
    pub(super) target: PathAndQuery,
    /// The header, line by line: what passes of the client's, and what we say.
    pub(super) fields: BytesMut,
    /// Whether the client said how long its body is.
    pub(super) has_length: bool,
}

impl Onward {
    /// Makes a request's head ready for the application. What we say, nobody else says any more.
    ///
    /// * Hop-by-hop headers go (RFC 9110, section 7.6.1), those that `Connection` names as well.
    /// * `Authorization: OAuth` goes: it was meant for us. Any other `Authorization` is the application's own.
    /// * `Forwarded` (RFC 7239), `X-Forwarded-For`, `-Host` and `-Proto` are ours, and say the same; whatever else a
    ///   stranger says about forwarding goes.
    /// * `Host`: an *admitted* call arrives under the public URL that was signed, so that nobody can sign for one name
    ///   and call another. Any other request keeps the name that its client asked for, as if we were not there.
    /// * Our own cookies go; the application's stay.
    /// * An admitted call loses the headers that would override the method that was signed.
    ///
    /// What frames the body is left to whoever writes it.
    pub(super) fn new(parts: Parts, origin: &RequestOrigin, admitted: bool) -> Result<Self, GatewayError> {
        let target = parts.uri.path_and_query();
        let target = target.filter(|target| target.as_str().starts_with('/')).cloned();
        let mut onward = Self {
            method: parts.method,
            target: target.ok_or(GatewayError::Ambiguous("The request names no path."))?,
            fields: BytesMut::with_capacity(ROOM),
            has_length: false,
        };
        onward.forwarding(origin, admitted)?;
        onward.pass(&parts.headers, origin.is_trusted_peer, admitted);
        Ok(onward)
    }

    /// Says something to the application. What it is must be able to stand in a header.
    pub(super) fn say(&mut self, name: &HeaderName, value: &[u8]) {
        field(&mut self.fields, name.as_str().as_bytes(), value);
    }

    /// Says which name the client asked for, how, and over which hops.
    fn forwarding(&mut self, origin: &RequestOrigin, admitted: bool) -> Result<(), GatewayError> {
        let signed = origin.signed_host.as_ref();
        let signed = signed.ok_or(GatewayError::Internal("a public URL cannot stand in a header"))?;
        let host = origin.host.as_ref().filter(|_| !admitted).unwrap_or(signed);
        let scheme = match (admitted, origin.url.is_secure()) {
            (true, true) => "https",
            (true, false) => "http",
            (false, _) => origin.scheme,
        };
        self.say(&HOST, host.as_bytes());
        self.say(&X_FORWARDED_HOST, host.as_bytes());
        self.say(&X_FORWARDED_PROTO, scheme.as_bytes());
        if let Some(chain) = &origin.forwarded_for {
            self.say(&X_FORWARDED_FOR, chain.as_str().as_bytes());
            if let Ok(host) = host.to_str() {
                self.say(&FORWARDED, chain.forwarded(host, scheme).as_bytes());
            }
        }
        Ok(())
    }

    /// Lets pass what the client says to the application.
    fn pass(&mut self, headers: &HeaderMap, trusted: bool, admitted: bool) {
        let named = named_by_connection(headers);
        let (mut trailers, mut cookies) = (false, false);
        for (name, value) in headers {
            match Kind::of(name, trusted, admitted) {
                Kind::Length => self.has_length = true,
                Kind::Ours => {}
                Kind::Te => trailers |= accepts_trailers(value),
                Kind::Authorization if is_oauth(value.as_bytes()) => {}
                Kind::Cookie => {
                    if !std::mem::replace(&mut cookies, true) {
                        self.cookies(headers);
                    }
                }
                Kind::Authorization | Kind::Passing => {
                    if !named.contains(name) {
                        self.say(name, value.as_bytes());
                    }
                }
            }
        }
        if trailers {
            self.say(&TE, b"trailers");
            self.say(&CONNECTION, b"te");
        }
    }

    /// The browser's cookies but ours: whoever holds our session's can approve in a user's name, and the application needs
    /// not. HTTP/2 may split the cookies over several fields, HTTP/1 must not (RFC 9113, section 8.2.3).
    fn cookies(&mut self, headers: &HeaderMap) {
        let mut fields = headers.get_all(COOKIE).iter();
        if let (Some(only), None) = (fields.next(), fields.next())
            && !only.as_bytes().split(|&b| b == b';').any(is_our_cookie)
        {
            return self.say(&COOKIE, only.as_bytes());
        }
        let fields = headers.get_all(COOKIE).iter();
        let cookies = fields.flat_map(|field| field.as_bytes().split(|&b| b == b';'));
        let kept = cookies
            .map(<[u8]>::trim_ascii)
            .filter(|cookie| !cookie.is_empty() && !is_our_cookie(cookie));
        let kept = kept.collect::<Vec<_>>().join(&b"; "[..]);
        if !kept.is_empty() {
            self.say(&COOKIE, &kept);
        }
    }
}

/// What a header of a request is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It passes.
    Passing,
    /// It passes if it is not OAuth.
    Authorization,
    /// It passes but for our own.
    Cookie,
    /// It says which transfer codings the client takes.
    Te,
    /// It says how long the body is.
    Length,
    /// It does not pass: it is about the connection, or what it says is ours to say.
    Ours,
}

impl Kind {
    fn of(name: &HeaderName, trusted: bool, admitted: bool) -> Self {
        match name.as_str() {
            "authorization" => Self::Authorization,
            "content-length" => Self::Length,
            "cookie" => Self::Cookie,
            "te" => Self::Te,
            "expect" | "host" | "trailer" => Self::Ours,
            text if CONNECTION_INITIALS.begin(text) && HOP_BY_HOP.contains(name) => Self::Ours,
            text if !FORWARDING.begin(text) => Self::Passing,
            text => {
                let normal = identity_headers::normalize(text);
                let overrides = admitted && METHOD_OVERRIDES.contains(&&*normal);
                if overrides || says_forwarding(&normal, trusted) {
                    Self::Ours
                } else {
                    Self::Passing
                }
            }
        }
    }
}

/// Whether a name says something about forwarding. Only a trusted proxy may say more than we write ourselves.
fn says_forwarding(normal: &str, trusted: bool) -> bool {
    OURS.contains(&normal)
        || (!trusted && (normal.starts_with("x-forwarded-") || REWRITING.contains(&normal)))
}

/// Makes the headers of an answer ready for the client.
pub(crate) fn response(headers: &mut HeaderMap) {
    hop_by_hop(headers);
}

/// Whether an `Authorization` value has the scheme `OAuth` (RFC 5849, section 3.5.1), in any case.
pub(super) fn is_oauth(value: &[u8]) -> bool {
    let scheme = value.trim_ascii_start();
    let end = scheme.iter().position(|b| !b.is_ascii_alphanumeric());
    scheme[..end.unwrap_or(scheme.len())].eq_ignore_ascii_case(b"OAuth")
}

fn is_our_cookie(cookie: &[u8]) -> bool {
    let name = cookie.trim_ascii_start();
    name.strip_prefix(b"__Host-")
        .unwrap_or(name)
        .starts_with(b"linkgate-")
}

/// Removes what is about one connection. Most messages have nothing of the kind, and then one look is enough.
pub(crate) fn hop_by_hop(headers: &mut HeaderMap) {
    let is_one = |name: &HeaderName| CONNECTION_INITIALS.begin(name.as_str()) && HOP_BY_HOP.contains(name);
    if !headers.keys().any(is_one) {
        return;
    }
    for name in named_by_connection(headers) {
        headers.remove(&name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// The headers that `Connection` makes hop-by-hop.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    if !headers.keys().any(|name| *name == CONNECTION) {
        return Vec::new();
    }
    let tokens = headers.get_all(CONNECTION).iter();
    tokens
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|token| token.trim().parse().ok())
        .filter(|name: &HeaderName| !END_TO_END.contains(&name.as_str()))
        .collect()
}

/// A body in another coding than `chunked` would reach the application as something else than it is.
pub(super) fn refuse_codings(headers: &HeaderMap) -> Result<(), GatewayError> {
    let codings = headers.iter().filter(|(name, _)| **name == TRANSFER_ENCODING);
    let mut codings = codings.map(|(_, value)| value);
    let known = codings.all(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    known.then_some(()).ok_or(GatewayError::TransferCoding)
}

fn accepts_trailers(te: &HeaderValue) -> bool {
    let codings = te.to_str().unwrap_or_default().split(',');
    codings
        .map(str::trim)
        .any(|coding| coding.eq_ignore_ascii_case("trailers"))
}

const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    http::header::PROXY_AUTHENTICATE,
    http::header::PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// How the names of [`HOP_BY_HOP`] begin.
const CONNECTION_INITIALS: Initials = Initials::of(&["connection", "keep-alive", "proxy", "te", "upgrade"]);

/// What no `Connection` header can make us drop, because the message means something else without it.
const END_TO_END: [&str; 7] = [
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "set-cookie",
];

/// What we write ourselves.
const OURS: [&str; 4] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// How the names begin that say something about forwarding, or override a method.
const FORWARDING: Initials = Initials::of(&["forwarded", "true-client-ip", "x-"]);

/// Headers by which a proxy tells an application of another address or path than the request has.
const REWRITING: [&str; 8] = [
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "x-host",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
];

/// Bytes of a usual header.
const ROOM: usize = 1024;

#[cfg(test)]
mod tests;

//! The head of a request as the application receives it.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::error::GatewayError;
use super::forwarded::{X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO, forwarded};
use super::identity_headers::{IdentityHeaders, normalize};
use super::origin::{RequestOrigin, X_LINKGATE_VIA};
use super::routes::METHOD_OVERRIDES;
use crate::http::negotiate::list_values;

/// Rewrites the head of a request for the application. `is_signed`: the consumer's signature was verified.
///
/// * The target is path and query, byte for byte; without a path (`*`, CONNECT) the request is rejected.
/// * `Host` of a *signed* call is that of the public URL that was signed, so that a consumer cannot sign for one host and
///   call another. Any other request keeps the host that its client asked for.
/// * `X-Forwarded-For`, `-Host`, `-Proto` and `Forwarded` (RFC 7239) are linkgate's. Other fields of another client, host or
///   path are dropped, unless they are allowed and a trusted proxy sent them.
/// * `X-Linkgate-Via` has the authority of each installation on the way; one recognises a request that comes back to it.
/// * Hop-by-hop fields (RFC 9110, section 7.6.1) are dropped, those that `Connection` names as well.
/// * `Authorization: OAuth` is dropped; any other scheme is the application's own.
/// * linkgate's cookies are dropped; a browser's other cookies pass.
/// * A signed call loses the fields that would override the method that was signed, and those that claim a user.
pub(super) fn rewrite(
    head: &mut Parts,
    origin: &RequestOrigin,
    identity: &IdentityHeaders,
    is_signed: bool,
) -> Result<(), GatewayError> {
    let target = head.uri.path_and_query();
    let target = target.filter(|target| target.as_str().starts_with('/')).cloned();
    head.uri = Uri::from(target.ok_or(GatewayError::Ambiguous("The request names no path."))?);
    // A new map keeps the order; removing from the old one would not.
    let mut headers = HeaderMap::with_capacity(head.headers.len() + ADDED_FIELDS);
    write_forwarding(&mut headers, origin, is_signed)?;
    copy_fields(
        &mut headers,
        &head.headers,
        identity,
        origin.is_trusted_peer,
        is_signed,
    );
    head.headers = headers;
    Ok(())
}

/// Writes the host that the client asked for, the scheme, and the hops.
fn write_forwarding(
    headers: &mut HeaderMap,
    origin: &RequestOrigin,
    is_signed: bool,
) -> Result<(), GatewayError> {
    let own = HeaderValue::from_str(origin.url.authority())
        .map_err(|_| GatewayError::Internal("a public URL cannot stand in a header"))?;
    let host = match &origin.host {
        Some(host) if !is_signed => host.clone(),
        _ => own.clone(),
    };
    let scheme = match (is_signed, origin.url.is_secure()) {
        (true, true) => "https",
        (true, false) => "http",
        (false, _) => origin.scheme,
    };
    headers.insert(HOST, host.clone());
    headers.insert(X_FORWARDED_HOST, host.clone());
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(scheme));
    let via = match &origin.via {
        Some(via) => HeaderValue::from_bytes(&[via.as_bytes(), b", ", own.as_bytes()].concat()).ok(),
        None => None,
    };
    headers.insert(X_LINKGATE_VIA, via.unwrap_or(own));
    if let Some(hops) = &origin.forwarded_for {
        let invalid = |_| GatewayError::Internal("a forwarding header cannot be written");
        headers.insert(X_FORWARDED_FOR, HeaderValue::from_str(hops).map_err(invalid)?);
        if let Ok(host) = host.to_str() {
            let forwarded = forwarded(hops, host, scheme);
            headers.insert(FORWARDED, HeaderValue::try_from(forwarded).map_err(invalid)?);
        }
    }
    Ok(())
}

/// Copies the client's fields that are meant for the application.
fn copy_fields(
    headers: &mut HeaderMap,
    client: &HeaderMap,
    identity: &IdentityHeaders,
    is_trusted_peer: bool,
    is_signed: bool,
) {
    let named = named_by_connection(client);
    for (name, value) in client {
        let normalized = normalize(name.as_str());
        let is_dropped = HOP_BY_HOP.contains(name)
            || MANAGED.contains(name)
            || (*name == AUTHORIZATION && is_oauth(value.as_bytes()))
            || named.contains(name)
            || !identity.passes(&normalized, is_trusted_peer, is_signed)
            || (is_signed && METHOD_OVERRIDES.contains(&&*normalized));
        if *name == COOKIE {
            if !headers.contains_key(COOKIE) {
                copy_cookies(headers, client);
            }
        } else if !is_dropped {
            headers.append(name, value.clone());
        }
    }
    if list_values(client, &TE).any(|coding| coding.eq_ignore_ascii_case("trailers")) {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// Copies the browser's cookies without linkgate's: a session cookie would let the application approve in the user's name.
/// HTTP/2 may split cookies over several fields, HTTP/1.1 must not (RFC 9113, section 8.2.3). A single field without a
/// cookie of linkgate is copied byte for byte.
fn copy_cookies(headers: &mut HeaderMap, client: &HeaderMap) {
    let fields: Vec<_> = client.get_all(COOKIE).iter().collect();
    let cookies = || {
        fields
            .iter()
            .flat_map(|field| field.as_bytes().split(|&byte| byte == b';'))
    };
    if let [only] = fields[..]
        && !cookies().any(is_own_cookie)
    {
        headers.insert(COOKIE, only.clone());
        return;
    }
    let kept = cookies()
        .map(<[u8]>::trim_ascii)
        .filter(|cookie| !cookie.is_empty() && !is_own_cookie(cookie));
    let kept = kept.collect::<Vec<_>>().join(&b"; "[..]);
    if !kept.is_empty()
        && let Ok(kept) = HeaderValue::from_bytes(&kept)
    {
        headers.insert(COOKIE, kept);
    }
}

/// Removes hop-by-hop fields from a message, and those that `Connection` names.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in named_by_connection(headers).iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The fields that `Connection` makes hop-by-hop.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let names = list_values(headers, &CONNECTION).filter_map(|name| name.parse().ok());
    names
        .filter(|name: &HeaderName| !END_TO_END.contains(&name.as_str()))
        .collect()
}

/// Whether an `Authorization` value has the scheme `OAuth` (RFC 5849, section 3.5.1), in any case.
fn is_oauth(value: &[u8]) -> bool {
    let scheme = value.trim_ascii_start();
    let end = scheme.iter().position(|byte| !byte.is_ascii_alphanumeric());
    scheme[..end.unwrap_or(scheme.len())].eq_ignore_ascii_case(b"OAuth")
}

fn is_own_cookie(cookie: &[u8]) -> bool {
    let name = cookie.trim_ascii_start();
    name.strip_prefix(b"__Host-")
        .unwrap_or(name)
        .starts_with(b"linkgate-")
}

/// RFC 9110, section 7.6.1.
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What linkgate or its HTTP client writes anew.
const MANAGED: [HeaderName; 4] = [HOST, CONTENT_LENGTH, EXPECT, TRAILER];

/// What `Connection` cannot make hop-by-hop, because the message means something else without it.
const END_TO_END: [&str; 7] = [
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "set-cookie",
];

/// Forwarding, identity and framing fields that are usually added.
const ADDED_FIELDS: usize = 16;

//! The headers of a message on its way on: what belongs to one connection stays behind, what we say is written.

use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::arrival::Arrival;
use super::fault::Fault;
use super::forwarded::{self, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use super::identity::{self, Initials};
use super::routes::METHOD_OVERRIDES;

/// What we say to the application in headers of our own.
pub(super) type Written = Vec<(HeaderName, HeaderValue)>;

/// Makes a request's headers ready for the application, and says what we have to say, which none of them says any more.
///
/// * Hop-by-hop headers go (RFC 9110, section 7.6.1), those that `Connection` names as well.
/// * `Authorization: OAuth` goes: it was meant for us. Any other `Authorization` is the application's own.
/// * `Forwarded` (RFC 7239), `X-Forwarded-For`, `-Host` and `-Proto` are ours, and say the same; whatever else a stranger
///   says about forwarding goes.
/// * `Host`: an *admitted* call arrives under the public URL that was signed, so that nobody can sign for one name and
///   call another. Any other request keeps the name that its client asked for, as if we were not there.
/// * Our own cookies go; the application's stay.
/// * An admitted call loses the headers that would override the method that was signed.
pub(super) fn request(headers: &mut HeaderMap, arrival: &Arrival, admitted: bool) -> Result<Written, Fault> {
    let trailers = accepts_trailers(headers);
    hop_by_hop(headers);
    headers.remove(TRAILER);
    headers.remove(EXPECT);
    drop_oauth(headers);
    drop_forwarding(headers, arrival.trusted);
    pass_cookies(headers);
    if admitted {
        identity::remove_where(headers, METHOD_INITIALS, |name| METHOD_OVERRIDES.contains(&name));
    }
    let signed = arrival.signed_host.as_ref();
    let signed = signed.ok_or(Fault::Internal("a public URL cannot stand in a header"))?;
    let host = arrival.host.as_ref().filter(|_| !admitted).unwrap_or(signed);
    headers.remove(HOST);
    let mut written = Written::with_capacity(16);
    written.push((HOST, host.clone()));
    written.push((X_FORWARDED_HOST, host.clone()));
    let scheme = match (admitted, arrival.url.is_secure()) {
        (true, true) => "https",
        (true, false) => "http",
        (false, _) => arrival.scheme,
    };
    written.push((X_FORWARDED_PROTO, HeaderValue::from_static(scheme)));
    if let Some(chain) = &arrival.chain {
        written.push((X_FORWARDED_FOR, chain.clone()));
        if let Some(standard) = forwarded::standard(chain, host, scheme) {
            written.push((FORWARDED, standard));
        }
    }
    if trailers {
        written.push((TE, HeaderValue::from_static("trailers")));
        written.push((CONNECTION, HeaderValue::from_static("te")));
    }
    Ok(written)
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

fn drop_oauth(headers: &mut HeaderMap) {
    if !headers
        .get_all(AUTHORIZATION)
        .iter()
        .any(|value| is_oauth(value.as_bytes()))
    {
        return;
    }
    let values = headers.get_all(AUTHORIZATION).iter();
    let kept: Vec<_> = values
        .filter(|value| !is_oauth(value.as_bytes()))
        .cloned()
        .collect();
    headers.remove(AUTHORIZATION);
    for value in kept {
        headers.append(AUTHORIZATION, value);
    }
}

/// The browser's cookies but ours: whoever holds our session's can approve in a user's name, and the application needs
/// not. HTTP/2 may split the cookies over several fields, HTTP/1 must not (RFC 9113, section 8.2.3).
fn pass_cookies(headers: &mut HeaderMap) {
    let fields: Vec<_> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let cookies = || fields.iter().flat_map(|field| field.split(|&b| b == b';'));
    if fields.len() < 2 && !cookies().any(is_our_cookie) {
        return;
    }
    let kept = cookies()
        .map(<[u8]>::trim_ascii)
        .filter(|cookie| !cookie.is_empty() && !is_our_cookie(cookie));
    let kept = kept.collect::<Vec<_>>().join(&b"; "[..]);
    match HeaderValue::from_bytes(&kept) {
        Ok(cookie) if !kept.is_empty() => drop(headers.insert(COOKIE, cookie)),
        _ => drop(headers.remove(COOKIE)),
    }
}

fn is_our_cookie(cookie: &[u8]) -> bool {
    let name = cookie.trim_ascii_start();
    name.strip_prefix(b"__Host-")
        .unwrap_or(name)
        .starts_with(b"linkgate-")
}

/// Removes what is said about forwarding. Only a trusted proxy may say more than we write ourselves.
fn drop_forwarding(headers: &mut HeaderMap, trusted: bool) {
    identity::remove_where(headers, FORWARDING, |name| {
        OURS.contains(&name) || (!trusted && (name.starts_with("x-forwarded-") || REWRITING.contains(&name)))
    });
}

/// Removes what is about one connection. Most messages have nothing of the kind, and then one look is enough.
pub(crate) fn hop_by_hop(headers: &mut HeaderMap) {
    let is_one = |name: &HeaderName| CONNECTION_INITIALS.begin(name.as_str()) && HOP_BY_HOP.contains(name);
    if !headers.keys().any(is_one) {
        return;
    }
    let tokens = headers.get_all(CONNECTION).iter();
    let named: Vec<HeaderName> = tokens
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|token| token.trim().parse().ok())
        .filter(|name: &HeaderName| !END_TO_END.contains(&name.as_str()))
        .collect();
    for name in named {
        headers.remove(&name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// A body in another coding than `chunked` would reach the application as something else than it is.
pub(super) fn refuse_codings(headers: &HeaderMap) -> Result<(), Fault> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let known = codings.all(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    known.then_some(()).ok_or(Fault::TransferCoding)
}

fn accepts_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
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

/// How the names of [`METHOD_OVERRIDES`] begin.
const METHOD_INITIALS: Initials = Initials::of(&METHOD_OVERRIDES);

/// How the names begin that say something about forwarding.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn our_cookies_stay_with_us_and_the_others_pass_as_they_are() {
        for (fields, passed) in [
            (&["a=b;c=d ; e=\"f\""][..], &["a=b;c=d ; e=\"f\""][..]),
            (&["a=b; linkgate-session=s; c=d"], &["a=b; c=d"]),
            (
                &["__Host-linkgate-session=s", "a=b", "linkgate-browser=t"],
                &["a=b"],
            ),
            (&["linkgate-session=s"], &[]),
            (&["x=linkgate-session", "a=b"], &["x=linkgate-session; a=b"]),
        ] {
            let mut carried = headers(&fields.iter().map(|value| ("cookie", *value)).collect::<Vec<_>>());
            pass_cookies(&mut carried);
            let left: Vec<_> = carried.get_all(COOKIE).iter().collect();
            assert_eq!(left, passed, "{fields:?}");
        }
    }

    #[test]
    fn connection_names_what_stays_behind() {
        let mut named = headers(&[
            ("connection", "close, X-One"),
            ("connection", "x-two, content-length, , bad name"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("keep-alive", "timeout=5"),
            ("content-length", "3"),
            ("x-three", "3"),
        ]);
        response(&mut named);
        assert_eq!(named, headers(&[("content-length", "3"), ("x-three", "3")]));
    }

    #[test]
    fn only_our_own_authorization_goes() {
        let mut both = headers(&[
            ("authorization", "oauth oauth_token=\"a\""),
            ("authorization", "Bearer b"),
            ("authorization", "OAuth"),
        ]);
        drop_oauth(&mut both);
        assert_eq!(both, headers(&[("authorization", "Bearer b")]));
        assert!(is_oauth(b"OAuth\ta=\"b\"") && is_oauth(b" OAUTH,"));
        assert!(!is_oauth(b"OAuth2 x") && !is_oauth(b"Basic eA==, OAuth oauth_token=\"a\""));
    }

    #[test]
    fn strangers_say_nothing_about_forwarding() {
        let said = [
            ("forwarded", "for=1.1.1.1"),
            ("x_forwarded_for", "1.1.1.1"),
            ("x-forwarded-prefix", "/a"),
            ("x-original-url", "/a"),
            ("x-other", "b"),
        ];
        let mut stranger = headers(&said);
        drop_forwarding(&mut stranger, false);
        assert_eq!(stranger, headers(&said[4..]));
        let mut proxy = headers(&said);
        drop_forwarding(&mut proxy, true);
        assert_eq!(proxy, headers(&said[2..]));
    }

    #[test]
    fn other_codings_are_refused() {
        assert!(refuse_codings(&headers(&[("transfer-encoding", "Chunked")])).is_ok());
        for coding in ["gzip, chunked", "identity", "chunked, chunked"] {
            let coded = HeaderMap::from_iter([(TRANSFER_ENCODING, HeaderValue::from_static(coding))]);
            assert!(
                matches!(refuse_codings(&coded), Err(Fault::TransferCoding)),
                "{coding}"
            );
        }
    }
}

//! The headers that say who calls: stripped on the way in, on every route, and written from a proof on the way through.

use std::borrow::Cow;
use std::collections::HashSet;

use http::{HeaderMap, HeaderName};

use super::assertion::X_LINKGATE_ASSERTION;
use crate::oauth::encode;
use crate::provider::{CallKind, Caller};

/// Which headers tell the application who calls.
///
/// Whatever the choice, `X-Linkgate-Consumer`, `X-Linkgate-User`, `X-Linkgate-Name` and `X-Linkgate-Call` are written
/// as well (without a user, only the first and the last), and none of the names that some application somewhere
/// believes comes through from a stranger, on any route. Names are compared without case, and `_`, like every other
/// character that CGI turns into one, equals `-`.
///
/// A value that cannot stand in a header is percent-encoded: control characters, everything beyond ASCII, blanks at its
/// ends, and `%` itself, so that two users never look the same.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    user: Vec<HeaderName>,
    display_name: Vec<HeaderName>,
    consumer: Vec<HeaderName>,
    stripped: HashSet<String>,
    initials: Initials,
}

impl IdentityHeaders {
    /// The preset `remote-user`: `Remote-User`.
    pub fn remote_user() -> Self {
        Self::writing(vec![HeaderName::from_static("remote-user")], vec![], vec![])
    }

    /// The preset `oauth2-proxy`: `X-Forwarded-User` and `X-Forwarded-Preferred-Username`.
    pub fn oauth2_proxy() -> Self {
        let user = ["x-forwarded-user", "x-forwarded-preferred-username"];
        Self::writing(user.map(HeaderName::from_static).to_vec(), vec![], vec![])
    }

    /// Own names. The error is a sentence that says what to write instead.
    pub fn own(user: &str, display_name: Option<&str>, consumer: Option<&str>) -> Result<Self, &'static str> {
        let all = |name: Option<&str>| {
            name.map(own_name)
                .transpose()
                .map(|name| name.into_iter().collect())
        };
        Ok(Self::writing(
            vec![own_name(user)?],
            all(display_name)?,
            all(consumer)?,
        ))
    }

    /// Removes every header by which a stranger could say who they are.
    pub fn strip(&self, headers: &mut HeaderMap) {
        remove_matching(headers, self.initials, |name| self.is_identity(name));
    }

    /// Writes who calls, each header once, in text that can stand in one. Those of the request were stripped before.
    pub fn write(&self, caller: &Caller, mut write: impl FnMut(&HeaderName, &str)) {
        let consumer = value(caller.consumer.key.as_str());
        for name in self.consumer.iter().chain([&X_LINKGATE_CONSUMER]) {
            write(name, &consumer);
        }
        let kind = match caller.kind {
            CallKind::ThreeLegged => "three-legged",
            CallKind::TwoLegged => "two-legged",
            CallKind::Impersonated => "impersonated",
        };
        write(&X_LINKGATE_CALL, kind);
        let Some(user) = &caller.user else {
            return;
        };
        let subject = value(&user.subject);
        for name in self.user.iter().chain([&X_LINKGATE_USER]) {
            write(name, &subject);
        }
        let display_name = value(&user.display_name);
        for name in self.display_name.iter().chain([&X_LINKGATE_NAME]) {
            write(name, &display_name);
        }
    }

    /// Every header that [`IdentityHeaders::write`] may write.
    pub(super) fn own_names(&self) -> impl Iterator<Item = &HeaderName> {
        let chosen = self.user.iter().chain(&self.display_name).chain(&self.consumer);
        chosen.chain(&ALWAYS_WRITTEN)
    }

    /// Every name that may say who calls, written or only believed somewhere, but for the families of which no member is
    /// known.
    pub(super) fn all_names(&self) -> impl Iterator<Item = &str> {
        let written = self.own_names().map(HeaderName::as_str);
        written.chain(WELL_KNOWN).chain(["x-linkgate-assertion"])
    }

    /// The headers of a request that say who sends it, and that nobody overwrites who overwrites what we write.
    pub(super) fn unexpected<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a HeaderName> {
        let is_written = |name: &HeaderName| {
            *name == X_LINKGATE_ASSERTION || self.own_names().any(|written| written == name)
        };
        headers
            .keys()
            .filter(move |name| self.is_identity(&normalize(name.as_str())) && !is_written(name))
    }

    fn writing(user: Vec<HeaderName>, display_name: Vec<HeaderName>, consumer: Vec<HeaderName>) -> Self {
        let written = user.iter().chain(&display_name).chain(&consumer);
        let written = written.map(|name| normalize(name.as_str()).into_owned());
        let stripped: HashSet<_> = WELL_KNOWN.map(str::to_owned).into_iter().chain(written).collect();
        let beginnings = stripped.iter().map(String::as_str).chain(PREFIXES);
        Self {
            initials: beginnings.fold(Initials::of(&[]), Initials::and),
            stripped,
            user,
            display_name,
            consumer,
        }
    }

    fn is_identity(&self, normal: &str) -> bool {
        PREFIXES.iter().any(|prefix| normal.starts_with(prefix)) || self.stripped.contains(normal)
    }
}

/// How some names begin. One look at a name's first letter spares most names the rest of the questions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Initials(u128);

impl Initials {
    /// How these names begin, each in the spelling that [`normalize`] gives it.
    pub(crate) const fn of(mut names: &[&str]) -> Self {
        let mut initials = Self(0);
        while let [first, rest @ ..] = names {
            initials = initials.and(first);
            names = rest;
        }
        initials
    }

    /// With one name more.
    const fn and(self, name: &str) -> Self {
        match name.as_bytes() {
            [first, ..] if first.is_ascii() => Self(self.0 | 1 << *first),
            _ => self,
        }
    }

    /// Whether one of them may be this name, which is a header's and so in lower case.
    pub(crate) fn begin(self, name: &str) -> bool {
        match name.as_bytes() {
            [first, ..] if first.is_ascii_alphanumeric() => self.0 >> *first & 1 == 1,
            _ => self.0 >> b'-' & 1 == 1,
        }
    }
}

/// Removes the headers whose names, in the spelling that [`normalize`] gives them, fulfil a condition; `initials` are those of
/// the names that do.
pub(crate) fn remove_matching(headers: &mut HeaderMap, initials: Initials, condition: impl Fn(&str) -> bool) {
    let doomed = headers
        .keys()
        .filter(|name| initials.begin(name.as_str()) && condition(&normalize(name.as_str())));
    for name in doomed.cloned().collect::<Vec<_>>() {
        headers.remove(&name);
    }
}

/// A name as CGI, WSGI and their like see it: without a difference between `-`, `_` and the rest.
pub(super) fn normalize(name: &str) -> Cow<'_, str> {
    let stands = |b: u8| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit();
    if name.bytes().all(stands) {
        return Cow::Borrowed(name);
    }
    let lower = name.to_ascii_lowercase();
    Cow::Owned(lower.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
}

/// A value that can stand in a header, different for different texts.
fn value(text: &str) -> Cow<'_, str> {
    let stands = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'%';
    if text.bytes().all(stands) && !text.starts_with(' ') && !text.ends_with(' ') {
        return Cow::Borrowed(text);
    }
    let start = text.len() - text.trim_start_matches(' ').len();
    let end = text.trim_end_matches(' ').len();
    let mut out = String::with_capacity(2 * text.len());
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        if stands(byte) && (byte != b' ' || (start..end).contains(&at)) {
            out.push(byte.into());
        } else {
            encode::push_encoded(&mut out, &[byte]);
        }
    }
    Cow::Owned(out)
}

fn own_name(name: &str) -> Result<HeaderName, &'static str> {
    let parsed: HeaderName = name
        .parse()
        .map_err(|_| "write a header's name, such as X-My-User")?;
    let plain = parsed.as_str().replace('_', "-");
    if TAKEN.contains(&plain.as_str()) || plain.starts_with("x-linkgate-") {
        return Err("this header has another meaning: write a name of your own, such as X-My-User");
    }
    Ok(parsed)
}

const X_LINKGATE_CONSUMER: HeaderName = HeaderName::from_static("x-linkgate-consumer");
const X_LINKGATE_USER: HeaderName = HeaderName::from_static("x-linkgate-user");
const X_LINKGATE_NAME: HeaderName = HeaderName::from_static("x-linkgate-name");
const X_LINKGATE_CALL: HeaderName = HeaderName::from_static("x-linkgate-call");

/// What is written whatever the choice.
static ALWAYS_WRITTEN: [HeaderName; 4] = [
    X_LINKGATE_CONSUMER,
    X_LINKGATE_USER,
    X_LINKGATE_NAME,
    X_LINKGATE_CALL,
];

/// Families of which no member comes through.
const PREFIXES: [&str; 3] = ["x-linkgate-", "x-auth-request-", "x-authentik-"];

/// What applications are known to believe.
const WELL_KNOWN: [&str; 19] = [
    "remote-user",
    "remote-name",
    "remote-email",
    "remote-groups",
    "x-remote-user",
    "x-remote-name",
    "x-remote-email",
    "x-remote-group",
    "x-remote-groups",
    "x-forwarded-user",
    "x-forwarded-preferred-username",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-access-token",
    "x-auth-user",
    "x-authenticated-user",
    "x-webauth-user",
    "x-webauth-name",
    "x-webauth-email",
];

/// Names that frame the message or already say something else.
const TAKEN: [&str; 18] = [
    "accept",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn strips_every_spelling() {
        let identity = IdentityHeaders::own("X-My-User", None, None).unwrap();
        let mut headers = HeaderMap::new();
        for name in [
            "Remote-User",
            "REMOTE_USER",
            "X_Remote-User",
            "x-forwarded_user",
            "X-Forwarded-Preferred-Username",
            "X-Auth-Request-Anything",
            "x_auth_request_email",
            "X-Linkgate-User",
            "X_LINKGATE_ASSERTION",
            "x.linkgate.consumer",
            "X-MY-USER",
            "x_my_user",
            "x-my.user",
            "X-Kept",
        ] {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name.clone(), HeaderValue::from_static("mallory"));
            headers.append(name, HeaderValue::from_static("eve"));
        }
        identity.strip(&mut headers);
        assert_eq!(names(&headers), ["x-kept"]);
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn a_name_may_begin_with_anything() {
        let identity = IdentityHeaders::own("_My-User", None, None).unwrap();
        let mut headers = HeaderMap::new();
        for name in ["_my-user", "-my_user", ".my.user", "my-user"] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("mallory"));
        }
        identity.strip(&mut headers);
        assert_eq!(names(&headers), ["my-user"]);
    }

    #[test]
    fn values_stand_in_a_header_and_differ() {
        for (text, written) in [
            ("alice", "alice"),
            ("Alice Example", "Alice Example"),
            (" a b ", "%20a b%20"),
            ("  ", "%20%20"),
            ("", ""),
            ("é", "%C3%A9"),
            ("%C3%A9", "%25C3%25A9"),
            ("a\r\nRemote-User: b", "a%0D%0ARemote-User: b"),
            ("a\tb\0\u{7f}", "a%09b%00%7F"),
        ] {
            assert_eq!(value(text), written, "{text:?}");
            assert_eq!(HeaderValue::from_str(written).unwrap(), written);
        }
    }

    #[test]
    fn own_names_are_names_and_free() {
        assert!(IdentityHeaders::own("X-My-User", Some("X-My-Name"), Some("X-My-App")).is_ok());
        for name in [
            "",
            "X My User",
            "X-Mÿ",
            "Host",
            "content_length",
            "X-Linkgate-User",
            "x-forwarded-for",
        ] {
            assert!(IdentityHeaders::own(name, None, None).is_err(), "{name}");
        }
    }
}

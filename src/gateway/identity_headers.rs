//! Identity headers: removed from every request, on every route, and written for an accepted call.

use std::borrow::Cow;
use std::collections::HashSet;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::assertion::X_LINKGATE_ASSERTION;
use crate::http::header_text::{HeaderEncoding, encode};
use crate::provider::Caller;
use crate::setting::deserialize_text;

/// The headers that tell the upstream which user and which consumer make a call.
///
/// `X-Linkgate-Consumer` and `X-Linkgate-Call` are always written, and `X-Linkgate-User` and `X-Linkgate-Name` if the call
/// has a user. Names from which an application could read a user are removed, whether or not they are configured, by the
/// table in `config/headers.txt`. Names are compared as `normalize` spells them.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    user: Vec<HeaderName>,
    display_name: Vec<HeaderName>,
    consumer: Vec<HeaderName>,
    encoding: HeaderEncoding,
    /// Removed from every request.
    removed: Names,
    /// Removed from every request, unless a trusted proxy sent it and `allowed` has it.
    rewriting: Names,
    /// Removed from signed calls, but for those in `allowed`.
    claims: Names,
    allowed: Names,
    harmless: Names,
    /// Not removed from unsigned requests of trusted proxies.
    from_proxies: Names,
}

/// Names and patterns of header fields, as [`normalize`] spells them.
#[derive(Clone, Debug, Default)]
struct Names {
    exact: HashSet<String>,
    /// Each with whether anything may precede it, and follow it.
    patterns: Vec<(bool, String, bool)>,
}

impl Names {
    fn add<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            let text = normalize(name.trim_matches('*')).into_owned();
            match (name.starts_with('*'), name.ends_with('*')) {
                (false, false) => drop(self.exact.insert(text)),
                (before, after) => self.patterns.push((before, text, after)),
            }
        }
        self
    }

    fn contains(&self, normalized: &str) -> bool {
        let matches = |(before, text, after): &(bool, String, bool)| match (before, after) {
            (true, true) => normalized.contains(&**text),
            (true, false) => normalized.ends_with(&**text),
            (false, _) => normalized.starts_with(&**text),
        };
        self.exact.contains(normalized) || self.patterns.iter().any(matches)
    }
}

/// The names and patterns in a section of [`TABLE`].
fn section(title: &str) -> impl Iterator<Item = &'static str> {
    let begin = format!("[{title}]");
    let from_title = TABLE.lines().skip_while(move |line| !line.starts_with(&begin));
    let lines = from_title.skip(1).take_while(|line| !line.starts_with('['));
    lines.flat_map(str::split_whitespace)
}

impl IdentityHeaders {
    /// Removes the identity headers of a request. `is_by_proxy`: it is unsigned and of a trusted proxy, whose `from_proxies`
    /// stay: with one value each, and not as `Remote_User`, which CGI takes for the same.
    pub fn strip(&self, headers: &mut HeaderMap, is_by_proxy: bool) {
        let stays = |name: &str| {
            is_by_proxy
                && self.from_proxies.contains(name)
                && !name.starts_with("x-linkgate-")
                && matches!(normalize(name), Cow::Borrowed(_))
                && headers.get_all(name).iter().count() == 1
        };
        let removed = headers.keys().filter(|name| {
            let name = name.as_str();
            self.always_removes(name) && !stays(name)
        });
        for name in removed.cloned().collect::<Vec<_>>() {
            headers.remove(&name);
        }
    }

    /// Inserts the identity headers of an accepted call.
    pub fn write(&self, caller: &Caller, headers: &mut HeaderMap) {
        let mut insert = |configured: &[HeaderName], own: HeaderName, value: HeaderValue| {
            for name in configured {
                headers.insert(name, value.clone());
            }
            headers.insert(own, value);
        };
        let encoded = |text: &str| encode(text, self.encoding);
        let consumer = encoded(caller.consumer.key.as_str());
        insert(&self.consumer, X_LINKGATE_CONSUMER, consumer);
        insert(&[], X_LINKGATE_CALL, HeaderValue::from_static(caller.kind.name()));
        if let Some(user) = &caller.user {
            insert(&self.user, X_LINKGATE_USER, encoded(&user.subject));
            insert(&self.display_name, X_LINKGATE_NAME, encoded(&user.display_name));
        }
    }

    /// Every header that [`IdentityHeaders::write`] may insert.
    pub(super) fn own_names(&self) -> impl Iterator<Item = &HeaderName> {
        let configured = self.user.iter().chain(&self.display_name).chain(&self.consumer);
        configured.chain(&ALWAYS_WRITTEN)
    }

    /// Every identity header that has a fixed name, including those that are only removed.
    pub(super) fn all_names(&self) -> impl Iterator<Item = &str> {
        let own = self.own_names().map(HeaderName::as_str);
        let removed: Vec<&str> = section("identity").filter(|name| !name.ends_with('*')).collect();
        own.chain(removed).chain(["x-linkgate-assertion"])
    }

    /// The identity headers of a request that are not among those that linkgate writes. A front proxy that copies
    /// linkgate's headers into the request does not replace them.
    pub(super) fn unexpected<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a HeaderName> {
        let is_own =
            |name: &HeaderName| *name == X_LINKGATE_ASSERTION || self.own_names().any(|own| own == name);
        headers
            .keys()
            .filter(move |name| self.removed.contains(&normalize(name.as_str())) && !is_own(name))
    }

    /// Whether a field of the client may reach the application.
    pub(super) fn passes(&self, normalized: &str, is_trusted_peer: bool, is_signed: bool) -> bool {
        let is_allowed =
            self.allowed.contains(normalized) || (!is_signed && self.from_proxies.contains(normalized));
        (is_allowed && is_trusted_peer || !self.rewriting.contains(normalized))
            && (is_allowed || !is_signed || !self.is_claim(normalized))
    }

    /// The fields of a signed call that an application could believe, and that a front proxy would forward.
    pub(super) fn unverified<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a HeaderName> {
        headers.keys().filter(|name| {
            let name = normalize(name.as_str());
            let is_from_proxy = name.starts_with("x-forwarded-") || name.starts_with("x-envoy-");
            // Content delivery networks add the client's address.
            let is_rewriting = self.rewriting.contains(&name) && !is_from_proxy && !name.ends_with("-ip");
            (self.is_claim(&name) || is_rewriting)
                && !self.allowed.contains(&name)
                && !self.removed.contains(&name)
        })
    }

    /// Whether linkgate removes a name from every request, whatever is allowed.
    pub fn always_removes(&self, name: &str) -> bool {
        self.removed.contains(&normalize(name))
    }

    fn is_claim(&self, normalized: &str) -> bool {
        // The fields of nearly every request are found at once; only the others are compared with some seventy patterns.
        !self.harmless.contains(normalized) && self.claims.contains(normalized)
    }
}

pub(crate) fn remove_matching(headers: &mut HeaderMap, matches: impl Fn(&str) -> bool) {
    let matching = headers.keys().filter(|name| matches(&normalize(name.as_str())));
    for name in matching.cloned().collect::<Vec<_>>() {
        headers.remove(&name);
    }
}

/// A header name as CGI and WSGI tell it apart from others (RFC 3875, section 4.1.18): without case, and with `-` for
/// every character that is neither a letter nor a digit.
pub(super) fn normalize(name: &str) -> Cow<'_, str> {
    let is_normal = |b: u8| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit();
    if name.bytes().all(is_normal) {
        return Cow::Borrowed(name);
    }
    let lower = name.to_ascii_lowercase();
    Cow::Owned(lower.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
}

/// `[identity]`: how the application is told who calls.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct IdentityConfig {
    #[serde(default)]
    pub preset: IdentityPreset,
    pub headers: Option<OwnHeaders>,
    #[serde(default)]
    pub encoding: HeaderEncoding,
    #[serde(default)]
    pub strip: Vec<IdentityHeaderName>,
    #[serde(default)]
    pub allow: Vec<IdentityHeaderName>,
    #[serde(default)]
    pub from_proxies: Vec<IdentityHeaderName>,
    #[serde(default)]
    pub assertion: bool,
    #[serde(default)]
    pub assertion_audience: String,
}

/// Names of identity headers that are common.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityPreset {
    /// `Remote-User`.
    #[default]
    RemoteUser,
    /// `X-Forwarded-User` and `X-Forwarded-Preferred-Username`.
    Oauth2Proxy,
}

/// Names of identity headers that the administrator chose.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnHeaders {
    /// Names the user.
    pub user: IdentityHeaderName,
    /// The user's display name.
    pub name: Option<IdentityHeaderName>,
    /// The consumer key.
    pub consumer: Option<IdentityHeaderName>,
}

/// The name of a header that has no other meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityHeaderName(HeaderName);

deserialize_text! { IdentityHeaderName = Self::parse; }

impl IdentityConfig {
    /// The headers.
    pub fn headers(&self) -> IdentityHeaders {
        let one = |name: &Option<IdentityHeaderName>| name.iter().map(|name| name.0.clone()).collect();
        let preset: &[_] = match self.preset {
            IdentityPreset::Oauth2Proxy => &["x-forwarded-user", "x-forwarded-preferred-username"],
            IdentityPreset::RemoteUser => &["remote-user"],
        };
        let preset = preset.iter().copied().map(HeaderName::from_static).collect();
        let (user, display_name, consumer): (Vec<_>, Vec<_>, Vec<_>) = match &self.headers {
            Some(names) => (vec![names.user.0.clone()], one(&names.name), one(&names.consumer)),
            None => (preset, vec![], vec![]),
        };
        let names =
            |names: &[IdentityHeaderName]| Names::default().add(names.iter().map(IdentityHeaderName::as_str));
        let written = user.iter().chain(&display_name).chain(&consumer);
        IdentityHeaders {
            encoding: self.encoding,
            removed: names(&self.strip)
                .add(section("identity"))
                .add(written.map(HeaderName::as_str)),
            rewriting: Names::default().add(section("rewriting")),
            claims: Names::default().add(section("claims")),
            harmless: Names::default().add(section("harmless")),
            allowed: names(&self.allow),
            from_proxies: names(&self.from_proxies),
            user,
            display_name,
            consumer,
        }
    }
}

impl IdentityHeaderName {
    /// Parses a name. The error tells the administrator what to write instead.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        let parsed: HeaderName = name
            .parse()
            .map_err(|_| "write letters, digits and dashes: \"X-My-User\"")?;
        let is_taken = match parsed.as_str().replace('_', "-").as_str() {
            "accept" | "authorization" | "connection" | "content-encoding" | "content-length"
            | "content-type" | "cookie" | "expect" | "forwarded" | "host" | "keep-alive" | "te"
            | "trailer" | "transfer-encoding" | "upgrade" | "x-forwarded-for" | "x-forwarded-host"
            | "x-forwarded-proto" => true,
            plain => plain.starts_with("x-linkgate-"),
        };
        if is_taken {
            return Err("it has another meaning: write a name of your own, \"X-My-User\"");
        }
        Ok(Self(parsed))
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

const X_LINKGATE_CONSUMER: HeaderName = HeaderName::from_static("x-linkgate-consumer");
const X_LINKGATE_USER: HeaderName = HeaderName::from_static("x-linkgate-user");
const X_LINKGATE_NAME: HeaderName = HeaderName::from_static("x-linkgate-name");
const X_LINKGATE_CALL: HeaderName = HeaderName::from_static("x-linkgate-call");

static ALWAYS_WRITTEN: [HeaderName; 4] = [
    X_LINKGATE_CONSUMER,
    X_LINKGATE_USER,
    X_LINKGATE_NAME,
    X_LINKGATE_CALL,
];

const TABLE: &str = include_str!("../../config/headers.txt");

//! A front proxy authenticates users and names them in a header.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use crate::model::User;
use crate::oauth::Timestamp;
use crate::setting;

use super::{Check, HttpUrl, Method, UNKNOWN_ENCODING, decode_display_name, decode_name, is_user_name, user};

/// `[login.trusted-header]`: the headers in which a front proxy names the user.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustedHeader {
    /// The front proxies.
    #[serde(skip)]
    pub proxies: Vec<IpNet>,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "header_name")]
    pub header: HeaderName,
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    #[serde(deserialize_with = "header_name")]
    pub display_header: Option<HeaderName>,
    pub logout_url: Option<HttpUrl>,
}

impl Default for TrustedHeader {
    fn default() -> Self {
        Self {
            proxies: Vec::new(),
            header: HeaderName::from_static("remote-user"),
            display_header: None,
            logout_url: None,
        }
    }
}

/// For `HeaderName` or `Option<HeaderName>`.
fn header_name<'de, D: Deserializer<'de>, T: From<HeaderName>>(deserializer: D) -> Result<T, D::Error> {
    setting::text(deserializer, |text| {
        let name = HeaderName::from_bytes(text.as_bytes()).map(T::from);
        name.map_err(|_| "write the name of a header: \"Remote-User\"")
    })
}

impl TrustedHeader {
    /// Identifies the user of a request; `None` if it is anonymous. The TCP peer must be one of the proxies, and a header must
    /// have exactly one value that is a name.
    pub fn identify(
        &self,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<User>, String> {
        let peer = peer.map(|peer| peer.to_canonical());
        if !peer.is_some_and(|peer| self.proxies.iter().any(|proxy| proxy.contains(&peer))) {
            let peer = peer.map_or_else(|| "an unknown address".to_owned(), |peer| peer.to_string());
            return Err(format!(
                "{peer} is not in server.trusted_proxies, so its headers are ignored"
            ));
        }
        let Some(subject) = single_value(headers, &self.header)? else {
            return Ok(None);
        };
        if subject.contains(',') {
            return Err(several(&self.header));
        }
        let Some(subject) = decode_name(&subject) else {
            return Err(format!("{} {UNKNOWN_ENCODING}", self.header));
        };
        let display_name = match &self.display_header {
            Some(header) => single_value(headers, header)?.map(decode_display_name),
            None => None,
        };
        Ok(Some(user(Method::TrustedHeader, subject, display_name, now)))
    }

    /// Shows which proxies and headers are trusted.
    pub fn diagnose(&self) -> Vec<Check> {
        let proxies: Vec<_> = self.proxies.iter().map(ToString::to_string).collect();
        let connections = format!("connections from {}", proxies.join(", "));
        let name = format!("{}: the user's name, exactly one value", self.header);
        let mut checks = vec![
            Check::ok("trusted proxies", connections),
            Check::ok("trusted header", name),
        ];
        if let Some(header) = &self.display_header {
            checks.push(Check::ok("display name", format!("{header}: the name to show")));
        }
        checks
    }
}

/// The only value of a header; `None` if it is absent or blank.
fn single_value(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, String> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(several(name));
    }
    match std::str::from_utf8(value.as_bytes()).map(str::trim) {
        Ok("") => Ok(None),
        Ok(text) if is_user_name(text) => Ok(Some(text.to_owned())),
        _ => Err(format!(
            "{name} is not a user's name: too long, not UTF-8, or with control characters"
        )),
    }
}

fn several(name: &HeaderName) -> String {
    format!("{name} has more than one value: the proxy must replace what a browser sends, not add to it")
}

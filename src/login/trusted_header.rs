//! A proxy in front of us signs people in, and says in a header who they are.
//!
//! Believed is the address at the other end of the connection, and nothing that a header says of it.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use crate::model::User;
use crate::setting;

use super::{Arriving, HttpUrl, is_name};

/// `[login.trusted-header]`: the headers in which a front proxy names the user.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrustedHeader {
    /// The front proxies.
    #[serde(skip)]
    pub proxies: Vec<IpNet>,
    /// The header with the user's name for the application.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "remote_user", deserialize_with = "header_name")]
    pub header: HeaderName,
    /// The header with the user's name for people.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    #[serde(default, deserialize_with = "optional_header_name")]
    pub display_header: Option<HeaderName>,
    /// Where a browser signs out of the proxy.
    pub logout_url: Option<HttpUrl>,
}

impl Default for TrustedHeader {
    fn default() -> Self {
        Self {
            proxies: Vec::new(),
            header: remote_user(),
            display_header: None,
            logout_url: None,
        }
    }
}

const fn remote_user() -> HeaderName {
    HeaderName::from_static("remote-user")
}

fn header_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderName, D::Error> {
    setting::text(deserializer, |text| {
        HeaderName::from_bytes(text.as_bytes()).map_err(|_| "write the name of a header: \"Remote-User\"")
    })
}

fn optional_header_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HeaderName>, D::Error> {
    header_name(deserializer).map(Some)
}

/// Why a header is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Whoever sent it is none of the proxies.
    #[error("{} is not in server.trusted_proxies, so its headers name nobody", shown(*.0))]
    NotFromAProxy(Option<IpAddr>),
    /// It stands there twice, or holds a list: somebody added one to the proxy's.
    #[error("{0} has more than one value: the proxy must replace what a browser sends, not add to it")]
    Several(HeaderName),
    /// It is no name.
    #[error("{0} is not a user's name: too long, not UTF-8, or with control characters")]
    NotAName(HeaderName),
}

impl TrustedHeader {
    /// Reads who is there.
    pub fn recognise(&self, arriving: Arriving<'_>) -> Result<Option<User>, HeaderFault> {
        let peer = arriving.peer.map(|peer| peer.to_canonical());
        if !peer.is_some_and(|peer| self.proxies.iter().any(|proxy| proxy.contains(&peer))) {
            return Err(HeaderFault::NotFromAProxy(peer));
        }
        let Some(subject) = only(arriving.headers, &self.header)? else {
            return Ok(None);
        };
        if subject.contains(',') {
            return Err(HeaderFault::Several(self.header.clone()));
        }
        let shown = match &self.display_header {
            Some(header) => only(arriving.headers, header)?,
            None => None,
        };
        Ok(Some(User {
            display_name: shown.unwrap_or_else(|| subject.clone()),
            subject,
            proved_by: "trusted-header".to_owned(),
            proved_at: arriving.at,
        }))
    }
}

/// The one value of a header; `None` when it is absent or empty.
fn only(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, HeaderFault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(HeaderFault::Several(name.clone()));
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| HeaderFault::NotAName(name.clone()))?;
    match text.trim() {
        "" => Ok(None),
        text if is_name(text) => Ok(Some(text.to_owned())),
        _ => Err(HeaderFault::NotAName(name.clone())),
    }
}

fn shown(peer: Option<IpAddr>) -> String {
    peer.map_or_else(|| "an unknown address".to_owned(), |peer| peer.to_string())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::oauth::Timestamp;

    fn judge(peer: &str, fields: &[(&'static str, &'static [u8])]) -> Result<Option<User>, HeaderFault> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let trusted = TrustedHeader {
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
            display_header: Some(HeaderName::from_static("remote-name")),
            ..TrustedHeader::default()
        };
        trusted.recognise(Arriving {
            headers: &headers,
            peer: peer.parse().ok(),
            at: Timestamp::from_seconds(7),
        })
    }

    #[test]
    fn one_value_of_a_known_proxy_is_believed() {
        let user = judge("10.1.2.3", &[("remote-user", b"alice")]).unwrap().unwrap();
        assert_eq!((&*user.subject, &*user.display_name), ("alice", "alice"));
        let fields: [(_, &[u8]); 2] = [("remote-user", b" alice "), ("remote-name", "Älice".as_bytes())];
        let user = judge("::ffff:10.1.2.3", &fields).unwrap().unwrap();
        assert_eq!((&*user.subject, &*user.display_name), ("alice", "Älice"));
        assert_eq!(judge("10.1.2.3", &[]), Ok(None));
        assert_eq!(judge("10.1.2.3", &[("remote-user", b" ")]), Ok(None));
    }

    #[test]
    fn a_strangers_header_names_nobody() {
        for peer in ["192.0.2.1", "::1", ""] {
            let said = judge(
                peer,
                &[("remote-user", b"alice"), ("x-forwarded-for", b"10.1.2.3")],
            );
            assert_eq!(said, Err(HeaderFault::NotFromAProxy(peer.parse().ok())));
        }
    }

    #[test]
    fn more_than_one_value_names_nobody() {
        let several = Err(HeaderFault::Several(HeaderName::from_static("remote-user")));
        assert_eq!(
            judge("10.1.2.3", &[("remote-user", b"alice".as_slice()); 2]),
            several
        );
        assert_eq!(judge("10.1.2.3", &[("remote-user", b"mallory, alice")]), several);
        let unreadable = Err(HeaderFault::NotAName(HeaderName::from_static("remote-user")));
        assert_eq!(judge("10.1.2.3", &[("remote-user", b"\xff")]), unreadable);
    }
}

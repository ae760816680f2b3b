//! A link: a remote application that the guarded application calls through linkgate.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::http::client::{Address, Connector, HttpClient};
use crate::oauth::Origin;
use crate::oauth::{PublicUrl, Timestamp};

/// A remote application that the guarded application calls through linkgate.
#[derive(Debug)]
pub struct Link {
    options: LinkOptions,
    client: HttpClient,
    /// The index of the signing key that the remote application accepted last.
    key: AtomicUsize,
    /// The minute in which a success was recorded last.
    recorded: AtomicI64,
}

/// The configuration of a link.
#[derive(Clone, Debug)]
pub struct LinkOptions {
    /// The name in the paths of the internal listener and of the pages.
    pub name: String,
    /// The name on pages.
    pub title: String,
    /// The base URL of the remote application.
    pub url: PublicUrl,
    /// What happens to a call that names a user.
    pub users: Users,
    /// Whether a call without a user is made as the application itself.
    pub itself: bool,
    /// How long the remote application may take to send the head of a response.
    pub response_timeout: Duration,
}

/// What happens to a call that names a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Users {
    /// It is made with the access token that the user granted.
    Connect,
    /// It is made with impersonation.
    Impersonate,
    /// It is rejected.
    None,
}

impl Link {
    /// Creates a link; nothing is connected yet. `None` if no certificate can be for the host of its URL.
    pub fn new(options: LinkOptions, connector: Connector) -> Option<Self> {
        let address = Address::of(&options.url.as_str().parse().ok()?)?;
        Some(Self {
            options,
            client: HttpClient::new(address, connector, IDLE_TIMEOUT),
            key: AtomicUsize::new(0),
            recorded: AtomicI64::new(i64::MIN),
        })
    }

    /// The name in paths.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// The name on pages.
    pub fn title(&self) -> &str {
        &self.options.title
    }

    /// The base URL of the remote application.
    pub fn url(&self) -> &PublicUrl {
        &self.options.url
    }

    /// The configuration.
    pub fn options(&self) -> &LinkOptions {
        &self.options
    }

    /// The client of the remote application.
    pub(super) fn client(&self) -> &HttpClient {
        &self.client
    }

    /// The index of the signing key to begin with.
    pub(super) fn key(&self) -> usize {
        self.key.load(Ordering::Relaxed)
    }

    /// Remembers the signing key to begin with from now on.
    pub(super) fn remember_key(&self, key: usize) {
        self.key.store(key, Ordering::Relaxed);
    }

    /// Returns true for the first success in a minute, which is to be recorded.
    pub(super) fn should_record(&self, now: Timestamp) -> bool {
        self.recorded.swap(now.minute(), Ordering::Relaxed) != now.minute()
    }

    /// Returns the target below the link's URL to which a `Location` leads; `None` if it leads out of the link.
    pub(super) fn resolve_redirect(&self, location: &str) -> Option<String> {
        let url = &self.options.url;
        let location = location.split('#').next().unwrap_or_default();
        let target = if location.starts_with('/') && !location.starts_with("//") {
            location
        } else {
            let (origin, target) = Origin::split(location).ok()?;
            if origin.as_str() != url.origin() {
                return None;
            }
            target
        };
        let below = target.strip_prefix(url.path_prefix())?;
        // A server that resolves dot segments or backslashes would leave the link.
        if below.contains('\\') || below.split(['/', '?']).any(|part| matches!(part, "." | "..")) {
            return None;
        }
        match below.as_bytes().first() {
            Some(b'/') => Some(below.to_owned()),
            Some(b'?') | None => Some(format!("/{below}")),
            Some(_) => None,
        }
    }
}

/// How long an idle connection to the remote application is kept.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::client::Reach;

    #[test]
    fn a_redirect_stays_within_the_link() {
        let options = LinkOptions {
            name: "b".into(),
            title: "B".into(),
            url: PublicUrl::parse("https://b.example/ctx").unwrap(),
            users: Users::Connect,
            itself: false,
            response_timeout: Duration::from_secs(1),
        };
        let connector = Connector {
            tls: None,
            reach: Reach::NotMetadata,
            timeout: Duration::from_secs(1),
        };
        let link = Link::new(options, connector).unwrap();
        for (location, target) in [
            ("/ctx/rest?a=%2F", Some("/rest?a=%2F")),
            ("https://b.example/ctx", Some("/")),
            ("https://B.example:443/ctx?x#y", Some("/?x")),
            ("/ctx", Some("/")),
            ("/other", None),
            ("/ctxevil", None),
            ("/ctx/../other", None),
            ("/ctx\\..\\x", None),
            ("http://b.example/ctx/x", None),
            ("https://b.example:8443/ctx/x", None),
            ("https://b.example.evil/ctx/x", None),
            ("https://b.example@evil/ctx/x", None),
            ("//evil/ctx/x", None),
            ("relative", None),
            ("", None),
        ] {
            assert_eq!(link.resolve_redirect(location).as_deref(), target, "{location}");
        }
    }
}

//! Another side, as it is configured.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::oauth::origin::Origin;
use crate::oauth::{PublicUrl, Timestamp};

use super::client::Client;

/// Another side that the application calls through us.
#[derive(Debug)]
pub struct Link {
    options: LinkOptions,
    client: Client,
    /// Which of our keys it took last.
    key: AtomicUsize,
    /// The minute in which we noted last that all is well.
    noted: AtomicI64,
}

/// What is configured.
#[derive(Clone, Debug)]
pub struct LinkOptions {
    /// The link's name in paths of ours.
    pub name: String,
    /// The link's name for people.
    pub title: String,
    /// The base URL.
    pub url: PublicUrl,
    /// What becomes of a call that names a user.
    pub users: Users,
    /// Whether a call that names nobody is made as ourselves.
    pub itself: bool,
    /// How long the head of an answer may take.
    pub response_timeout: Duration,
}

/// What becomes of a call that names a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Users {
    /// It carries the token that this user gave us.
    Connect,
    /// It names the user, and the other side believes us.
    Impersonate,
    /// It is refused.
    None,
}

impl Link {
    /// Takes what is configured, and what carries the calls.
    pub fn new(options: LinkOptions, client: Client) -> Self {
        Self {
            options,
            client,
            key: AtomicUsize::new(0),
            noted: AtomicI64::new(i64::MIN),
        }
    }

    /// The link's name in paths of ours.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// The link's name for people.
    pub fn title(&self) -> &str {
        &self.options.title
    }

    /// The base URL.
    pub fn url(&self) -> &PublicUrl {
        &self.options.url
    }

    /// What is configured.
    pub fn options(&self) -> &LinkOptions {
        &self.options
    }

    /// What carries the calls.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Which of our keys to sign with first.
    pub(super) fn key(&self) -> usize {
        self.key.load(Ordering::Relaxed)
    }

    /// Remembers which of our keys was taken.
    pub(super) fn remember_key(&self, key: usize) {
        self.key.store(key, Ordering::Relaxed);
    }

    /// Whether nobody has noted in this minute that all is well.
    pub(super) fn should_record(&self, now: Timestamp) -> bool {
        self.noted.swap(now.bucket(), Ordering::Relaxed) != now.bucket()
    }

    /// The path and query of a redirect that stays within this link; `None`: it leads elsewhere.
    pub(super) fn resolve_redirect(&self, location: &str) -> Option<String> {
        let location = location.split('#').next().unwrap_or_default();
        let rest = if location.starts_with('/') && !location.starts_with("//") {
            location
        } else {
            let (origin, rest) = Origin::split(location).ok()?;
            if origin.as_str() != self.url().origin() {
                return None;
            }
            rest
        };
        let below = rest.strip_prefix(self.url().path_prefix())?;
        let clean = !below.contains('\\') && !below.split(['/', '?']).any(|part| matches!(part, "." | ".."));
        let inside = below.is_empty() || below.starts_with(['/', '?']);
        (inside && clean).then(|| {
            let root = if below.starts_with('/') { "" } else { "/" };
            format!("{root}{below}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Roots;

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
        let peer = Link::new(
            options,
            Client::new(Roots::system().unwrap(), Duration::from_secs(1)),
        );
        for (location, inside) in [
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
            assert_eq!(peer.resolve_redirect(location).as_deref(), inside, "{location}");
        }
    }
}

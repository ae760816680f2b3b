//! A link: a remote application that the guarded application calls through linkgate.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::gateway::path_readings::interpretations;
use crate::http::client::{Address, Connector, HttpClient, Reach};
use crate::oauth::Origin;
use crate::oauth::{PublicUrl, Timestamp};
use crate::setting::{self, FromFile, duration, seconds};
use crate::tls::{ClientTls, Roots, RootsError};

/// A remote application that the guarded application calls through linkgate.
#[derive(Debug)]
pub struct Link {
    /// The configuration.
    pub config: LinkConfig,
    pub(super) client: HttpClient,
    /// The index of the signing key that the remote application accepted last.
    pub(super) key: AtomicUsize,
    /// The minute in which a success was recorded last.
    recorded: AtomicI64,
}

/// `[[links]]`: the configuration of a link.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct LinkConfig {
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "name")]
    pub name: String,
    #[serde(default)]
    pub title: String,
    pub url: PublicUrl,
    #[serde(default)]
    pub users: Users,
    #[serde(default)]
    pub itself: bool,
    pub ca_file: Option<FromFile<Roots>>,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<5>", deserialize_with = "duration")]
    pub connect_timeout: Duration,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<60>", deserialize_with = "duration")]
    pub response_timeout: Duration,
}

/// Why a link cannot be made of its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkConfigError {
    #[error("no certificate can be for the host of its url")]
    Host,
    #[error("ca_file: {0}")]
    Roots(#[from] RootsError),
}

/// What happens to a call that names a user.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Users {
    /// It is made with the access token that the user granted.
    #[default]
    Connect,
    /// It is made with impersonation.
    Impersonate,
    /// It is rejected.
    None,
}

impl Link {
    /// Creates a link; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// The operating system has no trust roots, or no certificate can be for the host of the URL.
    pub fn new(config: LinkConfig) -> Result<Self, LinkConfigError> {
        let uri = config.url.as_str().parse().map_err(|_| LinkConfigError::Host)?;
        let address = Address::of(&uri).ok_or(LinkConfigError::Host)?;
        let connector = connector(config.ca_file.as_ref(), config.connect_timeout)?;
        Ok(Self {
            config,
            client: HttpClient::new(address, connector, IDLE_TIMEOUT),
            key: AtomicUsize::new(0),
            recorded: AtomicI64::new(i64::MIN),
        })
    }

    /// The name in paths.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Returns true for the first success in a minute, which is to be recorded.
    pub(super) fn should_record(&self, now: Timestamp) -> bool {
        self.recorded.swap(now.minute(), Ordering::Relaxed) != now.minute()
    }

    /// Returns the target below the link's URL to which a `Location` leads; `None` if it leads out of the link.
    pub(super) fn resolve_redirect(&self, location: &str) -> Option<String> {
        let url = &self.config.url;
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
        // A server that decodes the path, or resolves dot segments or backslashes, would leave the link.
        let is_within = |path: &String| {
            let below = path.strip_prefix(url.path_prefix());
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        };
        let (path, _) = target.split_once('?').unwrap_or((target, ""));
        if below.contains('\\')
            || below.split(['/', '?']).any(|part| matches!(part, "." | ".."))
            || !interpretations(path)?.iter().all(is_within)
        {
            return None;
        }
        match below.as_bytes().first() {
            Some(b'/') => Some(below.to_owned()),
            Some(b'?') | None => Some(format!("/{below}")),
            Some(_) => None,
        }
    }
}

/// Connects to remote applications, whose certificates chain to the roots in a `ca_file` or to those of the operating system.
///
/// # Errors
///
/// The operating system has none.
pub fn connector(ca_file: Option<&FromFile<Roots>>, timeout: Duration) -> Result<Connector, RootsError> {
    Ok(Connector {
        tls: Some(ClientTls::with_roots(Roots::or_system(ca_file)?)),
        reach: Reach::NotMetadata,
        timeout,
    })
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    setting::text(deserializer, |text| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = (1..=40).contains(&text.len()) && text.bytes().all(plain);
        is_name
            .then(|| text.to_owned())
            .ok_or("write 1 to 40 of a-z, 0-9 and -")
    })
}

const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

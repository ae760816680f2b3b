//! User authentication: a file for each login method, with its configuration, its sign-in and its diagnosis.
//!
//! 1. [`LoginConfig`]: `[login]`; [`Login`]: the configured method, which is of one of three kinds;
//! 2. [`FormLogin`], a name and a password: [`password_file`], [`ldap`];
//! 3. [`RequestLogin`], the browser's requests themselves: [`trusted_header`], [`probe`] with `user_lookup`;
//! 4. [`RedirectLogin`], a redirect to a login service and back: [`handoff`], [`oidc`];
//! 5. `http`: requests of several methods.

#![expect(missing_docs, reason = "config/linkgate.toml says what each key means")]

mod config;
pub mod handoff;
mod http;
pub mod ldap;
pub mod oidc;
pub mod password_file;
pub mod probe;
pub mod trusted_header;
mod user_lookup;

use std::net::IpAddr;
use std::time::Duration;

use ::http::HeaderMap;
use anyhow::Context as _;
use ipnet::IpNet;
use moka::future::Cache;

use crate::clock::Clock;
use crate::http::header_text::decode;
use crate::model::{User, UserStatus};
use crate::oauth::{Secret, Timestamp, Token};

pub use config::{LoginConfig, Method};
pub use handoff::Handoff;
pub use http::HttpUrl;
#[cfg(feature = "ldap")]
pub use ldap::Ldap;
pub use ldap::LdapConfig;
#[cfg(feature = "oidc")]
pub use oidc::Oidc;
pub use oidc::OidcConfig;
pub use password_file::{PasswordFile, PasswordFileConfig, PasswordFileError};
pub use probe::{Probe, ProbeConfig};
pub use trusted_header::TrustedHeader;
pub use user_lookup::{UserLookup, UserLookupUrl};

/// The configured login method.
#[derive(Debug)]
pub enum Login {
    /// The user enters a name and a password on linkgate's page.
    Form(FormLogin),
    /// Every request of the browser identifies its user.
    Request(RequestLogin),
    /// The browser is redirected to a login service and back.
    Redirect(RedirectLogin),
}

/// A method that verifies a name and a password.
#[derive(Debug)]
pub enum FormLogin {
    /// Those of a password file.
    File(PasswordFile),
    /// Those of a directory.
    #[cfg(feature = "ldap")]
    Ldap(Box<Ldap>),
}

/// A method that identifies the user of a request.
#[derive(Debug)]
pub enum RequestLogin {
    /// A front proxy names the user in a header.
    TrustedHeader(TrustedHeader),
    /// The application is asked whose cookies the browser has.
    Probe(Box<Probe>),
}

/// A method with a [`LoginFlow`].
#[derive(Debug)]
pub enum RedirectLogin {
    /// To a page of the application, with a signature.
    Handoff(Handoff),
    /// To an OpenID provider.
    #[cfg(feature = "oidc")]
    Oidc(Box<Oidc>),
}

/// One redirect of a browser to a login service and back.
///
/// The secrets are derived from `id` with the secret key: they need no storage, and every replica derives the same.
#[derive(Clone, Debug)]
pub struct LoginFlow {
    /// Identifies the flow, and is good once. It is public: URLs contain it.
    pub id: Token,
    /// The absolute URL of linkgate to which the browser returns.
    pub return_to: String,
    /// Whether the user must authenticate again, even with a session at the login service.
    pub force_login: bool,
    /// The `nonce` of the ID token (OpenID Connect Core, section 3.1.2.1).
    pub nonce: Secret,
    /// The `code_verifier` (RFC 7636, section 4.1).
    pub verifier: Secret,
    /// When it started.
    pub at: Timestamp,
}

impl LoginFlow {
    /// Seconds that a flow may take.
    pub const MAX_SECONDS: i64 = 600;

    /// Whether the user authenticated too long ago: before the flow started, although it asked for a new sign-in.
    fn is_stale(&self, auth_time: i64) -> bool {
        self.force_login && auth_time < self.at.seconds().saturating_sub(CLOCK_SKEW)
    }
}

/// Why a login method does not authenticate a user. For the log; the pages have their own texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// What the browser brought, or what it led to, is not acceptable.
    #[error("{0}")]
    Rejected(String),
    /// The source of users did not answer, or its answer is unusable. Nothing was decided.
    #[error("{0}")]
    Unavailable(String),
}

impl Login {
    /// Prepares the configured method. Nothing is connected yet.
    pub(crate) fn new(
        config: &LoginConfig,
        trusted_proxies: &[IpNet],
        clock: &Clock,
    ) -> anyhow::Result<Self> {
        let config = config.clone();
        let missing = || format!("[login.{}] is missing", config.method.name());
        Ok(match config.method {
            Method::File => {
                let path = config.file.with_context(missing)?.path;
                Self::Form(FormLogin::File(PasswordFile::read(path)?))
            }
            #[cfg(feature = "ldap")]
            Method::Ldap => {
                let ldap = Ldap::new(config.ldap.with_context(missing)?)?;
                Self::Form(FormLogin::Ldap(Box::new(ldap)))
            }
            Method::TrustedHeader => Self::Request(RequestLogin::TrustedHeader(TrustedHeader {
                proxies: trusted_proxies.to_vec(),
                ..config.trusted_header
            })),
            Method::Probe => {
                let probe = Probe::new(config.probe.with_context(missing)?)?;
                Self::Request(RequestLogin::Probe(Box::new(probe)))
            }
            Method::Handoff => {
                let handoff = config.handoff.with_context(missing)?;
                Self::Redirect(RedirectLogin::Handoff(handoff))
            }
            #[cfg(feature = "oidc")]
            Method::Oidc => {
                let oidc = Oidc::new(config.oidc.with_context(missing)?, clock.clone())?;
                Self::Redirect(RedirectLogin::Oidc(Box::new(oidc)))
            }
            #[cfg(not(all(feature = "ldap", feature = "oidc")))]
            _ => {
                _ = clock;
                anyhow::bail!(missing())
            }
        })
    }

    /// Returns whether a user exists, and the display name.
    ///
    /// Supported by the forms, and by the probe with `user_lookup_url`. The other methods know only the current user of the
    /// browser, and return [`UserStatus::Unknown`].
    pub(crate) async fn user_status(&self, subject: &str) -> UserStatus {
        // Boxed: every guarded call asks, and most methods answer at once.
        match self {
            Self::Form(FormLogin::File(users)) => users.user_status(subject),
            #[cfg(feature = "ldap")]
            Self::Form(FormLogin::Ldap(directory)) => Box::pin(directory.user_status(subject)).await,
            Self::Request(RequestLogin::Probe(probe)) => Box::pin(probe.user_status(subject)).await,
            Self::Request(RequestLogin::TrustedHeader(_)) | Self::Redirect(_) => UserStatus::Unknown,
        }
    }

    /// Reads the password file again, if there is one. After an error, the users stay as they were.
    pub(crate) fn reload(&self) -> Result<(), PasswordFileError> {
        match self {
            Self::Form(FormLogin::File(users)) => users.reload(),
            _ => Ok(()),
        }
    }
}

impl FormLogin {
    /// Verifies a name and a password.
    pub(crate) async fn verify(
        &self,
        name: &str,
        password: Secret,
        now: Timestamp,
    ) -> Result<User, SignInError> {
        match self {
            Self::File(users) => users.verify(name, password, now).await,
            #[cfg(feature = "ldap")]
            Self::Ldap(directory) => directory.verify(name, password, now).await,
        }
    }
}

impl RequestLogin {
    /// Identifies the user of a request; `None` if it is anonymous. `peer`: the address of the TCP peer, not one of a header.
    pub(crate) async fn identify(
        &self,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<User>, SignInError> {
        match self {
            Self::TrustedHeader(header) => {
                let user = header.identify(headers, peer, now);
                user.map_err(SignInError::Rejected)
            }
            Self::Probe(probe) => probe.identify(headers, now).await,
        }
    }

    /// The application's page where an anonymous browser signs in and returns to this URL.
    pub(crate) fn login_url(&self, return_to: &str) -> Option<String> {
        match self {
            Self::TrustedHeader(_) => None,
            Self::Probe(probe) => Some(probe.login_url(return_to)),
        }
    }

    /// Where a browser signs out of the front proxy or of the application.
    pub(crate) fn logout_url(&self) -> Option<&str> {
        let url = match self {
            Self::TrustedHeader(header) => &header.logout_url,
            Self::Probe(probe) => &probe.config.logout_url,
        };
        url.as_ref().map(HttpUrl::as_str)
    }
}

/// One finding of a method's `diagnose`: `linkgate doctor login` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub check: String,
    /// What was seen.
    pub seen: String,
    /// What to change; `None` if the check passed.
    pub help: Option<String>,
}

impl Check {
    fn new(check: impl Into<String>, seen: impl Into<String>, help: Option<&str>) -> Self {
        Self {
            check: check.into(),
            seen: seen.into(),
            help: help.map(str::to_owned),
        }
    }

    fn ok(check: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(check, seen, None)
    }
}

/// Whether users exist, as a source outside linkgate answered during the last ten seconds.
#[derive(Debug)]
struct StatusCache(Cache<String, UserStatus>);

impl StatusCache {
    fn new() -> Self {
        let cache = Cache::builder().max_capacity(10_000);
        Self(cache.time_to_live(Duration::from_secs(10)).build())
    }

    /// Returns a cached status, or asks, once for concurrent calls. A failure is logged and not cached.
    async fn get(&self, subject: &str, ask: impl Future<Output = Result<UserStatus, String>>) -> UserStatus {
        let status = self.0.try_get_with_by_ref(subject, ask).await;
        status.unwrap_or_else(|error| {
            tracing::warn!(user.subject = ?subject, "whether a user exists cannot be found out: {error}");
            UserStatus::Unknown
        })
    }
}

fn rejected<T>(why: impl Into<String>) -> Result<T, SignInError> {
    Err(SignInError::Rejected(why.into()))
}

/// Why a form rejects a user, who is not told which.
const WRONG: &str = "wrong name or password";

/// A user whom a method has authenticated. Without a display name, the name is shown.
fn user(method: Method, subject: String, display_name: Option<String>, at: Timestamp) -> User {
    User {
        display_name: display_name.unwrap_or_else(|| subject.clone()),
        subject,
        proved_by: method.name().to_owned(),
        proved_at: at,
    }
}

/// The name of a user, which a proxy or an application writes in UTF-8, or percent-encoded as linkgate's identity headers.
/// `None` if it has a `%` of another meaning.
fn decode_name(text: &str) -> Option<String> {
    let name = decode(text).filter(|name| is_user_name(name))?;
    Some(name.into_owned())
}

const UNKNOWN_ENCODING: &str = "has a % that is not part of percent-encoded UTF-8: write it as %25";

/// The same for a display name, in which a `%` of another meaning stays.
fn decode_display_name(text: String) -> String {
    decode_name(&text).unwrap_or(text)
}

/// Whether a text can be a user's name: 1 to 255 characters, none of them a control character.
fn is_user_name(text: &str) -> bool {
    (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Seconds by which the clock of a login service may differ.
const CLOCK_SKEW: i64 = 10;

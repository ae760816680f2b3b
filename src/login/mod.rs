//! User authentication: a file for each login method, each of which authenticates a [`User`].
//!
//! 1. `config`: `[login]` and the tables of its methods; [`Login`]: the configured method;
//! 2. by a form: [`mod@file`], a password file (`users` parses it), and `ldap`, a directory;
//! 3. by the request itself: [`probe`] asks the application whose cookies these are, [`trusted_header`] reads a front proxy's
//!    header;
//! 4. by a redirect: [`handoff`] through the application, [`oidc`] through an identity provider; [`trip`] is the state of one;
//! 5. [`UserLookup`] asks the application whether a user exists;
//! 6. [`examine`]: the same steps one by one, for `linkgate doctor login`.

mod config;
pub mod examine;
pub mod file;
pub mod handoff;
#[cfg(feature = "ldap")]
pub mod ldap;
pub mod oidc;
pub mod probe;
pub mod trip;
mod trip_fault;
pub mod trusted_header;
mod user_lookup;
mod users;

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use crate::http::client::{Connector, HttpClientError, Reach};
use crate::model::{User, UserStatus};
use crate::oauth::{Secret, Timestamp};
use crate::setting::FromFile;
use crate::tls::{ClientTls, Roots, RootsError};

pub use config::{FileLoginConfig, HttpUrl, LdapConfig, LoginConfig, Method, ProbeConfig, Reject};
pub use examine::Step;
pub use file::{FileLogin, FileLoginError};
pub use handoff::Handoff;
#[cfg(feature = "ldap")]
pub use ldap::Ldap;
pub use oidc::{Oidc, OidcConfig};
pub use probe::Probe;
pub use trip::Trip;
pub use trip_fault::TripFault;
pub use trusted_header::TrustedHeader;
pub use user_lookup::UserLookup;

/// The configured login method.
#[derive(Debug)]
pub enum Login {
    /// Names and passwords of a file, entered on linkgate's page.
    File(FileLogin),
    /// Names and passwords of a directory, entered on linkgate's page.
    #[cfg(feature = "ldap")]
    Ldap(Box<Ldap>),
    /// The application is asked whom the browser's cookies belong to.
    Probe(Box<Probe>),
    /// A front proxy names the user in a header.
    TrustedHeader(TrustedHeader),
    /// A signed redirect through the application.
    Handoff(Handoff),
    /// A redirect through an identity provider.
    Oidc(Box<Oidc>),
}

/// How a method authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// By linkgate's form: [`Login::sign_in`].
    Form,
    /// By each request: [`Login::recognise`].
    Request,
    /// By a redirect of the browser: a [`Trip`].
    RoundTrip,
}

/// A name and a password, as they were entered.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The name.
    pub name: &'a str,
    /// The password.
    pub password: Secret,
    /// When it happens.
    pub at: Timestamp,
}

/// What a method may read of a browser's request.
#[derive(Clone, Copy, Debug)]
pub struct Arriving<'a> {
    /// Its header.
    pub headers: &'a HeaderMap,
    /// The address of the TCP peer, not one of a header.
    pub peer: Option<IpAddr>,
    /// When it happens.
    pub at: Timestamp,
}

/// Why a sign-in failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is wrong. Which of the two is not told.
    #[error("wrong name or password")]
    Wrong,
    /// The login source did not answer.
    #[error("the login source is not available: {0}")]
    Unavailable(String),
}

/// Why a request does not authenticate a user. For the log; the page has its own texts.
#[derive(Debug, thiserror::Error)]
pub enum Unrecognised {
    /// The application's response is unusable.
    #[error(transparent)]
    Probe(#[from] probe::ProbeFault),
    /// The proxy's header is unusable.
    #[error(transparent)]
    Header(#[from] trusted_header::HeaderFault),
}

impl Login {
    /// How it authenticates.
    pub const fn door(&self) -> Door {
        match self {
            Self::File(_) => Door::Form,
            #[cfg(feature = "ldap")]
            Self::Ldap(_) => Door::Form,
            Self::Probe(_) | Self::TrustedHeader(_) => Door::Request,
            Self::Handoff(_) | Self::Oidc(_) => Door::RoundTrip,
        }
    }

    /// The method.
    pub const fn method(&self) -> Method {
        match self {
            Self::File(_) => Method::File,
            #[cfg(feature = "ldap")]
            Self::Ldap(_) => Method::Ldap,
            Self::Probe(_) => Method::Probe,
            Self::TrustedHeader(_) => Method::TrustedHeader,
            Self::Handoff(_) => Method::Handoff,
            Self::Oidc(_) => Method::Oidc,
        }
    }

    /// Verifies a name and a password. A method without a form refuses every one.
    pub async fn sign_in(&self, attempt: Attempt<'_>) -> Result<User, SignInError> {
        match self {
            Self::File(users) => users.verify(attempt.name, attempt.password, attempt.at).await,
            #[cfg(feature = "ldap")]
            Self::Ldap(directory) => directory.verify(attempt.name, attempt.password, attempt.at).await,
            Self::Probe(_) | Self::TrustedHeader(_) | Self::Handoff(_) | Self::Oidc(_) => {
                Err(SignInError::Wrong)
            }
        }
    }

    /// Authenticates a request by its headers; `Ok(None)`: it is anonymous. Outer `None`: not with this method.
    pub async fn recognise(&self, arriving: Arriving<'_>) -> Option<Result<Option<User>, Unrecognised>> {
        match self {
            Self::Probe(probe) => Some(probe.recognise(arriving).await.map_err(Unrecognised::from)),
            Self::TrustedHeader(header) => Some(header.recognise(arriving).map_err(Unrecognised::from)),
            _ => None,
        }
    }

    /// Begins a redirect: where the browser goes. `None`: not with this method.
    pub async fn leave(&self, trip: &Trip) -> Option<Result<String, TripFault>> {
        match self {
            Self::Handoff(handoff) => Some(Ok(handoff.leave(trip))),
            Self::Oidc(oidc) => Some(oidc.leave(trip).await),
            _ => None,
        }
    }

    /// Where an anonymous browser signs in and returns to this URL, if that is not a page of linkgate's.
    pub fn sign_in_at(&self, back: &str) -> Option<String> {
        match self {
            Self::Probe(probe) => Some(probe.sign_in_at(back)),
            _ => None,
        }
    }

    /// Where a browser signs out of the application or the front proxy.
    pub fn sign_out_at(&self) -> Option<&str> {
        match self {
            Self::Probe(probe) => probe.logout_url(),
            Self::TrustedHeader(header) => header.logout_url.as_ref().map(HttpUrl::as_str),
            _ => None,
        }
    }

    /// Returns whether a user exists, and the display name.
    ///
    /// A file and a directory know it, and the application if it has a [`UserLookup`]. The other methods know only the user of
    /// the browser's request.
    pub async fn user_status(&self, subject: &str) -> UserStatus {
        // Boxed: every call asks, and most methods know without asking others.
        match self {
            Self::File(users) => users.user_status(subject),
            #[cfg(feature = "ldap")]
            Self::Ldap(directory) => Box::pin(directory.user_status(subject)).await,
            Self::Probe(probe) => match &probe.user_lookup {
                Some(lookup) => Box::pin(lookup.user_status(subject)).await,
                None => UserStatus::Unknown,
            },
            Self::TrustedHeader(_) | Self::Handoff(_) | Self::Oidc(_) => UserStatus::Unknown,
        }
    }

    /// Reads the source again, where it is a file. The error leaves everything as it was.
    pub fn reload(&self) -> Result<(), FileLoginError> {
        match self {
            Self::File(users) => users.reload(),
            _ => Ok(()),
        }
    }
}

/// Whether a text can be a user's name for the application: 1 to 255 characters, none of them a control character.
fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Connects to the application or to an identity provider, for an `https` URL with trust roots.
fn connector(
    url: &str,
    ca_file: Option<&FromFile<Roots>>,
    timeout: Duration,
) -> Result<Connector, RootsError> {
    let is_secure = url.starts_with("https:");
    let roots = is_secure.then(|| Roots::or_system(ca_file)).transpose()?;
    Ok(Connector {
        tls: roots.map(ClientTls::with_roots),
        reach: Reach::Anywhere,
        timeout,
    })
}

/// Sends a request to the application or to an identity provider, and reads the whole response within the connector's
/// timeout. A redirect is a response.
async fn send(
    connector: &Connector,
    request: Request<Vec<u8>>,
) -> Result<Response<Vec<u8>>, HttpClientError> {
    let request = request.map(Bytes::from);
    let response = connector
        .fetch(request, connector.timeout, MAX_RESPONSE_BYTES)
        .await?;
    Ok(response.map(Vec::from))
}

/// The largest response. Key sets and discovery documents have a few thousand bytes.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;

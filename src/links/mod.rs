//! Outgoing links: linkgate is the consumer, and calls remote applications for the guarded application.
//!
//! ```text
//!   application ── plain call, on behalf of whom ──> internal listener ── signed call ──> Bitbucket
//!                  the user's browser ── connect, allow, callback ───────────────────────────┘
//! ```
//!
//! A call passes through these files:
//!
//! 1. [`listener`]: the internal listener, and the bearer token that the application sends there;
//! 2. `on_behalf_of`: a user who connected the link, an impersonated user, or the application itself;
//! 3. `call`: headers, redirects, key rotation, the response; `signing` signs;
//! 4. `oauth_report`: the problem that a response reports, and the remote clock;
//! 5. `error`: every error response to the application.
//!
//! A user connects a link in `connect`. A [`Link`] is a remote application as it is configured.

mod call;
mod connect;
mod error;
mod link;
pub mod listener;
mod oauth_report;
mod on_behalf_of;
mod signing;

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::clock::Clock;
use crate::model::{LinkConnection, LinkState};
use crate::store::{Store, StoreError};

use oauth_report::OAuthReport;

pub use connect::LinkAuthorizationError;
pub use link::{Link, LinkConfig, Users, connector};
pub use signing::ConsumerIdentity;

/// All links, and what their calls need.
#[derive(Debug)]
pub struct Links {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    /// The URL of linkgate's own pages.
    pub(crate) own_url: String,
    /// As which consumer linkgate signs.
    pub identity: ConsumerIdentity,
    /// All links, in the order of the configuration.
    pub all: Vec<Link>,
}

impl Links {
    /// Returns the link of a name.
    pub fn get(&self, name: &str) -> Option<&Link> {
        self.all.iter().find(|link| link.name() == name)
    }

    /// Returns the links that a user has connected.
    pub async fn connections(&self, subject: &str) -> Result<Vec<(&Link, LinkConnection)>, StoreError> {
        let connections = self.store.link_connections(Some(subject)).await?.into_iter();
        let configured = connections.filter_map(|one| Some((self.get(&one.link)?, one)));
        Ok(configured.collect())
    }

    /// Forgets the token that a user granted, if there is one. `address` is the browser's.
    pub async fn disconnect(&self, link: &Link, subject: &str, address: IpAddr) -> Result<(), StoreError> {
        let (link, now) = (link.name(), self.clock.now());
        let disconnecting = self.store.disconnect_link(link, subject, Some(address), now);
        if disconnecting.await? {
            tracing::info!(link, user.subject = ?subject, %address, "{subject:?} disconnected the link {link}");
        }
        Ok(())
    }

    /// Returns the health of each link, by its name.
    pub async fn states(&self) -> Result<BTreeMap<String, LinkState>, StoreError> {
        self.store.link_states().await
    }

    /// The URL where a user connects a link.
    pub fn connect_url(&self, link: &Link) -> String {
        format!("{}/links/{}/connect", self.own_url, link.name())
    }

    /// Records a response in the link's health; a success at most once a minute. A failure to record it fails no call.
    async fn record_response(&self, link: &Link, report: &OAuthReport) {
        let (name, now) = (link.name(), self.clock.now());
        let is_success = report.problem.is_none();
        if is_success && !link.should_record(now) {
            return;
        }
        let recording = self
            .store
            .note_link_answer(name, now, report.clock_skew, is_success);
        if let Err(error) = recording.await {
            tracing::error!(%error, link = name, "how a link is could not be noted");
        } else if let Some(problem) = &report.problem {
            self.record_problem(link, &problem.to_string()).await;
        }
    }

    async fn record_problem(&self, link: &Link, problem: &str) {
        let (name, now) = (link.name(), self.clock.now());
        if let Err(error) = self.store.note_link_problem(name, now, problem).await {
            tracing::error!(%error, link = name, "how a link is could not be noted");
        }
    }
}

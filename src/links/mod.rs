//! THE OTHER DIRECTION: we are the consumer, and call another side for the application beside us.
//!
//! ```text
//!   the application ── plain call, whose it is ──> private listener ── signed call ──> Bitbucket
//!                      the user's browser ── connect, allow, callback ──────────────────┘
//! ```
//!
//! The way of a call through this folder:
//!
//! 1. [`listener`]: the private listener, and the token that the application shows there;
//! 2. `speaker`: in whose name it is made: a user's, by their token or by our word, or our own;
//! 3. `call`: headers, redirects, the answer; `sending` tries our keys, `signing` signs, [`client`] carries it, `outgoing`
//!    knows how far it is;
//! 4. `heard`: what the answer says about us (`oauth_problem`) and about our clock;
//! 5. `refusal`: every answer of ours, in words for the application.
//!
//! A user's way: `dance`, from the request token to an access token. [`Link`] is another side as it is configured.

mod call;
pub mod client;
mod connect;
mod error;
mod link;
pub mod listener;
mod oauth_report;
mod on_behalf_of;
mod outgoing;
mod sending;
mod signing;

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::clock::Clock;
use crate::model::{LinkConnection, LinkState};
use crate::oauth::{ConsumerKey, PrivateKey, PublicUrl};
use crate::store::{Store, StoreError};

pub use client::{Client, Fetched, Unanswered};
pub use connect::{Connected, LinkAuthorizationError};
pub use link::{Link, LinkOptions, Users};
pub use oauth_report::OAuthProblem;

use signing::SigningKeys;

/// All links, and what their calls need.
#[derive(Debug)]
pub struct Links {
    store: Store,
    clock: Clock,
    public_url: PublicUrl,
    signing: SigningKeys,
    peers: Vec<Link>,
}

/// Who we are at the other sides.
#[derive(Clone, Debug)]
pub struct ConsumerIdentity {
    /// Our consumer key.
    pub consumer_key: ConsumerKey,
    /// Our key pairs, the one that signs first.
    pub keys: Vec<PrivateKey>,
}

impl Links {
    /// Puts the parts together; nothing is connected yet.
    pub fn new(
        store: Store,
        clock: Clock,
        public_url: PublicUrl,
        identity: ConsumerIdentity,
        peers: Vec<Link>,
    ) -> Self {
        Self {
            store,
            clock,
            public_url,
            signing: SigningKeys::new(identity),
            peers,
        }
    }

    /// The other sides.
    pub fn all(&self) -> &[Link] {
        &self.peers
    }

    /// The other side of a link's name.
    pub fn get(&self, name: &str) -> Option<&Link> {
        self.peers.iter().find(|peer| peer.name() == name)
    }

    /// Who we are there: our consumer key, and the fingerprint of the key that signs.
    pub fn consumer_identity(&self) -> (&ConsumerKey, Option<String>) {
        self.signing.consumer_identity()
    }

    /// What a user has connected, of the links that there are.
    pub async fn connections(&self, subject: &str) -> Result<Vec<(&Link, LinkConnection)>, StoreError> {
        let kept = self.store.link_connections(Some(subject)).await?;
        let known = kept
            .into_iter()
            .filter_map(|kept| Some((self.get(&kept.link)?, kept)));
        Ok(known.collect())
    }

    /// Forgets what a user gave us at a link, if there is something. `address`: where their browser is.
    pub async fn disconnect(&self, peer: &Link, subject: &str, address: IpAddr) -> Result<(), StoreError> {
        let (link, now) = (peer.name(), self.clock.now());
        let gone = self
            .store
            .disconnect_link(link, subject, Some(address), now)
            .await?;
        if gone {
            tracing::info!(link, user.subject = ?subject, %address, "{subject:?} disconnected the link {link}");
        }
        Ok(())
    }

    /// How the calls of each link went.
    pub async fn states(&self) -> Result<BTreeMap<String, LinkState>, StoreError> {
        self.store.link_states().await
    }

    /// Where a user connects a link.
    pub fn connect_url(&self, peer: &Link) -> String {
        format!("{}/oauth/links/{}/connect", self.public_url.as_str(), peer.name())
    }

    /// Notes how a call went: at most once a minute, when nothing is wrong. A note that cannot be written stops no call.
    async fn record_response(&self, peer: &Link, heard: &oauth_report::OAuthReport) {
        let now = self.clock.now();
        let problem = heard.told.as_ref().map(OAuthProblem::sentence);
        if problem.is_none() && !peer.should_record(now) {
            return;
        }
        let success = problem.is_none();
        let noted = self
            .store
            .note_link_answer(peer.name(), now, heard.clock_skew, success)
            .await;
        let noted = match (noted, problem) {
            (Ok(()), Some(problem)) => self.store.note_link_problem(peer.name(), now, &problem).await,
            (noted, _) => noted,
        };
        if let Err(error) = noted {
            tracing::error!(%error, link = peer.name(), "how a link is could not be noted");
        }
    }

    /// Notes that no answer came.
    async fn record_failure(&self, peer: &Link, why: &Unanswered) {
        let now = self.clock.now();
        tracing::warn!(link = peer.name(), "no answer: {why}");
        let noted = self
            .store
            .note_link_problem(peer.name(), now, &why.to_string())
            .await;
        if let Err(error) = noted {
            tracing::error!(%error, link = peer.name(), "how a link is could not be noted");
        }
    }
}

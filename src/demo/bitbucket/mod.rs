//! A simulated Bitbucket: an OAuth consumer that does on the wire what Application Links do.
//!
//! 1. [`link`]: the two links and their tokens;
//! 2. [`signed`]: a call gets its signature, in the form body or in the header;
//! 3. [`dance`]: request token, authorize URL, access token, renewal;
//! 4. [`calls`]: guarded calls as a user, as the application, and in a user's name;
//! 5. [`refusal`]: what a refusal says and what the consumer then does;
//! 6. [`actions`]: the buttons of the page, each an event in the [`journal`];
//! 7. [`provider`]: the other direction, in which linkgate reads here as a user;
//! 8. `routes` and `pages`: HTTP for the browser; `panel` lays out what went over the wire.

pub mod actions;
pub mod calls;
pub mod dance;
pub mod journal;
pub mod link;
mod pages;
mod panel;
pub mod provider;
pub mod refusal;
mod routes;
pub mod signed;

use std::sync::Arc;

use crate::clock::Clock;
use crate::oauth::{ConsumerKey, PrivateKey, PublicUrl, RequestSigner, Secret, SignatureMethod, SigningKey};

use super::Operator;
use journal::Journal;
use link::{Link, LinkKind};
use provider::Incoming;

pub use routes::router;

/// The simulated Bitbucket.
#[derive(Clone, Debug)]
pub struct Bitbucket(Arc<Installation>);

/// What an administrator of Bitbucket has set up.
#[derive(Debug)]
pub struct Settings {
    /// Bitbucket as the browser sees it.
    pub base: PublicUrl,
    /// linkgate, as Bitbucket calls it.
    pub linkgate: PublicUrl,
    /// The generic link's consumer key.
    pub form_key: ConsumerKey,
    /// The generic link's shared secret.
    pub form_secret: Secret,
    /// Bitbucket's own consumer key: product name, colon, digits.
    pub own_key: ConsumerKey,
    /// Bitbucket's own private key.
    pub own_private_key: PrivateKey,
    /// linkgate, as it is registered for the other direction.
    pub incoming: Incoming,
    /// What stamps its requests.
    pub clock: Clock,
    /// The administrator of linkgate.
    pub operator: Operator,
}

#[derive(Debug)]
struct Installation {
    base: PublicUrl,
    linkgate: PublicUrl,
    own_private_key: PrivateKey,
    form: Link,
    own: Link,
    incoming: Incoming,
    clock: Clock,
    operator: Operator,
    journal: Journal,
}

impl Bitbucket {
    /// Sets it up with both links, neither connected.
    pub fn new(settings: Settings) -> Self {
        let form = RequestSigner {
            consumer_key: settings.form_key,
            key: SigningKey::Hmac(settings.form_secret),
            method: SignatureMethod::HmacSha1,
        };
        let own = RequestSigner {
            consumer_key: settings.own_key,
            key: SigningKey::Rsa(settings.own_private_key.clone()),
            method: SignatureMethod::RsaSha1,
        };
        Self(Arc::new(Installation {
            base: settings.base,
            linkgate: settings.linkgate,
            own_private_key: settings.own_private_key,
            form: Link::new(LinkKind::Form, form),
            own: Link::new(LinkKind::OwnKey, own),
            incoming: settings.incoming,
            clock: settings.clock,
            operator: settings.operator,
            journal: Journal::default(),
        }))
    }

    /// A link.
    pub fn link(&self, kind: LinkKind) -> &Link {
        match kind {
            LinkKind::Form => &self.0.form,
            LinkKind::OwnKey => &self.0.own,
        }
    }

    /// Bitbucket as the browser sees it.
    pub fn base(&self) -> &PublicUrl {
        &self.0.base
    }

    /// linkgate, as Bitbucket calls it.
    pub fn linkgate(&self) -> &PublicUrl {
        &self.0.linkgate
    }

    /// The other direction.
    pub fn incoming(&self) -> &Incoming {
        &self.0.incoming
    }

    /// What happened so far.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// The administrator of linkgate.
    pub fn operator(&self) -> &Operator {
        &self.0.operator
    }
}

#[cfg(test)]
mod tests;

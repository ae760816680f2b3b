//! An application link as the consumer keeps it: whom to call, what to sign with, and the user's tokens.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::oauth::{RequestSigner, Secret, Token};

/// The two links of the simulated Bitbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Made with the generic form: HMAC-SHA1 and a shared secret.
    Form,
    /// Made with Bitbucket's own key: RSA-SHA1.
    OwnKey,
}

/// An application link.
#[derive(Debug)]
pub struct Link {
    /// Which of the two.
    pub kind: LinkKind,
    /// How its calls are signed.
    pub signer: RequestSigner,
    state: Mutex<State>,
}

/// Token credentials that a user gave us.
#[derive(Clone, Debug)]
pub struct Access {
    /// `oauth_token`.
    pub token: Token,
    /// `oauth_token_secret`.
    pub secret: Secret,
    /// `oauth_session_handle`, if the provider gave one. Bitbucket itself never renews.
    pub handle: Option<Secret>,
}

#[derive(Debug, Default)]
struct State {
    asked: Vec<(Token, Secret)>,
    access: Option<Access>,
}

impl LinkKind {
    /// Both, in the order of the page.
    pub const ALL: [Self; 2] = [Self::Form, Self::OwnKey];

    /// The name in the page's URLs.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::OwnKey => "own-key",
        }
    }

    /// The name on the page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Form => "Generic link",
            Self::OwnKey => "Own-key link",
        }
    }

    /// What it signs with, in a few words.
    pub const fn signs_with(self) -> &'static str {
        match self {
            Self::Form => "HMAC-SHA1, a shared secret",
            Self::OwnKey => "RSA-SHA1, Bitbucket's own key",
        }
    }

    /// `applicationLinkID` in the callbacks.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Form => "5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d11",
            Self::OwnKey => "a1b7e6c0-7d44-3b6f-8a55-0c9b2d7c4e22",
        }
    }

    /// Where the provider's three endpoints are: the form names them, the own-key variant knows Atlassian's.
    pub const fn endpoints(self) -> &'static str {
        match self {
            Self::Form => "/oauth",
            Self::OwnKey => "/plugins/servlet/oauth",
        }
    }
}

impl Link {
    /// A link that nobody has connected yet.
    pub fn new(kind: LinkKind, signer: RequestSigner) -> Self {
        Self {
            kind,
            signer,
            state: Mutex::default(),
        }
    }

    /// The user's token.
    pub fn access(&self) -> Option<Access> {
        self.state().access.clone()
    }

    /// Keeps the user's token.
    pub fn keep_access(&self, access: Access) {
        self.state().access = Some(access);
    }

    /// Forgets the user's token, if it is still this one.
    pub fn drop_access(&self, token: &Token) {
        self.state().access.take_if(|access| access.token == *token);
    }

    /// Keeps a request token until the browser comes back with it.
    pub(super) fn keep_asked(&self, token: Token, secret: Secret) {
        let mut state = self.state();
        if state.asked.len() >= DANCES {
            state.asked.remove(0);
        }
        state.asked.push((token, secret));
    }

    /// The secret of a request token of ours.
    pub fn asked(&self, token: &str) -> Option<(Token, Secret)> {
        let state = self.state();
        state
            .asked
            .iter()
            .find(|(asked, _)| asked.as_str() == token)
            .cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many dances of one link can be under way.
const DANCES: usize = 16;

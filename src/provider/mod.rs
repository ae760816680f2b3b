//! Use cases: where protocol, model, store and clock meet.
//!
//! Read in the order of a link's life:
//!
//! 1. `authenticate`: timestamp, consumer, signature method, signature and nonce of every signed request; `false_signatures`: why a
//!    signature does not match, and how often that is told;
//! 2. `request_token`: temporary credentials;
//! 3. `authorize`: the user approves or denies;
//! 4. `access_token`: exchange and renewal;
//! 5. `guarded_call`: a call to the application; `impersonation`: in a user's name; `caller`: consumer and user of it;
//! 6. `sessions` and `sign_in`: browsers whose users have signed in, and rate limits; `lifetimes`: how long tokens live;
//! 7. `grants`: what users and administrators see of access tokens, and revocation;
//! 8. `error`: a problem or a failure, and the response to it.
//!
//! `cache` keeps consumers and tokens for less than a second. `directory` knows which users exist. `maintenance` deletes what
//! has expired, writes when tokens were used, and compares the clocks.
//!
//! # Errors
//!
//! What a consumer asks fails with a [`ProviderError`]: refused for a reason that the consumer is told, or failed. What a browser
//! or an administrator asks fails only as the store does.

mod access_token;
mod authenticate;
mod authorize;
mod cache;
mod caller;
mod directory;
mod error;
mod false_signatures;
mod grants;
mod guarded_call;
mod impersonation;
mod lifetimes;
mod maintenance;
mod request_token;
mod sessions;
mod sign_in;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use crate::clock::Clock;
use crate::oauth::{Secret, Token, VerificationKey};
use crate::store::Store;

pub use access_token::IssuedAccessToken;
pub use authorize::{AuthorizationOutcome, AuthorizationRequest};
pub use caller::{CallKind, Caller, CallingUser};
pub use directory::Directory;
pub use error::{ProviderError, Refusal};
pub use grants::Grant;
pub use guarded_call::AuthenticatedCall;
pub use impersonation::ImpersonationConfig;
pub use lifetimes::TokenConfig;
pub use sessions::SessionRules;

/// What the use cases take and return of the store.
pub use crate::store::{Actor, Keyring, Revoke, Search, StoreError};

use cache::Cache;
use false_signatures::FalseSignatures;
use maintenance::Uses;

/// The OAuth provider.
#[derive(Debug)]
pub struct Provider {
    store: Store,
    keyring: Arc<Keyring>,
    clock: Clock,
    directory: Directory,
    rules: Rules,
    cache: Cache,
    false_signatures: FalseSignatures,
    uses: Uses,
    /// Seconds by which the database's clock, which all replicas share, is ahead of this server's; 0 for SQLite.
    clock_offset: AtomicI64,
    /// What the signature of an unknown consumer is checked against, so that it costs what a known one does.
    dummy_key: VerificationKey,
}

/// What the administrator decides about tokens.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The realm of our challenges: the public URL.
    pub realm: String,
    /// How long tokens live.
    pub tokens: TokenConfig,
    /// Whom consumers may impersonate.
    pub impersonation: ImpersonationConfig,
    /// How long browsers stay signed in.
    pub sessions: SessionRules,
}

impl Rules {
    /// The defaults of the configuration, with a realm.
    pub fn new(realm: impl Into<String>) -> Self {
        Self {
            realm: realm.into(),
            tokens: TokenConfig::default(),
            impersonation: ImpersonationConfig::default(),
            sessions: SessionRules {
                login_method: "file",
                refresh_display_name: true,
                idle: 12 * 3_600,
                longest: 7 * 86_400,
                recheck_after: 43_200,
                attempts_per_account: 10,
                attempts_per_address: 30,
            },
        }
    }
}

impl Provider {
    /// Puts a provider over a store.
    #[expect(clippy::disallowed_methods, reason = "the dummy key is drawn once at start")]
    pub fn new(
        store: Store,
        keyring: Arc<Keyring>,
        clock: Clock,
        directory: Directory,
        rules: Rules,
    ) -> Self {
        let random = Token::generate("", &mut rand::rng());
        let dummy_key = VerificationKey::Hmac(Secret::new(random.as_str()));
        Self {
            uses: Uses::new(store.clone()),
            cache: Cache::new(store.clone()),
            clock_offset: AtomicI64::new(0),
            store,
            keyring,
            clock,
            directory,
            rules,
            false_signatures: FalseSignatures::new(),
            dummy_key,
        }
    }

    /// The realm of our challenges: the public URL.
    pub fn realm(&self) -> &str {
        &self.rules.realm
    }

    /// A new token; its first characters name the secret key that its secrets derive from.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the provider draws tokens"
    )]
    fn new_token(&self) -> Token {
        self.keyring.new_token(&mut rand::rng())
    }
}

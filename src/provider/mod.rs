//! Use cases: where protocol, model, store and clock meet. What a consumer asks fails with a [`ProviderError`]: refused for a
//! reason that the consumer is told, or failed. What a browser or an administrator asks fails only as the store does.

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
mod maintenance;
mod request_token;
mod sessions;
mod sign_in;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use crate::clock::Clock;
use crate::oauth::{Secret, TimestampWindow, Token, VerificationKey};
use crate::store::Store;

pub use access_token::IssuedAccessToken;
pub use authorize::{AuthorizationOutcome, AuthorizationRequest};
pub use caller::{CallKind, Caller, CallingUser};
pub use directory::Directory;
pub use error::{ProviderError, Refusal};
pub use grants::Grant;
pub use guarded_call::AuthenticatedCall;
pub use impersonation::ImpersonationPolicy;
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
    /// How far a consumer's clock may be from ours.
    pub window: TimestampWindow,
    /// Seconds that a request token lives.
    pub request_token_lifetime: i64,
    /// Seconds that an access token lives.
    pub access_token_lifetime: i64,
    /// Seconds after issue within which an access token can be renewed.
    pub session_lifetime: i64,
    /// Signed exchanges with a wrong verifier that a request token survives, plus one.
    pub wrong_verifier_limit: u32,
    /// Live request tokens that a consumer may have at a time.
    pub request_tokens_per_consumer: u64,
    /// Whom consumers may impersonate.
    pub impersonation: ImpersonationPolicy,
    /// How long browsers stay signed in.
    pub sessions: SessionRules,
}

impl Rules {
    /// The rules that fit Bitbucket, which never renews: access tokens of five years, sessions of thirty days more.
    pub fn new(realm: impl Into<String>) -> Self {
        Self {
            realm: realm.into(),
            window: TimestampWindow::default(),
            request_token_lifetime: 600,
            access_token_lifetime: 157_680_000,
            session_lifetime: 160_272_000,
            wrong_verifier_limit: 5,
            request_tokens_per_consumer: 1000,
            impersonation: ImpersonationPolicy::default(),
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

//! What every call reads, believed for less than a second: a revocation is felt within one on every replica.
//!
//! What is rare here is boxed: a future is moved whole into the one that awaits it, also the parts that seldom run.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use crate::model::{AccessToken, Consumer};
use crate::oauth::{ConsumerKey, Secret, Timestamp, Token};
use crate::store::{Store, StoreError};

use super::fresh::Fresh;

/// Consumers and access tokens with bounded staleness. Absence is remembered too.
#[derive(Debug)]
pub(super) struct Cache {
    consumers: Fresh<ConsumerKey, Option<Arc<Consumer>>>,
    access_tokens: Fresh<Token, Arc<Held>>,
}

/// What is kept of a token, known or not.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) token: Option<AccessToken>,
    /// The secret that was derived from it; `None`: no key of ours made it.
    pub(super) secret: Option<Secret>,
    /// The minute of the last use that was noted.
    noted: AtomicI64,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self {
            consumers: Fresh::new(STALENESS, 20_000),
            access_tokens: Fresh::new(STALENESS, 100_000),
        }
    }

    pub(super) async fn consumer(
        &self,
        store: &Store,
        key: &ConsumerKey,
    ) -> Result<Option<Arc<Consumer>>, StoreError> {
        if let Some(kept) = self.consumers.get(key) {
            return Ok(kept);
        }
        Box::pin(async {
            let since = Instant::now();
            let read = store.consumer(key).await?.map(Arc::new);
            self.consumers.insert(key.clone(), read.clone(), since);
            Ok(read)
        })
        .await
    }

    /// What is kept of a token, without asking the store.
    pub(super) fn held(&self, token: &Token) -> Option<Arc<Held>> {
        self.access_tokens.get(token)
    }

    /// What is kept of a token, or what the store says of it. `secret` is its secret.
    pub(super) async fn access_token(
        &self,
        store: &Store,
        token: &Token,
        secret: Option<&Secret>,
    ) -> Result<Arc<Held>, StoreError> {
        if let Some(held) = self.held(token) {
            return Ok(held);
        }
        Box::pin(async {
            let since = Instant::now();
            let read = store.access_token(token).await?;
            let last_used = read.as_ref().and_then(|token| token.last_used);
            let held = Arc::new(Held {
                noted: AtomicI64::new(last_used.map_or(i64::MIN, |(at, _)| at.bucket())),
                token: read,
                secret: secret.cloned(),
            });
            self.access_tokens.insert(token.clone(), Arc::clone(&held), since);
            Ok(held)
        })
        .await
    }

    /// Lets go of what is believed no more.
    pub(super) fn sweep(&self) {
        self.consumers.sweep();
        self.access_tokens.sweep();
    }

    /// Forgets what a state change of our own made untrue.
    pub(super) fn forget_access_token(&self, token: &Token) {
        self.access_tokens.forget(token);
    }
}

impl Held {
    /// Whether this use of the token is the first of its minute, as far as this process knows, and so worth a write.
    pub(super) fn is_first_use(&self, now: Timestamp) -> bool {
        self.noted.fetch_max(now.bucket(), Ordering::Relaxed) < now.bucket()
    }
}

const STALENESS: Duration = Duration::from_millis(800);

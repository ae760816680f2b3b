//! Uses of access tokens, which are written some at a time and never hold up a call.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::oauth::{Timestamp, Token};
use crate::store::{Store, TokenUses};

/// When and from where tokens were used, as far as it is not written yet.
#[derive(Clone, Debug)]
pub(super) struct Uses {
    store: Store,
    pending: Arc<Mutex<TokenUses>>,
}

impl Uses {
    pub(super) fn new(store: Store) -> Self {
        let pending = Arc::default();
        Self { store, pending }
    }

    /// Notes a use, which is written soon, together with those that come meanwhile.
    pub(super) fn note(&self, token: &Token, at: Timestamp, from: Option<IpAddr>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = pending.is_empty();
        pending.insert(token.clone(), (at, from));
        drop(pending);
        if is_first {
            let uses = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(DELAY).await;
                uses.write().await;
            });
        }
    }

    /// Writes what is noted.
    pub(super) async fn write(&self) {
        let uses = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = self.store.touch_access_tokens(uses).await {
            tracing::warn!(%error, "the uses of some tokens were not noted");
        }
    }
}

/// How long the first of them waits for others.
const DELAY: Duration = Duration::from_millis(500);

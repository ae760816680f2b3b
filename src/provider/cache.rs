//! What every call reads, kept for less than a second: a revocation is felt within one on every replica.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache as Moka;

use crate::model::{AccessToken, Consumer};
use crate::oauth::{ConsumerKey, Token};
use crate::store::{Store, StoreError};

/// Consumers and access tokens with bounded staleness. Absence is remembered too.
#[derive(Debug)]
pub(super) struct Cache {
    consumers: Moka<ConsumerKey, Option<Arc<Consumer>>>,
    access_tokens: Moka<Token, Option<Arc<AccessToken>>>,
    touched: Moka<Token, ()>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self {
            consumers: Moka::builder()
                .max_capacity(20_000)
                .time_to_live(STALENESS)
                .build(),
            access_tokens: Moka::builder()
                .max_capacity(100_000)
                .time_to_live(STALENESS)
                .build(),
            touched: Moka::builder()
                .max_capacity(100_000)
                .time_to_live(USE_RESOLUTION)
                .build(),
        }
    }

    pub(super) async fn consumer(
        &self,
        store: &Store,
        key: &ConsumerKey,
    ) -> Result<Option<Arc<Consumer>>, StoreError> {
        if let Some(kept) = self.consumers.get(key).await {
            return Ok(kept);
        }
        let read = store.consumer(key).await?.map(Arc::new);
        self.consumers.insert(key.clone(), read.clone()).await;
        Ok(read)
    }

    pub(super) async fn access_token(
        &self,
        store: &Store,
        token: &Token,
    ) -> Result<Option<Arc<AccessToken>>, StoreError> {
        if let Some(kept) = self.access_tokens.get(token).await {
            return Ok(kept);
        }
        let read = store.access_token(token).await?.map(Arc::new);
        self.access_tokens.insert(token.clone(), read.clone()).await;
        Ok(read)
    }

    /// Forgets what a state change of our own made untrue.
    pub(super) async fn forget_access_token(&self, token: &Token) {
        self.access_tokens.invalidate(token).await;
    }

    /// Whether this use of a token is the first for a while, so that it is worth a write.
    pub(super) async fn first_use(&self, token: &Token) -> bool {
        let first = !self.touched.contains_key(token);
        if first {
            self.touched.insert(token.clone(), ()).await;
        }
        first
    }
}

const STALENESS: Duration = Duration::from_millis(800);
const USE_RESOLUTION: Duration = Duration::from_mins(1);

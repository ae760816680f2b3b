//! What every call reads, cached for less than a second: a revocation takes effect within one on every replica.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache as Moka;

use crate::model::{AccessToken, Consumer};
use crate::oauth::{ConsumerKey, Secret, Timestamp, Token};
use crate::store::{Store, StoreError};

pub(super) struct Cache {
    store: Store,
    consumers: Recent<ConsumerKey, Arc<Consumer>>,
    /// Keys apart from those of real consumers, which strangers could otherwise displace.
    unknown_consumers: Recent<ConsumerKey, ()>,
    access_tokens: Recent<Token, Arc<CachedToken>>,
    /// Ids of secret keys that this process lacks, and whether the database knows them.
    foreign_keys: Recent<String, bool>,
}

/// What is known of a token, whether it exists or not.
#[derive(Debug)]
pub(super) struct CachedToken {
    pub(super) token: Option<AccessToken>,
    /// The secret that was derived from it; `None`: no key of this process made it.
    pub(super) secret: Option<Secret>,
    noted: AtomicI64,
}

/// Values that count until [`STALENESS`] after their reading *began*; moka itself counts from the insertion.
struct Recent<K, V>(Moka<K, (V, Instant)>);

impl<K: Hash + Eq + Clone + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Recent<K, V> {
    fn new(max_capacity: u64) -> Self {
        let cache = Moka::builder().max_capacity(max_capacity);
        Self(cache.time_to_live(STALENESS).build())
    }

    fn get(&self, key: &K) -> Option<V> {
        let (value, read_at) = self.0.get(key)?;
        (read_at.elapsed() < STALENESS).then_some(value)
    }

    fn insert(&self, key: K, value: V, read_at: Instant) {
        self.0.insert(key, (value, read_at));
    }

    async fn get_or_read(
        &self,
        key: &K,
        read: impl Future<Output = Result<V, StoreError>>,
    ) -> Result<V, StoreError> {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let read_at = Instant::now();
        // Boxed: a call's future would hold the rare one of the store.
        let value = Box::pin(read).await?;
        self.insert(key.clone(), value.clone(), read_at);
        Ok(value)
    }
}

impl Cache {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            consumers: Recent::new(20_000),
            unknown_consumers: Recent::new(1_000),
            access_tokens: Recent::new(100_000),
            foreign_keys: Recent::new(1_000),
        }
    }

    pub(super) async fn consumer(&self, key: &ConsumerKey) -> Result<Option<Arc<Consumer>>, StoreError> {
        if let Some(consumer) = self.consumers.get(key) {
            return Ok(Some(consumer));
        }
        if self.unknown_consumers.get(key).is_some() {
            return Ok(None);
        }
        let read_at = Instant::now();
        // Boxed: a call's future would hold the rare one of the store.
        let consumer = Box::pin(self.store.consumer(key)).await?.map(Arc::new);
        match &consumer {
            Some(consumer) => self.consumers.insert(key.clone(), Arc::clone(consumer), read_at),
            None => self.unknown_consumers.insert(key.clone(), (), read_at),
        }
        Ok(consumer)
    }

    pub(super) fn cached_token(&self, token: &Token) -> Option<Arc<CachedToken>> {
        self.access_tokens.get(token)
    }

    /// What is known of a token, or what the store knows of it. `secret` is its secret.
    pub(super) async fn access_token(
        &self,
        token: &Token,
        secret: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Arc<CachedToken>, StoreError> {
        // A consumer may not have received the answer to its renewal.
        let since = now.plus(1 - REPEATABLE);
        let read = async {
            let token = self.store.access_token_or_renewed(token, since).await?;
            let last_used = token.as_ref().and_then(|token| token.last_used);
            Ok(Arc::new(CachedToken {
                noted: AtomicI64::new(last_used.map_or(i64::MIN, |(at, _)| at.minute())),
                token,
                secret: secret.cloned(),
            }))
        };
        self.access_tokens.get_or_read(token, read).await
    }

    /// Checks a token that no key of this process made. [`StoreError::ForeignKey`]: the database knows its key.
    pub(super) async fn check_foreign_token(&self, token: &str) -> Result<(), StoreError> {
        let id = token.get(..4).unwrap_or_default().to_owned();
        let read = self.store.is_key_missing(&id);
        if self.foreign_keys.get_or_read(&id, read).await? {
            return Err(StoreError::ForeignKey { id });
        }
        Ok(())
    }

    pub(super) fn remove_access_token(&self, token: &Token) {
        self.access_tokens.0.invalidate(token);
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl CachedToken {
    /// Whether this use of the token is the first of its minute, as far as this process knows, and so worth a write.
    pub(super) fn is_first_use(&self, now: Timestamp) -> bool {
        self.noted.fetch_max(now.minute(), Ordering::Relaxed) < now.minute()
    }
}

/// Seconds within which an exchange or a renewal can be repeated, and within which a renewed token still works.
pub(super) const REPEATABLE: i64 = 300;

const STALENESS: Duration = Duration::from_millis(800);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_as_old_as_the_beginning_of_its_reading() {
        let recent = Recent::new(10);
        recent.insert("a", 1, Instant::now());
        assert_eq!(recent.get(&"a"), Some(1));
        let before = Instant::now().checked_sub(STALENESS).unwrap();
        recent.insert("a", 2, before);
        assert_eq!(recent.get(&"a"), None);
        recent.insert("a", 3, before + STALENESS / 2);
        assert_eq!((recent.get(&"a"), recent.get(&"b")), (Some(3), None));
    }
}

//! What runs beside the requests: deleting what has expired, writing when tokens were used, and comparing the clocks.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::oauth::{Timestamp, Token};
use crate::store::{Store, StoreError, TokenUses};

use super::Provider;

impl Provider {
    /// Deletes what has expired, once a minute until `stop`; a portion under way is finished.
    pub async fn sweep_until(&self, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            let mut minute = tokio::time::interval(Duration::from_mins(1));
            minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                minute.tick().await;
                if let Err(error) = Box::pin(self.sweep()).await {
                    tracing::error!(%error, "what has expired could not be forgotten; trying again in a minute");
                }
            }
        })
        .await;
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.measure_clock_offset().await?;
        if let Err(error) = self.check_clock() {
            tracing::error!(%error, "signed requests are answered 503");
        }
        self.store
            .sweep(now, self.rules.tokens.timestamp_window)
            .await
            .map(drop)
    }

    /// Writes what waits to be written.
    pub async fn finish(&self) {
        self.uses.write().await;
    }

    /// Checks that signed requests can be answered: the database answers, and the clocks agree.
    pub async fn check_ready(&self) -> Result<(), StoreError> {
        self.store.ping().await?;
        self.measure_clock_offset().await?;
        self.check_clock()
    }

    /// Seconds by which the database's clock is ahead of this server's, when it was last measured.
    pub fn clock_offset(&self) -> i64 {
        self.clock_offset.load(Ordering::Relaxed)
    }

    /// Checks that the clocks agree within 30 seconds: a wrong one accepts requests that are too old, and rejects good ones.
    pub(super) fn check_clock(&self) -> Result<(), StoreError> {
        match self.clock_offset() {
            -30..=30 => Ok(()),
            seconds => Err(StoreError::ClockOffset { seconds }),
        }
    }

    /// Measures the offset, and returns the database's time, or that of this server if the database has none.
    async fn measure_clock_offset(&self) -> Result<Timestamp, StoreError> {
        let before = self.clock.now();
        // A clock that a test moves has nothing to do with the database's.
        let (Clock::System, Some(time)) = (&self.clock, self.store.time().await?) else {
            return Ok(before);
        };
        let after = self.clock.now();
        let nearest = time.clamp(before, after.max(before));
        let offset = time.seconds() - nearest.seconds();
        self.clock_offset.store(offset, Ordering::Relaxed);
        Ok(time)
    }
}

/// When and from where tokens were used, as far as it is not written yet. Writing never holds up a call.
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
        let mut pending = self.pending.lock();
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

    async fn write(&self) {
        let uses = std::mem::take(&mut *self.pending.lock());
        if let Err(error) = self.store.touch_access_tokens(uses).await {
            tracing::warn!(%error, "the uses of some tokens were not noted");
        }
    }
}

/// How long the first use waits for others.
const DELAY: Duration = Duration::from_millis(500);

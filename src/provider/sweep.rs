//! Forgets what has expired.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::store::StoreError;

use super::Provider;

impl Provider {
    /// Sweeps once a minute until it is told to stop. A sweep that is under way then ends within a portion.
    pub async fn sweep_until(&self, stop: CancellationToken) {
        stop.run_until_cancelled(self.sweep_every_minute()).await;
    }

    /// By the database's clock, where it has one.
    async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.measure_clock_offset().await?;
        if let Err(error) = self.clock_offset.check() {
            tracing::error!(%error, "signed requests are answered 503");
        }
        self.store.sweep(now, self.rules.window).await.map(drop)
    }

    /// Writes what waits to be written.
    pub async fn finish(&self) {
        self.uses.write().await;
    }

    async fn sweep_every_minute(&self) {
        let mut minute = tokio::time::interval(Duration::from_mins(1));
        minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            minute.tick().await;
            if let Err(error) = Box::pin(self.sweep()).await {
                tracing::error!(%error, "what has expired could not be forgotten; trying again in a minute");
            }
        }
    }
}

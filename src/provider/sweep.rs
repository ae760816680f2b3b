//! Forgets what has expired.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Provider;

impl Provider {
    /// Sweeps once a minute until it is told to stop. A sweep that is under way then ends within a portion.
    pub async fn sweep_until(&self, stop: CancellationToken) {
        stop.run_until_cancelled(self.sweep_every_minute()).await;
    }

    async fn sweep_every_minute(&self) {
        let mut minute = tokio::time::interval(Duration::from_mins(1));
        minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            minute.tick().await;
            let sweep = Box::pin(self.store.sweep(self.clock.now(), self.rules.window));
            if let Err(error) = sweep.await {
                tracing::error!(%error, "what has expired could not be forgotten; trying again in a minute");
            }
        }
    }
}

//! Forgets what has expired.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Provider;

impl Provider {
    /// Sweeps once a minute until it is told to stop.
    pub async fn sweep_until(&self, stop: CancellationToken) {
        let mut minute = tokio::time::interval(Duration::from_mins(1));
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = minute.tick() => {}
            }
            if let Err(error) = self.store.sweep(self.clock.now(), self.rules.window).await {
                tracing::error!(%error, "what has expired could not be forgotten; trying again in a minute");
            }
        }
    }
}

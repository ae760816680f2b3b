//! How far this server's clock is from the database's, which all replicas share. A wrong clock accepts requests that are too
//! old, and rejects good ones.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Clock;
use crate::oauth::Timestamp;
use crate::store::StoreError;

use super::Provider;

/// Seconds by which the database's clock is ahead; 0 for SQLite, which has this server's.
#[derive(Debug, Default)]
pub(super) struct ClockOffset(AtomicI64);

impl ClockOffset {
    /// Checks that signed requests can be judged.
    ///
    /// # Errors
    ///
    /// [`StoreError::ClockOffset`].
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let seconds = self.0.load(Ordering::Relaxed);
        if seconds.abs() > MAX_OFFSET_SECONDS {
            return Err(StoreError::ClockOffset { seconds });
        }
        Ok(())
    }
}

impl Provider {
    /// Checks that signed requests can be answered: the database answers, and the clocks agree.
    ///
    /// # Errors
    ///
    /// Why they cannot.
    pub async fn check_ready(&self) -> Result<(), StoreError> {
        self.store.ping().await?;
        self.measure_clock_offset().await?;
        self.clock_offset.check()
    }

    /// Seconds by which the database's clock is ahead of this server's, when it was last measured.
    pub fn clock_offset(&self) -> i64 {
        self.clock_offset.0.load(Ordering::Relaxed)
    }

    /// Measures the offset, and returns the database's time, or that of this server if the database has none.
    pub(super) async fn measure_clock_offset(&self) -> Result<Timestamp, StoreError> {
        let before = self.clock.now();
        // A clock that a test moves has nothing to do with the database's.
        let (Clock::System, Some(time)) = (&self.clock, self.store.time().await?) else {
            return Ok(before);
        };
        let after = self.clock.now();
        let nearest = time.clamp(before, after.max(before));
        let offset = time.seconds() - nearest.seconds();
        self.clock_offset.0.store(offset, Ordering::Relaxed);
        Ok(time)
    }
}

/// Seconds of offset with which signed requests are still answered.
const MAX_OFFSET_SECONDS: i64 = 30;

//! CPU-bound work on blocking threads, so that it does not delay the requests of the thread that asks for it.
//!
//! Each kind of work has permits of its own: a flood of one delays neither another kind nor signed calls.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Verifies passwords: argon2 takes 19 MiB and some 20 ms.
pub static PASSWORDS: LazyLock<CpuPool> = LazyLock::new(|| CpuPool::new(2, 1_000));
/// Signs outgoing requests: RSA takes about a millisecond.
pub static SIGNATURES: LazyLock<CpuPool> = LazyLock::new(|| CpuPool::new(usize::MAX, 1_000));
/// Finds out why a signature does not match: a dozen verifications. None waits.
pub static DIAGNOSES: LazyLock<CpuPool> = LazyLock::new(|| CpuPool::new(1, 0));

/// Runs one kind of work, on at most half of the cores at a time.
#[derive(Debug)]
pub struct CpuPool {
    permits: Semaphore,
    /// Permits for what runs and what waits.
    places: Semaphore,
}

/// Too much work of this kind waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much work of this kind is waiting")]
pub struct Busy;

impl CpuPool {
    fn new(max: usize, max_waiting: usize) -> Self {
        let half = available_parallelism().map_or(1, NonZero::get) / 2;
        let permits = half.clamp(1, max);
        Self {
            permits: Semaphore::new(permits),
            places: Semaphore::new(permits + max_waiting),
        }
    }

    /// Runs work when a permit is free.
    ///
    /// # Errors
    ///
    /// `Busy` at once if the queue is full, and after ten seconds in it.
    pub async fn run<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = self.places.try_acquire().map_err(|_| Busy)?;
        let permit = timeout(QUEUE_TIMEOUT, self.permits.acquire()).await;
        // The work keeps its permit until it ends, also if its result is not waited for any more.
        let permits = (permit.map_err(|_| Busy)?, place);
        let running = tokio::task::spawn_blocking(move || (work(), permits));
        // It does not panic and is not aborted.
        running.await.map(|(done, _)| done).map_err(|_| Busy)
    }
}

const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

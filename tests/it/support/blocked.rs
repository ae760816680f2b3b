//! Pools of CPU-bound work that have no place left.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linkgate::blocking::{Busy, CpuPool};
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

/// Work that ends when it is told to.
pub(crate) struct Blocked {
    stop: Sender<()>,
    work: JoinSet<Result<(), Busy>>,
}

impl Blocked {
    /// Fills pools: what runs does not end, and the queues are full.
    pub(crate) async fn all(pools: &[&'static CpuPool]) -> Self {
        let (stop, stopped) = channel();
        let (stopped, mut work) = (Arc::new(Mutex::new(stopped)), JoinSet::new());
        let blocked = |pool: &'static CpuPool| {
            let stopped = Arc::clone(&stopped);
            pool.run(move || {
                let _ = stopped.lock().unwrap().recv();
            })
        };
        for pool in pools {
            for _ in 0..1_500 {
                work.spawn(blocked(pool));
            }
            // The question may take the last place itself, and leave it free.
            while timeout(Duration::from_millis(10), pool.run(|| ())).await != Ok(Err(Busy)) {
                work.spawn(blocked(pool));
                yield_now().await;
            }
        }
        Self { stop, work }
    }

    /// Empties the pools.
    pub(crate) async fn end(self) {
        drop(self.stop);
        self.work.join_all().await;
    }
}

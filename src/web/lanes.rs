//! The threads that serve.
//!
//! A runtime that hands work to whoever is idle pays for it with each request: memory that another core has just used, locks
//! between threads, one waking the other. So a connection stays with one thread from its beginning to its end, and with it
//! whatever its requests need: timers, connections to the application, nonces that are written together.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Threads, to which connections are dealt out in turn. With the last clone of it, they end; what they were doing is
/// dropped.
#[derive(Clone, Debug)]
pub struct Lanes {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    lanes: Vec<Handle>,
    next: AtomicUsize,
    _stop: DropGuard,
}

impl Lanes {
    /// Starts as many threads as the machine can run at once.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let stop = CancellationToken::new();
        let lanes = (1..=count).map(|number| start(number, stop.clone()));
        Ok(Self::of(lanes.collect::<io::Result<_>>()?, stop))
    }

    /// No threads of their own: connections are served where this is called, which must be within a runtime.
    pub fn here() -> Self {
        Self::of(vec![Handle::current()], CancellationToken::new())
    }

    /// Where the next connection is served.
    pub(super) fn next(&self) -> &Handle {
        let Shared { lanes, next, .. } = &*self.shared;
        &lanes[next.fetch_add(1, Ordering::Relaxed) % lanes.len()]
    }

    fn of(lanes: Vec<Handle>, stop: CancellationToken) -> Self {
        Self {
            shared: Arc::new(Shared {
                lanes,
                next: AtomicUsize::new(0),
                _stop: stop.drop_guard(),
            }),
        }
    }
}

fn start(number: usize, stop: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name(format!("lane-{number}"))
        .spawn(move || runtime.block_on(stop.cancelled_owned()))?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_dealt_out_in_turn_and_stay_where_they_are() {
        let lanes = Lanes::start().unwrap();
        let count = lanes.shared.lanes.len();
        let mut seen = Vec::new();
        for _ in 0..2 * count {
            let lane = lanes.next().spawn(async {
                let before = thread::current().id();
                tokio::task::yield_now().await;
                (thread::current().id() == before).then_some(before)
            });
            seen.push(lane.await.unwrap().unwrap());
        }
        assert_eq!(seen[..count], seen[count..]);
        seen.truncate(count);
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[tokio::test]
    async fn without_lanes_their_threads_end() {
        let lanes = Lanes::start().unwrap();
        let endless = lanes.next().spawn(std::future::pending::<()>());
        drop(lanes);
        assert!(endless.await.unwrap_err().is_cancelled());
    }
}

//! Worker threads: one current-thread runtime for each core.
//!
//! A connection stays on one worker, and with it the timers, upstream connections and nonces of its requests. tokio's
//! work-stealing runtime takes 14 % more CPU for a signed call (measured, paired).

use std::cell::Cell;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Runtimes to which connections are assigned in turn. When the last clone is dropped the threads end, and what runs on
/// them is dropped.
#[derive(Clone, Debug)]
pub struct Workers {
    handles: Arc<[Handle]>,
    next: Arc<AtomicUsize>,
    _stop: Arc<DropGuard>,
}

impl Workers {
    /// Starts one thread for each core.
    pub fn start() -> io::Result<Self> {
        let stop = CancellationToken::new();
        let handles = (0..count()).map(|number| start(number, stop.clone()));
        Ok(Self::new(handles.collect::<io::Result<_>>()?, stop))
    }

    /// No threads of their own: connections are served on the current runtime.
    pub fn current_runtime() -> Self {
        Self::new(vec![Handle::current()], CancellationToken::new())
    }

    pub(super) fn next(&self) -> &Handle {
        &self.handles[self.next.fetch_add(1, Ordering::Relaxed) % self.handles.len()]
    }

    /// Waits until each thread has done something. It never returns if one of them hangs.
    pub async fn check_alive(&self) {
        for handle in &*self.handles {
            // It does not panic.
            let _ = handle.spawn(async {}).await;
        }
    }

    fn new(handles: Vec<Handle>, stop: CancellationToken) -> Self {
        Self {
            handles: handles.into(),
            next: Arc::default(),
            _stop: stop.drop_guard().into(),
        }
    }
}

/// How many workers [`Workers::start`] starts.
pub(super) fn count() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The number of the worker that this thread is, below [`count`]; every other thread shares number 0.
pub(super) fn current() -> usize {
    NUMBER.get()
}

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

fn start(number: usize, stop: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name(format!("worker-{number}"))
        .spawn(move || {
            NUMBER.set(number);
            runtime.block_on(stop.cancelled_owned());
        })?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_assigned_in_turn_and_end_with_the_workers() {
        let workers = Workers::start().unwrap();
        for number in (0..count()).chain(0..count()) {
            assert_eq!(workers.next().spawn(async { current() }).await.unwrap(), number);
        }
        let endless = workers.next().spawn(std::future::pending::<()>());
        drop(workers);
        assert!(endless.await.unwrap_err().is_cancelled());
    }
}

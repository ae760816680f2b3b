//! Idle connections to one server, the most recently used first.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::connect::OpenConnection;
use crate::http::workers;

/// Idle connections, a stack for each worker thread: a request and the task that drives its connection share a thread, and
/// connections that are not needed reach the idle limit. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    idle_timeout: Duration,
    idle: Vec<Mutex<Stack>>,
    sweeper: OnceLock<()>,
}

/// Connections and when each became idle, the oldest first.
type Stack = VecDeque<(OpenConnection, Instant)>;

impl Pool {
    pub(super) fn new(idle_timeout: Duration) -> Self {
        Self(Arc::new(Shared {
            idle_timeout,
            idle: (0..workers::count()).map(|_| Mutex::default()).collect(),
            sweeper: OnceLock::new(),
        }))
    }

    /// The connection that this thread used last and that is still open.
    pub(super) fn checkout(&self) -> Option<OpenConnection> {
        let mut idle = self.this_thread();
        let oldest = Instant::now().checked_sub(self.0.idle_timeout);
        while let Some((connection, since)) = idle.pop_back() {
            if oldest.is_some_and(|oldest| since < oldest) {
                // Those below it have been idle even longer.
                idle.clear();
            } else if connection.sender.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection that has sent a whole request and received a whole response. hyper may need a moment to notice; one
    /// that switches protocols is closed only when it has.
    pub(super) fn put(self, mut connection: OpenConnection) {
        if !connection.sender.is_ready() {
            tokio::spawn(async move {
                if connection.sender.ready().await.is_ok() {
                    self.put(connection);
                }
            });
            return;
        }
        self.0
            .sweeper
            .get_or_init(|| drop(tokio::spawn(sweep(Arc::downgrade(&self.0)))));
        let mut idle = self.this_thread();
        idle.push_back((connection, Instant::now()));
        if idle.len() > MAX_IDLE {
            idle.pop_front();
        }
    }

    fn this_thread(&self) -> MutexGuard<'_, Stack> {
        self.0.idle[workers::current()].lock()
    }
}

/// Closes connections that were idle for too long, for as long as the pool exists.
async fn sweep(pool: Weak<Shared>) {
    while let Some(pause) = pool.upgrade().map(|pool| pool.idle_timeout.min(SWEEP_INTERVAL)) {
        tokio::time::sleep(pause).await;
        let Some(pool) = pool.upgrade() else { return };
        let oldest = Instant::now().checked_sub(pool.idle_timeout);
        for idle in &pool.idle {
            idle.lock().retain(|(connection, since)| {
                !connection.sender.is_closed() && oldest.is_none_or(|oldest| *since >= oldest)
            });
        }
    }
}

/// The most idle connections of each worker thread.
const MAX_IDLE: usize = 256;

const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

//! Connections to the application, the most recently used first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};
use thread_local::ThreadLocal;
use tokio::time::Instant;

use super::connect::connect;
use super::connection::{Answer, Connection, Failure, Resting, Sending};
use super::error::GatewayError;
use super::onward::Onward;
use super::upstream::Upstream;

/// How connections are made and kept.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// The time in which the application must accept a connection.
    pub connect: Duration,
    /// How long a connection rests before it is closed.
    pub idle: Duration,
    /// How many connections rest at most, for each thread that serves.
    pub most_idle: usize,
}

impl Default for PoolLimits {
    /// 5 seconds, 5 minutes, 256.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            idle: Duration::from_mins(5),
            most_idle: 256,
        }
    }
}

/// The connections to one application.
///
/// A stack for each thread: the connection used last is the one used next, so that the rest of them age and go, and that
/// whoever serves a connection also waits for it. A request is sent once.
/// Only when a resting connection turns out closed before it took a single byte does the request go to another one.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    limits: PoolLimits,
    idle: ThreadLocal<Mutex<Idle>>,
    /// Whether somebody looks after those that rest.
    swept: AtomicBool,
}

/// Connections that rest, the one used last at the end.
type Idle = VecDeque<(Box<Connection>, Instant)>;

/// What comes of a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// An answer.
    Answer(Response<Body>),
    /// The application speaks another protocol from now on.
    Switched(Response<()>, Box<Connection>),
}

impl Pool {
    pub(super) fn new(upstream: Upstream, limits: PoolLimits) -> Self {
        Self {
            shared: Arc::new(Shared {
                upstream,
                limits,
                idle: ThreadLocal::new(),
                swept: AtomicBool::new(false),
            }),
        }
    }

    /// Sends a request, once, and waits for the head of its answer, for so long that the application
    /// does nothing.
    pub(super) async fn send(
        &self,
        request: &Onward,
        body: Body,
        within: Duration,
    ) -> Result<Reply, GatewayError> {
        let mut upload = Sending::new(body);
        let mut before: Option<Box<Connection>> = None;
        loop {
            let resting = self.shared.take();
            let is_new = resting.is_none();
            let mut connection = match resting {
                Some(connection) => connection,
                None => Box::pin(connect(&self.shared.upstream, self.shared.limits.connect)).await?,
            };
            match before.take() {
                None => connection.begin(request, &upload),
                Some(before) => connection.begin_again(*before),
            }
            match connection.head(&request.method, &mut upload, within).await {
                Ok(head) if head.response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    return Ok(Reply::Switched(head.response, connection));
                }
                Ok(head) => {
                    let resting = self.clone();
                    return Ok(Reply::Answer(Answer::response(head, connection, upload, resting)));
                }
                Err(Failure::Unsent(_)) if !is_new => before = Some(connection),
                Err(Failure::Unsent(error)) => return Err(GatewayError::BrokenAnswer(error.into())),
                Err(Failure::GatewayError(fault)) => return Err(fault),
            }
        }
    }
}

impl Resting for Pool {
    fn give_back(&self, connection: Box<Connection>) {
        let mut idle = lock(self.shared.idle.get_or_default());
        idle.push_back((connection, Instant::now()));
        if idle.len() > self.shared.limits.most_idle {
            idle.pop_front();
        }
        drop(idle);
        if !self.shared.swept.load(Ordering::Relaxed) && !self.shared.swept.swap(true, Ordering::AcqRel) {
            tokio::spawn(sweep(Arc::downgrade(&self.shared)));
        }
    }
}

impl Shared {
    /// The resting connection that this thread used last and that still is open.
    fn take(&self) -> Option<Box<Connection>> {
        let mut idle = lock(self.idle.get_or_default());
        let oldest = Instant::now().checked_sub(self.limits.idle);
        while let Some((mut connection, since)) = idle.pop_back() {
            if oldest.is_some_and(|oldest| since < oldest) {
                // Those below it have rested even longer.
                idle.clear();
            } else if connection.is_open() {
                return Some(connection);
            }
        }
        None
    }

    /// Closes what has rested too long, and what the application has closed; `false`: nothing rests.
    fn sweep(&self) -> bool {
        // Whoever lets a connection rest from now on starts another sweep.
        self.swept.store(false, Ordering::Release);
        let now = Instant::now();
        let mut rests = false;
        for idle in &self.idle {
            let mut idle = lock(idle);
            idle.retain_mut(|(connection, since)| *since + self.limits.idle > now && connection.is_open());
            rests |= !idle.is_empty();
        }
        rests && !self.swept.swap(true, Ordering::AcqRel)
    }
}

fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lives as long as connections rest.
async fn sweep(pool: Weak<Shared>) {
    let within = |pool: Arc<Shared>| pool.limits.idle.min(LONGEST_SLEEP);
    while let Some(pause) = pool.upgrade().map(within) {
        tokio::time::sleep(pause).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}

/// How long a connection that the application has closed is kept for nothing.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

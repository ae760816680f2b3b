//! Connections to the application, the most recently used first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};
use tokio::time::Instant;

use super::connect::connect;
use super::connection::{Answer, Connection, Failure, Resting, Sending};
use super::fault::Fault;
use super::onward::Onward;
use super::upstream::Upstream;

/// How connections are made and kept.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// The time in which the application must accept a connection.
    pub connect: Duration,
    /// How long a connection rests before it is closed.
    pub idle: Duration,
    /// How many connections rest at most.
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
/// A stack: the connection used last is the one used next, so that the rest of them age and go. A request is sent once.
/// Only when a resting connection turns out closed before it took a single byte does the request go to another one.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    limits: PoolLimits,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    stack: VecDeque<(Box<Connection>, Instant)>,
    swept: bool,
}

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
        let idle = Mutex::default();
        Self {
            shared: Arc::new(Shared {
                upstream,
                limits,
                idle,
            }),
        }
    }

    /// Sends a request, once, and waits for the head of its answer, for so long that the application
    /// does nothing.
    pub(super) async fn send(&self, request: &Onward, body: Body, within: Duration) -> Result<Reply, Fault> {
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
                Err(Failure::Unsent(error)) => return Err(Fault::BrokenAnswer(error.into())),
                Err(Failure::Fault(fault)) => return Err(fault),
            }
        }
    }
}

impl Resting for Pool {
    fn give_back(&self, connection: Box<Connection>) {
        let idle = &mut *self.shared.lock();
        idle.stack.push_back((connection, Instant::now()));
        if idle.stack.len() > self.shared.limits.most_idle {
            idle.stack.pop_front();
        }
        if !idle.swept {
            idle.swept = true;
            tokio::spawn(sweep(Arc::downgrade(&self.shared)));
        }
    }
}

impl Shared {
    /// The resting connection that was used last and still is open.
    fn take(&self) -> Option<Box<Connection>> {
        let idle = &mut *self.lock();
        let oldest = Instant::now().checked_sub(self.limits.idle);
        while let Some((mut connection, since)) = idle.stack.pop_back() {
            if oldest.is_some_and(|oldest| since < oldest) {
                // Those below it have rested even longer.
                idle.stack.clear();
            } else if connection.is_open() {
                return Some(connection);
            }
        }
        None
    }

    /// Closes what has rested too long, and what the application has closed; `false`: nothing rests.
    fn sweep(&self) -> bool {
        let idle = &mut *self.lock();
        let now = Instant::now();
        idle.stack
            .retain_mut(|(connection, since)| *since + self.limits.idle > now && connection.is_open());
        idle.swept = !idle.stack.is_empty();
        idle.swept
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

//! Connections to the application, the most recently used first.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::connect::{Connection, connect};
use super::fault::Fault;
use super::outgoing::Outgoing;
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
    resting: Mutex<Resting>,
}

#[derive(Debug, Default)]
struct Resting {
    stack: VecDeque<(Connection, Instant)>,
    swept: bool,
}

impl Pool {
    pub(super) fn new(upstream: Upstream, limits: PoolLimits) -> Self {
        let resting = Mutex::default();
        Self {
            shared: Arc::new(Shared {
                upstream,
                limits,
                resting,
            }),
        }
    }

    /// Sends a request, once, and waits for the head of its answer.
    pub(super) async fn send(&self, mut request: Request<Outgoing>) -> Result<Response<Answer>, Fault> {
        while let Some(mut connection) = self.shared.take() {
            match connection.try_send_request(request).await {
                Ok(response) => return Ok(self.answer(response, connection)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(broken(error.into_error())),
                },
            }
        }
        let connecting = connect(&self.shared.upstream, self.shared.limits.connect);
        let mut connection = Box::pin(connecting).await?;
        let response = connection.send_request(request).await;
        Ok(self.answer(response.map_err(broken)?, connection))
    }

    fn answer(&self, response: Response<Incoming>, connection: Connection) -> Response<Answer> {
        let http = response.status() != StatusCode::SWITCHING_PROTOCOLS;
        response.map(|body| {
            let mut answer = Answer {
                body,
                returning: http.then(|| (connection, Arc::clone(&self.shared))),
            };
            answer.give_back_at_end();
            answer
        })
    }
}

impl Shared {
    /// The resting connection that was used last and still is open. One that is still busy with the end of a request
    /// body stays where it is.
    fn take(&self) -> Option<Connection> {
        let resting = &mut *self.lock();
        let oldest = Instant::now().checked_sub(self.limits.idle);
        let mut at = resting.stack.len();
        while at > 0 {
            at -= 1;
            let (connection, since) = &resting.stack[at];
            if connection.is_closed() || oldest.is_some_and(|oldest| *since < oldest) {
                resting.stack.remove(at);
            } else if connection.is_ready() {
                return resting.stack.remove(at).map(|(connection, _)| connection);
            }
        }
        None
    }

    fn give_back(self: &Arc<Self>, connection: Connection) {
        if connection.is_closed() {
            return;
        }
        let resting = &mut *self.lock();
        resting.stack.push_back((connection, Instant::now()));
        if resting.stack.len() > self.limits.most_idle {
            resting.stack.pop_front();
        }
        if !resting.swept {
            resting.swept = true;
            tokio::spawn(sweep(Arc::downgrade(self), self.limits.idle));
        }
    }

    /// Closes what has rested too long. `None`: nothing is left to wait for.
    fn sweep(&self) -> Option<Instant> {
        let resting = &mut *self.lock();
        let now = Instant::now();
        resting
            .stack
            .retain(|(connection, since)| !connection.is_closed() && *since + self.limits.idle > now);
        let next = resting.stack.front().map(|(_, since)| *since + self.limits.idle);
        resting.swept = next.is_some();
        next
    }

    fn lock(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who broke off: the client within its body, or the application.
fn broken(error: hyper::Error) -> Fault {
    if error.is_user() {
        Fault::BrokenBody
    } else {
        Fault::BrokenAnswer(error)
    }
}

/// Lives as long as connections rest.
async fn sweep(pool: Weak<Shared>, idle: Duration) {
    let mut next = Instant::now() + idle;
    loop {
        tokio::time::sleep_until(next).await;
        match pool.upgrade().and_then(|pool| pool.sweep()) {
            Some(later) => next = later,
            None => return,
        }
    }
}

/// The body of an answer, which gives its connection back when it has come to its end. One that is dropped earlier takes
/// the connection with it.
#[derive(Debug)]
pub(super) struct Answer {
    body: Incoming,
    returning: Option<(Connection, Arc<Shared>)>,
}

impl Answer {
    fn give_back_at_end(&mut self) {
        if self.body.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some((connection, pool)) = self.returning.take() {
            pool.give_back(connection);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(_)) => self.give_back_at_end(),
            Some(Err(_)) => self.returning = None,
            None => self.give_back(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

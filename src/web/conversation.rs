//! A connection's requests, one after the other, until either side ends it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::head_timer::HeadTimer;

/// Tells conversations to come to their end: no further request after the one under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending {
    /// Looked at with each step of each conversation, which a lock would slow down.
    told: Arc<AtomicBool>,
    token: CancellationToken,
}

impl Ending {
    pub(super) fn tell(&self) {
        self.told.store(true, Ordering::Release);
        self.token.cancel();
    }
}

/// Answers the requests of a connection. It must be a task of its own: told to end, it wakes the task that it began in.
pub(super) async fn converse<S, A, F>(stream: S, peer: SocketAddr, answer: A, ending: Ending)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    A: Fn(Request<Body>) -> F + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        // Boxed: hyper keeps room for it with every connection, also while nothing is asked.
        let answer = Box::pin(answer(request.map(body)));
        async { Ok::<_, Infallible>(answer.await) }
    });
    let builder = http_builder();
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let mut told = pin!(ending.token.cancelled());
    let (mut listens, mut ends) = (false, false);
    let ended = poll_fn(|cx| {
        let is_told = ending.told.load(Ordering::Acquire)
            || (!mem::replace(&mut listens, true) && told.as_mut().poll(cx).is_ready());
        if is_told && !mem::replace(&mut ends, true) {
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(cx)
    });
    if let Err(error) = ended.await {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

/// A request's body. Most requests have none, and then nothing is allocated for it.
fn body(incoming: Incoming) -> Body {
    if incoming.is_end_stream() {
        Body::empty()
    } else {
        Body::new(incoming)
    }
}

fn http_builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(HeadTimer::default())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(KEEP_ALIVE);
    builder
}

/// How long a request's head may take to arrive; also how long a kept connection may be idle.
const HEADER_TIME: Duration = Duration::from_secs(75);
/// How large a request's head may be, in bytes; a larger one is answered 431.
const HEADER_BYTES: usize = 64 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(20);

//! A conversation about anything, which is hyper's.

use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};

use super::ending::Ear;
use super::head_timer::HeadTimer;
use super::{HEAD_BYTES, HEAD_TIME};

/// Answers the requests of a connection.
pub(super) async fn converse<S, A, F>(stream: S, peer: SocketAddr, answer: A, mut ear: Ear)
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
    let mut ends = false;
    let ended = poll_fn(|cx| {
        if ear.poll(cx) && !mem::replace(&mut ends, true) {
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
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(KEEP_ALIVE);
    builder
}

/// After how long a silent connection of HTTP/2 is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

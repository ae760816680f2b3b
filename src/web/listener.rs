//! Accepts connections and serves them, until it is told to stop; then lets what is under way come to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::tls::ServerTls;

/// Serves a socket, over TLS if it is given: `answer` is asked about each request and its peer.
///
/// Returns when `stop` was cancelled and every request has been answered, or when `drain` is over, whichever comes first;
/// `false` says that something was cut off.
pub async fn serve<A, F>(
    socket: TcpListener,
    tls: Option<ServerTls>,
    answer: A,
    stop: CancellationToken,
    drain: Duration,
) -> bool
where
    A: Fn(Request<Body>, SocketAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let connections = GracefulShutdown::new();
    let builder = http_builder();
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&socket) => accepted,
        };
        let answer = answer.clone();
        let answer = move |request| answer(request, peer);
        let (builder, watcher) = (builder.clone(), connections.watcher());
        match tls.clone() {
            None => drop(tokio::spawn(converse(stream, peer, answer, builder, watcher))),
            Some(tls) => drop(tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
                match tls.accept(stream).await {
                    // The requests on it end when they are answered, not when we are told to stop.
                    Ok(stream) => drop(tokio::spawn(converse(stream, peer, answer, builder, watcher))),
                    Err(error) => tracing::debug!(%peer, %error, "a client did not come to TLS"),
                }
            }))),
        }
    }
    drop(socket);
    tokio::time::timeout(drain, connections.shutdown()).await.is_ok()
}

/// Serves a router on a socket, as [`serve`] does, without TLS.
pub async fn serve_router(
    socket: TcpListener,
    router: Router,
    stop: CancellationToken,
    drain: Duration,
) -> bool {
    let answer = move |request, peer| routed(router.clone(), request, peer);
    serve(socket, None, answer, stop, drain).await
}

/// A router's answer to a request of a peer, whose address handlers find as axum's [`ConnectInfo`].
pub(super) async fn routed(router: Router, mut request: Request<Body>, peer: SocketAddr) -> Response<Body> {
    request.extensions_mut().insert(ConnectInfo(peer));
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Answers the requests of a connection.
async fn converse<S, A, F>(
    stream: S,
    peer: SocketAddr,
    answer: A,
    builder: auto::Builder<TokioExecutor>,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    A: Fn(Request<Body>) -> F + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(request.map(body));
        async { Ok::<_, Infallible>(answer.await) }
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
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

/// Waits for a connection. An error of one (a peer that went away, no free descriptor) does not end the listener.
async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%peer, %error, "the connection keeps Nagle's algorithm");
                }
                return (stream, peer);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn http_builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
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

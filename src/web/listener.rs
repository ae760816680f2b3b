//! Accepts connections and serves a router on them, until it is told to stop; then lets what is under way come to its end.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::tls::ServerTls;

/// Serves a router on a socket, over TLS if it is given. Returns when `stop` was cancelled and every request has been
/// answered, or when `drain` is over, whichever comes first; `false` says that something was cut off.
pub async fn serve(
    socket: TcpListener,
    tls: Option<ServerTls>,
    router: Router,
    stop: CancellationToken,
    drain: Duration,
) -> bool {
    let connections = GracefulShutdown::new();
    let builder = http_builder();
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&socket) => accepted,
        };
        let (router, builder, watcher) = (router.clone(), builder.clone(), connections.watcher());
        match tls.clone() {
            None => drop(tokio::spawn(answer(stream, peer, router, builder, watcher))),
            Some(tls) => drop(tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
                match tls.accept(stream).await {
                    // The requests on it end when they are answered, not when we are told to stop.
                    Ok(stream) => drop(tokio::spawn(answer(stream, peer, router, builder, watcher))),
                    Err(error) => tracing::debug!(%peer, %error, "a client did not come to TLS"),
                }
            }))),
        }
    }
    drop(socket);
    tokio::time::timeout(drain, connections.shutdown()).await.is_ok()
}

/// Answers the requests of a connection.
async fn answer<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    builder: auto::Builder<TokioExecutor>,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = router.map_request(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(axum::body::Body::new)
    });
    let connection =
        builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "a connection ended early");
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

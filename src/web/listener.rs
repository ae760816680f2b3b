//! Accepts connections and deals them out to the lanes, until it is told to stop; then lets what is under way come to its
//! end.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::conversation::{Ending, converse};
use super::lanes::Lanes;
use crate::tls::ServerTls;

/// Serves a socket, over TLS if it is given: `answer` is asked about each request and its peer, on one of the lanes.
///
/// Returns when `stop` was cancelled and every request has been answered, or when `drain` is over, whichever comes first;
/// `false` says that something was cut off.
pub async fn serve<A, F>(
    socket: TcpListener,
    tls: Option<ServerTls>,
    answer: A,
    lanes: Lanes,
    stop: CancellationToken,
    drain: Duration,
) -> bool
where
    A: Fn(Request<Body>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (connections, ending) = (TaskTracker::new(), Ending::default());
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&socket) => accepted,
        };
        let answer = answer.clone();
        let answer = move |request| answer(request, peer);
        let (tls, ending) = (tls.clone(), ending.clone());
        let (stop, tracker) = (stop.clone(), connections.clone());
        let conversation = async move {
            let stream = match stream.and_then(TcpStream::from_std) {
                Ok(stream) => stream,
                Err(error) => return tracing::warn!(%peer, %error, "a connection could not be handed on"),
            };
            let Some(tls) = tls else {
                return converse(stream, peer, answer, ending).await;
            };
            match stop.run_until_cancelled(tls.accept(stream)).await {
                // A task of its own: the requests on it end when they are answered, not when we are told to stop.
                Some(Ok(stream)) => drop(tracker.spawn(converse(stream, peer, answer, ending))),
                Some(Err(error)) => tracing::debug!(%peer, %error, "a client did not come to TLS"),
                None => {}
            }
        };
        connections.spawn_on(conversation, lanes.next());
    }
    drop(socket);
    ending.tell();
    connections.close();
    tokio::time::timeout(drain, connections.wait()).await.is_ok()
}

/// Serves a router on a socket, as [`serve`] does, without TLS, where it is called.
pub async fn serve_router(
    socket: TcpListener,
    router: Router,
    stop: CancellationToken,
    drain: Duration,
) -> bool {
    let answer = move |request, peer| routed(router.clone(), request, peer);
    serve(socket, None, answer, Lanes::here(), stop, drain).await
}

/// A router's answer to a request of a peer, whose address handlers find as axum's [`ConnectInfo`].
pub(super) async fn routed(router: Router, mut request: Request<Body>, peer: SocketAddr) -> Response<Body> {
    request.extensions_mut().insert(ConnectInfo(peer));
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Waits for a connection, which another thread can have. An error of one (a peer that went away, no free descriptor) does
/// not end the listener.
async fn accept(socket: &TcpListener) -> (io::Result<std::net::TcpStream>, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%peer, %error, "the connection keeps Nagle's algorithm");
                }
                return (stream.into_std(), peer);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

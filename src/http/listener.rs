//! Accepts connections and serves them through hyper until the server stops.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, sink};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

use super::beginning::Beginning;
use super::half_open::HalfOpen;
use super::head_timer::HeadTimer;
use super::socket::{Accepted, Socket};
use super::stopping::until_stopped;
use super::{RequestId, Workers, field_case, unread};
use crate::telemetry::count_rejected_connection;
use crate::tls::ServerTls;

/// What answers requests: a router, or middleware around one. It is cloned for each request.
pub type HttpService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// How connections are served.
#[derive(Debug)]
pub struct Listener {
    /// `None`: clear text.
    pub tls: Option<ServerTls>,
    /// Whether HTTP/2 is served in clear text to clients that begin with it (RFC 9113, section 3.3).
    pub h2c: bool,
    /// The runtimes that serve the connections.
    pub workers: Workers,
    /// The time for a head: [`HEAD_TIMEOUT`] but in tests. A kept connection may be idle for five times as long before it.
    pub head_timeout: Duration,
    /// How long a client may read nothing of what is sent to it.
    pub download_timeout: Duration,
    /// The most connections of one client on which no request has begun.
    pub max_half_open: usize,
}

impl Listener {
    /// Serves HTTP/1.1 in clear text, on the current runtime.
    pub fn clear_text() -> Self {
        Self {
            tls: None,
            h2c: false,
            workers: Workers::current_runtime(),
            head_timeout: HEAD_TIMEOUT,
            download_timeout: DOWNLOAD_TIMEOUT,
            max_half_open: MAX_HALF_OPEN,
        }
    }

    /// Serves until `stop` is cancelled; then no further connection is accepted, each open one may make one more request
    /// within a second, event streams end, and requests in progress get `drain` to finish. `false`: some did not, and
    /// were cut off. What was switched to another protocol is not waited for.
    ///
    /// Each request carries its [`RequestId`], and its peer as [`ConnectInfo`] unless it came over a Unix socket.
    pub async fn serve(
        self,
        socket: Socket,
        service: HttpService,
        stop: CancellationToken,
        drain: Duration,
    ) -> bool {
        let (connections, late) = (TaskTracker::new(), CancellationToken::new());
        let half_open = HalfOpen::new(self.max_half_open);
        let listener = Arc::new(self);
        while let Some((stream, peer)) = stop.run_until_cancelled(accept(&socket)).await {
            let counted = peer.map(|peer| half_open.begin(peer.ip()));
            if let Some(None) = counted {
                count_rejected_connection("half_open");
                continue;
            }
            let connection = Arc::new(Connection {
                service: service.clone(),
                listener: Arc::clone(&listener),
                peer,
                // Tokens of its own: polling a shared one would take a lock that all connections share.
                begun: CancellationToken::new(),
                stop: stop.child_token(),
                late: late.child_token(),
            });
            let serving = async move {
                let mut serving = pin!(Arc::clone(&connection).serve(stream));
                let served = connection.begun.run_until_cancelled(&mut serving).await;
                drop(counted);
                let served = match served {
                    Some(served) => served,
                    None => serving.await,
                };
                if let Err(error) = served {
                    tracing::debug!(peer = ?connection.peer, %error, "a connection ended early");
                }
            };
            connections.spawn_on(serving, listener.workers.next());
        }
        if let Socket::Unix(_, Some(path)) = &socket {
            let _ = std::fs::remove_file(path);
        }
        drop(socket);
        connections.close();
        let ended = async {
            if timeout(LAST_REQUEST, connections.wait()).await.is_err() {
                late.cancel();
                connections.wait().await;
            }
        };
        timeout(drain, ended).await.is_ok()
    }
}

/// A connection apart from its stream. Each token is cancelled when its event happens.
struct Connection {
    service: HttpService,
    listener: Arc<Listener>,
    peer: Option<SocketAddr>,
    /// The first request.
    begun: CancellationToken,
    /// The server stops.
    stop: CancellationToken,
    /// The time for a last request is over.
    late: CancellationToken,
}

/// Waits for a connection. A client that has gone, or a lack of descriptors, is logged once and then counted.
async fn accept(socket: &Socket) -> (Accepted, Option<SocketAddr>) {
    let mut failed = 0_u64;
    loop {
        match socket.accept().await {
            Ok(accepted) => {
                if failed > 0 {
                    tracing::warn!(failed, "connections are accepted again");
                }
                return accepted;
            }
            Err(error) => {
                if failed == 0 {
                    tracing::warn!(%error, "connections cannot be accepted");
                }
                failed += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

impl Connection {
    async fn serve(self: Arc<Self>, stream: Accepted) -> io::Result<()> {
        let mut stream = match stream {
            Accepted::Tcp(stream) => TcpStream::from_std(stream)?,
            Accepted::Unix(stream) => {
                return self.http1(UnixStream::from_std(stream)?, Beginning::Other).await;
            }
        };
        let listener = Arc::clone(&self.listener);
        let limit = match listener.tls {
            Some(_) => HANDSHAKE_TIMEOUT,
            None => listener.head_timeout,
        };
        let peeking = timeout(limit, Beginning::peek(&stream, listener.h2c));
        let Some(Ok(beginning)) = self.late.run_until_cancelled(peeking).await else {
            return Ok(());
        };
        match (beginning?, &listener.tls) {
            (Beginning::Http2, None) => self.http2(stream).await,
            (beginning, None) => self.http1(stream, beginning).await,
            (Beginning::Tls, Some(tls)) => {
                let Some(stream) = self.late.run_until_cancelled(tls.accept(stream)).await else {
                    return Ok(());
                };
                let stream = stream?;
                match stream.get_ref().1.alpn_protocol() {
                    Some(b"h2") => self.http2(stream).await,
                    _ => self.http1(stream, Beginning::Other).await,
                }
            }
            (_, Some(_)) => {
                reject(self.peer, "clear_text_on_tls", None);
                stream.write_all(USE_HTTPS).await?;
                stream.shutdown().await?;
                // Closing with bytes unread would reset the connection, and the client lose the response (RFC 9112, section 9.6).
                let _ = timeout(LAST_REQUEST, copy(&mut stream.take(MAX_HEAD.into()), &mut sink())).await;
                Ok(())
            }
        }
    }

    async fn http1(self: Arc<Self>, stream: impl Io, beginning: Beginning) -> io::Result<()> {
        let (stream, timer) = HeadTimer::observe(stream, self.listener.head_timeout);
        let connection = http1::Builder::new()
            .timer(timer)
            .header_read_timeout(self.listener.head_timeout * IDLE_FACTOR)
            .max_buf_size(MAX_HEAD as usize)
            .max_header_size(MAX_HEAD as usize)
            .title_case_headers(true)
            .serve_connection(self.with_write_timeout(stream), Arc::clone(&self).requests())
            .with_upgrades();
        let shutdown = http1::UpgradeableConnection::graceful_shutdown;
        let Err(error) = self.drive(connection, shutdown).await else {
            return Ok(());
        };
        if !error.is_parse() {
            return Err(io::Error::other(error));
        }
        let reason = if error.is_parse_too_large() {
            "head_too_large"
        } else if beginning == Beginning::Tls {
            "tls_on_clear_text"
        } else {
            "malformed"
        };
        reject(self.peer, reason, Some(&error));
        Ok(())
    }

    async fn http2(self: Arc<Self>, stream: impl Io) -> io::Result<()> {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HEAD)
            .keep_alive_interval(HTTP2_PING)
            .max_concurrent_streams(HTTP2_STREAMS)
            .serve_connection(self.with_write_timeout(stream), Arc::clone(&self).requests());
        let served = self.drive(connection, http2::Connection::graceful_shutdown);
        // hyper pings only a client that has sent the whole preface.
        let silent = async {
            let begun = timeout(self.listener.head_timeout, self.begun.cancelled());
            if begun.await.is_ok() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            served = served => served.map_err(io::Error::other),
            () = silent => Ok(()),
        }
    }

    /// Drives a connection. When the server has stopped for [`LAST_REQUEST`], the response in progress is its last.
    async fn drive<C: Future>(&self, connection: C, shutdown: fn(Pin<&mut C>)) -> C::Output {
        let mut connection = pin!(connection);
        tokio::select! {
            biased;
            output = &mut connection => output,
            () = self.late.cancelled() => {
                shutdown(connection.as_mut());
                connection.await
            }
        }
    }

    /// The stream, on which a write that makes no progress fails in the end.
    fn with_write_timeout<I: Io>(&self, stream: I) -> TokioIo<Pin<Box<TimeoutStream<I>>>> {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.listener.download_timeout));
        TokioIo::new(Box::pin(stream))
    }

    /// The service as hyper calls it; each request carries its id and its peer.
    fn requests(
        self: Arc<Self>,
    ) -> impl hyper::service::Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
    {
        service_fn(move |request: Request<Incoming>| {
            self.begun.cancel();
            let mut request = request.map(Body::new);
            let extensions = request.extensions_mut();
            extensions.insert(RequestId::next());
            if let Some(peer) = self.peer {
                extensions.insert(ConnectInfo(peer));
            }
            let (version, connection) = (request.version(), Arc::clone(&self));
            let response = self.service.clone().oneshot(request);
            async move {
                let mut response = until_stopped(response.await?, version, &connection.stop);
                field_case::write_as_usual(&mut response).await;
                Ok(if version == Version::HTTP_2 {
                    unread::limit(response, connection.listener.download_timeout)
                } else {
                    response
                })
            }
        })
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<I: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for I {}

/// Logs and counts a connection that does not speak the protocol. hyper has answered 400, 414 or 431 where it could, without a
/// body.
fn reject(peer: Option<SocketAddr>, reason: &'static str, error: Option<&hyper::Error>) {
    count_rejected_connection(reason);
    let peer = peer.map(|peer| tracing::field::display(peer.ip().to_canonical()));
    let error = error.map(tracing::field::display);
    tracing::info!(peer, reason, error, "a connection was rejected");
}

/// The response to a client that sends HTTP to a TLS port.
const USE_HTTPS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain;charset=UTF-8\r\n\
    Connection: close\r\n\r\nThis port serves HTTPS: write https:// in the URL.\r\n";

/// The time for a head from its first byte on; for the first head of a connection, also if the client has not begun yet.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// How long an open connection may still make a request when the server stops: one may be on its way.
const LAST_REQUEST: Duration = Duration::from_secs(1);

/// How much longer a connection may be idle, which is 75 seconds: proxies keep connections for a minute.
const IDLE_FACTOR: u32 = 5;

/// The time for the first byte of a TLS handshake; the handshake has as much.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes; a larger one is answered 431.
const MAX_HEAD: u32 = 64 * 1024;

/// Connections of one client without a request, where many files may be open: 4096 take a few megabytes.
pub const MAX_HALF_OPEN: usize = 4096;

/// How long a client may read nothing, unless it is configured.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(1);

/// Requests at the same time on one HTTP/2 connection.
const HTTP2_STREAMS: u32 = 100;

/// How often a silent HTTP/2 client is pinged.
const HTTP2_PING: Duration = Duration::from_secs(20);

//! What goes over the wire: a plain HTTP/1.1 call on a connection of its own, kept byte for byte.
//!
//! No redirect is followed and no URL is rewritten: the request target leaves exactly as it was signed.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A request, ready to leave. Sent twice, it is twice the same bytes.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// `host:port` to connect to, and the `Host` field.
    pub authority: String,
    /// Raw path and query.
    pub target: String,
    /// The fields after `Host`, in order.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty: none.
    pub body: String,
    /// The base string that its signature covers, for the reader of the panel.
    pub base_string: Option<String>,
}

/// A call and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request's bytes.
    pub sent: String,
    /// The base string that the request's signature covers.
    pub base_string: Option<String>,
    /// The answer's status.
    pub status: StatusCode,
    /// The answer's fields.
    pub headers: HeaderMap,
    /// The answer's status line and fields as they arrived.
    pub received_head: String,
    /// The answer's body.
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The call cannot be written as a request.
    #[error("the request cannot be written")]
    Request(#[from] http::Error),
    /// Nobody listens, or the connection broke.
    #[error("no connection to {authority}")]
    Connect {
        /// Whom we called.
        authority: String,
        /// What the system says.
        source: io::Error,
    },
    /// The peer's HTTP cannot be read.
    #[error("the answer cannot be read")]
    Http(#[from] hyper::Error),
    /// The peer's body broke off or is larger than a mebibyte.
    #[error("the answer's body cannot be read: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    /// The peer took too long.
    #[error("no answer within 30 seconds")]
    Late,
}

impl Call {
    /// Sends the call and waits for the whole answer.
    pub async fn send(&self) -> Result<Exchange, WireError> {
        tokio::time::timeout(PATIENCE, self.converse())
            .await
            .unwrap_or(Err(WireError::Late))
    }

    async fn converse(&self) -> Result<Exchange, WireError> {
        let stream = TcpStream::connect(&self.authority)
            .await
            .map_err(|source| WireError::Connect {
                authority: self.authority.clone(),
                source,
            })?;
        let (sent, received) = (Tape::default(), Tape::default());
        let io = TokioIo::new(Taped {
            stream,
            sent: sent.clone(),
            received: received.clone(),
        });
        let (mut sender, connection) = http1::Builder::new()
            .title_case_headers(true)
            .handshake::<_, Full<Bytes>>(io)
            .await?;
        tokio::spawn(connection);

        let (parts, body) = sender.send_request(self.to_request()?).await?.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER)
            .collect()
            .await
            .map_err(WireError::Body)?
            .to_bytes();
        Ok(Exchange {
            sent: sent.text(),
            base_string: self.base_string.clone(),
            status: parts.status,
            headers: parts.headers,
            received_head: head(&received.text()),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    fn to_request(&self) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.target.as_str())
            .header(header::HOST, &self.authority);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Full::new(Bytes::from(self.body.clone())))
    }
}

impl Exchange {
    /// The fields that were sent: `Name: value`, in order.
    pub fn sent_head(&self) -> String {
        head(&self.sent)
    }

    /// The body that was sent.
    pub fn sent_body(&self) -> &str {
        self.sent.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// A field of the answer, the last one if there are several.
    pub fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers
            .get_all(name)
            .iter()
            .next_back()
            .and_then(|value| value.to_str().ok())
    }
}

fn head(message: &str) -> String {
    let head = message.split_once("\r\n\r\n").map_or(message, |(head, _)| head);
    head.replace("\r\n", "\n")
}

/// Bytes in the order in which they passed.
#[derive(Clone, Debug, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl Tape {
    fn record(&self, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// A connection whose both directions are recorded.
struct Taped {
    stream: TcpStream,
    sent: Tape,
    received: Tape,
}

impl AsyncRead for Taped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.received.record(&buf.filled()[before..]);
        polled
    }
}

impl AsyncWrite for Taped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = polled {
            self.sent.record(&buf[..written]);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST_ANSWER: usize = 1 << 20;

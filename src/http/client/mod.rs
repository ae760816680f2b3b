//! The outbound HTTP/1.1 client: hyper's connections behind a small pool.
//!
//! * [`connect`]: where a server is, and a new connection to it, with DNS, TLS and the deny list;
//! * `pool`: idle connections, the most recently used first;
//! * `upload`: a request's body on its way to the server, and whose turn it is;
//! * `response`: checks of the response head that hyper leaves out, and a body that returns its connection to the pool.

pub mod connect;
mod pool;
mod response;
mod upload;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt as _, Limited};
use hyper::ext::on_informational;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use connect::{Address, ConnectError, Connector, Reach};
pub use upload::RequestBody;

use pool::Pool;
use response::PooledBody;
use upload::Progress;

/// Calls one server over a pool of connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    address: Address,
    connector: Connector,
    pool: Pool,
    /// How long the body of a request may stand still.
    upload_timeout: Duration,
    /// How many requests may be in progress; `None`: any number.
    requests: Option<Arc<Semaphore>>,
}

/// Why a request got no complete response.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum HttpClientError {
    #[error("{0} is not an http or https URL with a host")]
    Url(Uri),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("it did not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("the body of the request stood still")]
    SlowRequestBody,
    #[error("too many requests at once")]
    Busy,
    #[error("the body of the request ended early")]
    RequestBody,
    #[error("its response ended early or is not HTTP: {0}")]
    Broken(hyper::Error),
    #[error("its response is malformed: {0}")]
    Malformed(&'static str),
    #[error("its response is longer than {0} bytes")]
    TooLarge(usize),
}

impl HttpClient {
    /// A client of one server, which keeps connections that are idle for `idle_timeout` at most.
    pub fn new(address: Address, connector: Connector, idle_timeout: Duration) -> Self {
        Self {
            address,
            connector,
            pool: Pool::new(idle_timeout),
            upload_timeout: Duration::from_mins(1),
            requests: None,
        }
    }

    /// Limits how long the body of a request may stand still, and how many requests may be in progress at once: until their
    /// responses were read.
    #[must_use]
    pub fn with_limits(mut self, upload_timeout: Duration, max_requests: usize) -> Self {
        self.upload_timeout = upload_timeout;
        self.requests = Some(Arc::new(Semaphore::new(max_requests)));
        self
    }

    /// Waits for a place among the requests in progress, as long as for a connection.
    async fn place(&self) -> Result<Option<OwnedSemaphorePermit>, HttpClientError> {
        let Some(requests) = &self.requests else {
            return Ok(None);
        };
        if let Ok(place) = Arc::clone(requests).try_acquire_owned() {
            return Ok(Some(place));
        }
        let waiting = timeout(self.connector.timeout, Arc::clone(requests).acquire_owned());
        let place = waiting.await.ok().and_then(Result::ok);
        place.map(Some).ok_or(HttpClientError::Busy)
    }

    /// Sends a request to the path and query of its URI, byte for byte, and waits for the response head. `Host` is added
    /// if the request has none; so is the framing of its body. `response_timeout` limits the time in which the server is idle:
    /// while the body of the request is still arriving, it does not run.
    ///
    /// A request is sent once. Only if an idle connection turns out to be closed before anything was written to it does the
    /// request go to another connection; an idempotent one without a body also if nothing was received on the idle connection
    /// (RFC 9112, section 9.3.1). The connection is used again after a request without a body; dropped early, the response
    /// closes it. With `Expect`, the body is not read before the server asks for it, or was silent for a second. Nothing was
    /// sent if the error is [`HttpClientError::Connect`].
    pub async fn send(
        &self,
        request: Request<Body>,
        response_timeout: Duration,
    ) -> Result<Response<Body>, HttpClientError> {
        let method = request.method().clone();
        let place = self.place().await?;
        let (mut request, progress) = outgoing(request, &self.address.authority);
        loop {
            let idle = self.pool.checkout();
            let is_reused = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                None => Box::pin(self.connector.connect(&self.address)).await?,
            };
            connection.received.store(false, Ordering::Relaxed);
            let repeatable = is_reused && method.is_idempotent() && !progress.has_body();
            let copy = repeatable.then(|| copy_without_body(&request));
            let sending = connection.sender.try_send_request(request);
            let limited = progress.limit(response_timeout, self.upload_timeout, sending);
            match limited.await? {
                Ok(response) => {
                    let (mut head, body) = response.into_parts();
                    let is_in_step = response::check_response_framing(&mut head, &method)?;
                    // A server that did not read the body would take it for the next request, and none tells whether it did.
                    let is_reusable = is_in_step && !progress.has_body();
                    let pool = is_reusable.then(|| self.pool.clone());
                    return Ok(Response::from_parts(
                        head,
                        PooledBody::boxed(body, connection, pool, place),
                    ));
                }
                Err(mut error) => {
                    let copy = copy.filter(|_| !connection.received.load(Ordering::Relaxed));
                    match error.take_message().or(copy).filter(|_| is_reused) {
                        Some(again) => request = again,
                        None => return Err(error.into_error().into()),
                    }
                }
            }
        }
    }
}

impl Connector {
    /// Sends one request to its absolute URL over a connection of its own, and reads the whole response: within `limit`, and
    /// at most `max_body` bytes. Redirects are not followed.
    pub async fn fetch(
        &self,
        request: Request<Bytes>,
        limit: Duration,
        max_body: usize,
    ) -> Result<Response<Bytes>, HttpClientError> {
        let fetching = async {
            let address = Address::of(request.uri());
            let address = address.ok_or_else(|| HttpClientError::Url(request.uri().clone()))?;
            let method = request.method().clone();
            let (mut request, _) = outgoing(request.map(Body::from), &address.authority);
            request.headers_mut().insert(USER_AGENT, AGENT);
            let mut connection = self.connect(&address).await?;
            let (mut head, body) = connection.sender.send_request(request).await?.into_parts();
            response::check_response_framing(&mut head, &method)?;
            let body = Limited::new(body, max_body).collect().await;
            let body = body.map_err(|error| match error.downcast() {
                Ok(error) => HttpClientError::Broken(*error),
                Err(_) => HttpClientError::TooLarge(max_body),
            })?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        let fetched = timeout(limit, fetching).await;
        fetched.unwrap_or(Err(HttpClientError::Timeout(limit)))
    }
}

/// The `User-Agent` of requests that linkgate itself makes.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("linkgate/", env!("CARGO_PKG_VERSION")));

/// Makes a request ready for hyper: origin form, HTTP/1.1, `Host`, and the framing (RFC 9112, section 6) that hyper does not
/// derive from the body.
fn outgoing(request: Request<Body>, host: &HeaderValue) -> (Request<RequestBody>, Progress) {
    let (mut head, body) = request.into_parts();
    if !head.headers.contains_key(HOST) {
        // A new map: `Host` comes first (RFC 9110, section 7.2).
        let mut headers = HeaderMap::with_capacity(head.headers.len() + 4);
        headers.insert(HOST, host.clone());
        headers.extend(head.headers);
        head.headers = headers;
    }
    let target = head.uri.path_and_query().cloned();
    head.uri = Uri::from(target.unwrap_or(PathAndQuery::from_static("/")));
    // An HTTP/1.0 or HTTP/2 client's version would otherwise be written to the server.
    head.version = Version::HTTP_11;
    head.extensions.clear();
    let (mut body, progress) = RequestBody::new(body);
    let interim = progress.clone();
    if body.is_of_unknown_length() {
        // hyper silently sends no body of unknown length along with a GET or HEAD.
        head.headers
            .insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    } else if body.is_empty() && [Method::POST, Method::PUT, Method::PATCH].contains(&head.method) {
        // RFC 9110, section 8.6.
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let asked = head.headers.contains_key(EXPECT).then(CancellationToken::new);
    if let Some(asked) = &asked {
        body.wait_until(asked.clone());
    }
    let mut request = Request::from_parts(head, body);
    on_informational(&mut request, move |response| {
        // A server that sends 102 (Processing) is not idle.
        interim.restart();
        if let (StatusCode::CONTINUE, Some(asked)) = (response.status(), &asked) {
            asked.cancel();
        }
    });
    (request, progress)
}

/// The same request, which has no body.
fn copy_without_body(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut copy = Request::new(RequestBody::new(Body::empty()).0);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy.extensions_mut().clone_from(request.extensions());
    copy
}

impl From<hyper::Error> for HttpClientError {
    fn from(error: hyper::Error) -> Self {
        if error.is_user() {
            Self::RequestBody
        } else {
            Self::Broken(error)
        }
    }
}

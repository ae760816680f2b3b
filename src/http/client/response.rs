//! A response on its way from a server: what hyper does not check of its head, and its body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, Version};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use tokio::sync::OwnedSemaphorePermit;

use super::HttpClientError;
use super::connect::OpenConnection;
use super::pool::Pool;
use crate::http::negotiate::{at_most_one, list_values};

/// Checks how a response is framed (RFC 9112, section 6) where hyper is lenient, and rewrites what another reader could
/// understand differently. `true`: the connection can be used again.
///
/// * Any `Transfer-Encoding` but one `chunked`, also where hyper reads no body: hyper would decode `gzip, chunked` as
///   chunked, and the client would never learn of `gzip`.
/// * `Content-Length` that is not a number, or several that differ, also of a response to HEAD.
/// * A length beside `chunked` is removed, and the connection is not used again.
/// * A successful CONNECT would be a tunnel.
/// * An empty reason phrase becomes the usual one.
///
/// The version becomes that of this hop; a connection to an HTTP/1.0 server is not used again, because hyper would send the
/// next request as HTTP/1.0.
pub(super) fn check_response_framing(head: &mut Parts, method: &Method) -> Result<bool, HttpClientError> {
    let is_chunked = is_chunked(&head.headers, head.version)?;
    let length = content_length(&head.headers)?;
    if method == Method::CONNECT && head.status.is_success() {
        return Err(HttpClientError::Malformed("it opens a tunnel"));
    }
    let is_reusable = std::mem::replace(&mut head.version, Version::HTTP_11) == Version::HTTP_11;
    let reason = head.extensions.get::<ReasonPhrase>();
    if reason.is_some_and(|reason| reason.as_bytes().is_empty()) {
        head.extensions.remove::<ReasonPhrase>();
    }
    let Some(length) = length else {
        return Ok(is_reusable);
    };
    if is_chunked {
        head.headers.remove(CONTENT_LENGTH);
        return Ok(false);
    }
    // `5, 5` and `05` become `5`.
    head.headers.insert(CONTENT_LENGTH, length.into());
    Ok(is_reusable)
}

fn is_chunked(headers: &HeaderMap, version: Version) -> Result<bool, HttpClientError> {
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    match at_most_one(headers, TRANSFER_ENCODING) {
        Ok(None) => Ok(false),
        Ok(Some(coding)) if version == Version::HTTP_11 && is_chunked(coding) => Ok(true),
        _ => Err(HttpClientError::Malformed("its transfer coding is not known")),
    }
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, HttpClientError> {
    const NOT_A_NUMBER: HttpClientError = HttpClientError::Malformed("its length is no number");
    let mut length = None;
    let mut fields = headers.get_all(CONTENT_LENGTH).iter();
    if fields.any(|value| value.to_str().is_err()) {
        return Err(NOT_A_NUMBER);
    }
    for part in list_values(headers, &CONTENT_LENGTH) {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.parse().ok().filter(|_| digits).ok_or(NOT_A_NUMBER)?;
        if length.replace(number).is_some_and(|before: u64| before != number) {
            return Err(HttpClientError::Malformed("it has two lengths"));
        }
    }
    Ok(length)
}

/// A response body that returns its connection to the pool when it was read to its end. Dropped earlier, or cut off, it
/// closes the connection.
pub(super) struct PooledBody {
    body: Incoming,
    connection: Option<OpenConnection>,
    /// `None`: the connection is not used again.
    pool: Option<Pool>,
    /// Among the requests in progress.
    _place: Option<OwnedSemaphorePermit>,
}

impl PooledBody {
    pub(super) fn boxed(
        body: Incoming,
        connection: OpenConnection,
        pool: Option<Pool>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Body {
        let mut body = Self {
            body,
            connection: Some(connection),
            pool,
            _place: place,
        };
        if body.body.is_end_stream() {
            body.release();
            return Body::empty();
        }
        Body::new(body)
    }

    fn release(&mut self) {
        if let (Some(connection), Some(pool)) = (self.connection.take(), self.pool.take()) {
            pool.put(connection);
        }
    }
}

impl http_body::Body for PooledBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Err(_)) => self.connection = None,
            Some(Ok(frame)) if frame.is_data() && !self.body.is_end_stream() => {}
            _ => self.release(),
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

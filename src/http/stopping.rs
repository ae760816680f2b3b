//! Responses of a server that stops: HTTP/1 connections close after them, and event streams end
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, Version};
use http_body::{Body as HttpBody, Frame};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Announces that a connection will be closed, if the server stops (RFC 9112, section 9.6), and lets an event stream end when it
/// does: its client connects again.
pub(super) fn until_stopped(
    mut response: Response<Body>,
    version: Version,
    stop: &CancellationToken,
) -> Response<Body> {
    if version < Version::HTTP_2 && stop.is_cancelled() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().entry(CONNECTION).or_insert(close);
    }
    let media_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_event_stream = media_type
        .and_then(|value| value.get(..EVENT_STREAM.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM));
    if !is_event_stream {
        return response;
    }
    let stopped = Box::pin(stop.clone().cancelled_owned());
    response.map(|body| Body::new(EventStream { body, stopped }))
}

struct EventStream {
    body: Body,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl HttpBody for EventStream {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.stopped.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }
}

const EVENT_STREAM: &[u8] = b"text/event-stream";

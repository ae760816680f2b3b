//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): responses that do not end by themselves.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http::Response;
use http::header::CONTENT_TYPE;
use http_body::{Body as HttpBody, Frame};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Lets an event stream end when the server stops: its client connects again. Other responses remain as they are.
pub(super) fn until_stopped(response: Response<Body>, stop: &CancellationToken) -> Response<Body> {
    let media_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(http::HeaderValue::as_bytes);
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

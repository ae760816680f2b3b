//! The body of a request on its way to a server.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::{Instant, Timeout, timeout};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::HttpClientError;

/// A body that records its progress, so that an upload is not mistaken for a server that does not answer.
///
/// Trailer fields (RFC 9110, section 6.5) are dropped: identity headers among them would reach the application unchecked.
#[derive(Debug)]
pub struct RequestBody {
    body: Body,
    progress: Progress,
    /// Ends when the server asks for the body, or does not answer; `None`: it has.
    expected: Option<Pin<Box<Timeout<WaitForCancellationFutureOwned>>>>,
}

/// Whose turn it is to send, and whether the request has a body.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<Mutex<Turn>>, bool);

#[derive(Clone, Copy, Debug)]
enum Turn {
    /// The server's, since this time.
    Server(Instant),
    /// The client's, since this time: more of the body has to arrive first.
    Client(Instant),
}

impl RequestBody {
    pub(super) fn new(body: Body) -> (Self, Progress) {
        let turn = Arc::new(Mutex::new(Turn::Server(Instant::now())));
        let progress = Progress(turn, !body.is_end_stream());
        let clone = progress.clone();
        let body = Self {
            body,
            progress,
            expected: None,
        };
        (body, clone)
    }

    /// Sends nothing until the server asks for the body: until `asked` is cancelled. It may not know that it should, so a client
    /// does not wait for long (RFC 9110, section 10.1.1).
    pub(super) fn wait_until(&mut self, asked: CancellationToken) {
        self.expected = Some(Box::pin(timeout(CONTINUE_TIMEOUT, asked.cancelled_owned())));
    }

    /// Whether there is no body at all.
    pub(super) fn is_empty(&self) -> bool {
        self.body.is_end_stream()
    }

    /// Whether only chunks can frame the body (RFC 9112, section 7.1).
    pub(super) fn is_of_unknown_length(&self) -> bool {
        !self.body.is_end_stream() && self.body.size_hint().exact().is_none()
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(expected) = &mut self.expected {
            // The client is not asked for the body either.
            let _ = ready!(expected.as_mut().poll(cx));
            self.expected = None;
        }
        let frame = Pin::new(&mut self.body)
            .poll_frame(cx)
            .map(|frame| frame.filter(|frame| !frame.as_ref().is_ok_and(Frame::is_trailers)));
        match &frame {
            Poll::Pending => self.progress.wait_for_client(),
            Poll::Ready(_) => self.progress.restart(),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Progress {
    /// The server's time begins again: it has received something, or has sent an interim response.
    pub(super) fn restart(&self) {
        *self.0.lock() = Turn::Server(Instant::now());
    }

    fn wait_for_client(&self) {
        let mut turn = self.0.lock();
        if let Turn::Server(_) = *turn {
            *turn = Turn::Client(Instant::now());
        }
    }

    /// Whether the request has a body.
    pub(super) fn has_body(&self) -> bool {
        self.1
    }

    /// Runs a future until the server was idle for `response_timeout`, or the body stood still for `upload_timeout`.
    pub(super) async fn limit<F: Future>(
        &self,
        response_timeout: Duration,
        upload_timeout: Duration,
        future: F,
    ) -> Result<F::Output, HttpClientError> {
        let stalled = async {
            loop {
                let turn = *self.0.lock();
                let (deadline, error) = match turn {
                    Turn::Server(since) => (
                        since + response_timeout,
                        HttpClientError::Timeout(response_timeout),
                    ),
                    Turn::Client(since) => (since + upload_timeout, HttpClientError::SlowRequestBody),
                };
                if deadline <= Instant::now() {
                    return error;
                }
                // A shorter limit may apply by then.
                tokio::time::sleep_until(deadline.min(Instant::now() + response_timeout.min(upload_timeout)))
                    .await;
            }
        };
        tokio::select! {
            output = future => Ok(output),
            error = stalled => Err(error),
        }
    }
}

/// How long a server may take to ask for a body, as curl waits.
const CONTINUE_TIMEOUT: Duration = Duration::from_secs(1);

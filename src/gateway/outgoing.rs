//! The body of a request on its way to the application.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// A body that tells how far it has come, so that an upload is not mistaken for an application that does not answer.
///
/// Trailer fields (RFC 9110, section 6.5) of a request go no further: nobody has looked whether they say who calls.
#[derive(Debug)]
pub(super) struct Outgoing {
    body: Body,
    progress: Progress,
}

/// When a request last made progress.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<Mutex<Instant>>);

impl Outgoing {
    pub(super) fn new(body: Body) -> (Self, Progress) {
        let progress = Progress(Arc::new(Mutex::new(Instant::now())));
        let outgoing = Self {
            body,
            progress: progress.clone(),
        };
        (outgoing, progress)
    }

    /// Whether only chunks can tell where the body ends.
    pub(super) fn is_of_unknown_length(&self) -> bool {
        use http_body::Body as _;
        !self.body.is_end_stream() && self.body.size_hint().exact().is_none()
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.progress.note();
        Poll::Ready(frame.filter(|frame| !frame.as_ref().is_ok_and(Frame::is_trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Progress {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Comes back when nothing has moved for so long.
    pub(super) async fn stalled(&self, limit: Duration) {
        loop {
            let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner) + limit;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

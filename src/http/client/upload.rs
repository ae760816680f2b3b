//! The body of a request on its way to a server.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

/// A body that records its progress, so that an upload is not mistaken for a server that does not answer.
///
/// Trailer fields (RFC 9110, section 6.5) are dropped: identity headers among them would reach the application unchecked.
#[derive(Debug)]
pub struct RequestBody {
    body: Body,
    progress: Progress,
}

/// How far a body has come; `None` for a request without a body.
#[derive(Clone, Debug)]
pub(super) struct Progress(Option<Arc<Mutex<Turn>>>);

#[derive(Clone, Copy, Debug)]
enum Turn {
    /// The server's, since this time.
    Server(Instant),
    /// The client's: more of the body has to arrive first.
    Client,
    /// The server's, since this time, with the whole body.
    Complete(Instant),
}

impl RequestBody {
    pub(super) fn new(body: Body) -> (Self, Progress) {
        let progress = (!body.is_end_stream()).then(|| Arc::new(Mutex::new(Turn::Server(Instant::now()))));
        let progress = Progress(progress);
        let clone = progress.clone();
        (Self { body, progress }, clone)
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
        let frame = Pin::new(&mut self.body)
            .poll_frame(cx)
            .map(|frame| frame.filter(|frame| !frame.as_ref().is_ok_and(Frame::is_trailers)));
        self.progress.set(match &frame {
            Poll::Pending => Turn::Client,
            Poll::Ready(Some(_)) if !self.body.is_end_stream() => Turn::Server(Instant::now()),
            Poll::Ready(_) => Turn::Complete(Instant::now()),
        });
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
    fn set(&self, turn: Turn) {
        if let Some(progress) = &self.0 {
            *progress.lock().unwrap_or_else(PoisonError::into_inner) = turn;
        }
    }

    /// Whether the server has been given the whole body.
    pub(super) fn is_complete(&self) -> bool {
        self.0.as_ref().is_none_or(|turn| {
            let turn = *turn.lock().unwrap_or_else(PoisonError::into_inner);
            matches!(turn, Turn::Complete(_))
        })
    }

    /// Runs a future until the server was idle for `limit`; `None`: it was.
    pub(super) async fn limit<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        match &self.0 {
            None => tokio::time::timeout(limit, future).await.ok(),
            Some(progress) => tokio::select! {
                output = future => Some(output),
                () = stalled(progress, limit) => None,
            },
        }
    }
}

async fn stalled(progress: &Mutex<Turn>, limit: Duration) {
    loop {
        let turn = *progress.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = match turn {
            Turn::Server(since) | Turn::Complete(since) => since + limit,
            Turn::Client => Instant::now() + limit,
        };
        if deadline <= Instant::now() {
            return;
        }
        tokio::time::sleep_until(deadline).await;
    }
}

//! The body of a request on its way to another side.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// A body that tells how far it has come, so that an upload is not mistaken for another side that does not answer.
///
/// Trailer fields (RFC 9110, section 6.5) of a request go no further: nobody has looked whether they say who calls.
#[derive(Debug)]
pub(super) struct Outgoing {
    body: Body,
    progress: Progress,
}

/// How far a request has come.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<Mutex<Moment>>);

#[derive(Clone, Copy, Debug)]
enum Moment {
    /// We last moved at this time, and it is the other side's turn.
    Moved(Instant),
    /// The client has to send more of its body.
    AwaitingClient,
}

impl Outgoing {
    pub(super) fn new(body: Body) -> (Self, Progress) {
        let progress = Progress(Arc::new(Mutex::new(Moment::Moved(Instant::now()))));
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
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            self.progress.note(Moment::AwaitingClient);
            return Poll::Pending;
        };
        self.progress.note(Moment::Moved(Instant::now()));
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
    fn note(&self, moment: Moment) {
        *self.lock() = moment;
    }

    /// Comes back when the other side has done nothing for so long. A client that is slow to send is no such case.
    pub(super) async fn stalled(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            let moment = *self.lock();
            match moment {
                Moment::Moved(at) if at + limit <= now => return,
                Moment::Moved(at) => tokio::time::sleep_until(at + limit).await,
                Moment::AwaitingClient => tokio::time::sleep(limit).await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Moment> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Responses over HTTP/2 that a client does not read. Its connection may move meanwhile, so that no write to it ever waits.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

/// Drops the body, and what it holds, when the client reads nothing of it for `limit`.
pub(super) fn limit(response: Response<Body>, limit: Duration) -> Response<Body> {
    response.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        let state = Arc::new(Mutex::new(State {
            body: Some(body),
            unread_since: None,
        }));
        let watch = AbortOnDropHandle::new(tokio::spawn(watch(Arc::downgrade(&state), limit)));
        Body::new(LimitedBody { state, _watch: watch })
    })
}

struct LimitedBody {
    state: Arc<Mutex<State>>,
    _watch: AbortOnDropHandle<()>,
}

struct State {
    /// `None`: it was dropped.
    body: Option<Body>,
    /// When hyper took the last bytes. `None`: it waits for further ones.
    unread_since: Option<Instant>,
}

async fn watch(state: Weak<Mutex<State>>, limit: Duration) {
    loop {
        let Some(unread_since) = state.upgrade().map(|state| state.lock().unread_since) else {
            return;
        };
        let now = Instant::now();
        let deadline = unread_since.unwrap_or(now) + limit;
        if deadline <= now {
            let unread = state.upgrade().and_then(|state| state.lock().body.take());
            drop(unread);
            return;
        }
        sleep_until(deadline).await;
    }
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut state = self.state.lock();
        let Some(body) = &mut state.body else {
            return Poll::Ready(Some(Err(axum::Error::new("the client did not read"))));
        };
        let frame = Pin::new(body).poll_frame(cx);
        state.unread_since = frame.is_ready().then(Instant::now);
        frame
    }

    fn is_end_stream(&self) -> bool {
        let state = self.state.lock();
        state.body.as_ref().is_some_and(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.state.lock();
        let body = state.body.as_ref();
        body.map_or_else(SizeHint::new, HttpBody::size_hint)
    }
}

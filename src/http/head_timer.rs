//! The time for heads of requests. hyper has one limit for a head and for the time until it begins.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;
use tokio::io::AsyncRead;
use tokio::time::{self, sleep_until};
use tokio_util::io::InspectReader;

/// hyper's timer for one connection: a head that has begun, and the first one in any case, has `limit` at most.
pub(super) struct HeadTimer {
    limit: Duration,
    reads: Arc<AtomicUsize>,
}

impl HeadTimer {
    /// A timer, and the stream on which it observes what is received.
    pub(super) fn observe<I: AsyncRead>(
        stream: I,
        limit: Duration,
    ) -> (InspectReader<I, impl FnMut(&[u8])>, Self) {
        let reads = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reads);
        let stream = InspectReader::new(stream, move |bytes: &[u8]| {
            count.fetch_add(usize::from(!bytes.is_empty()), Ordering::Relaxed);
        });
        (stream, Self { limit, reads })
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let before = self.reads.load(Ordering::Relaxed);
        if before == 0 {
            return self.sleep(self.limit);
        }
        Box::pin(HeadSleep {
            sleep: Box::pin(sleep_until(deadline.into())),
            before,
            limit: Some(self.limit),
            reads: Arc::clone(&self.reads),
        })
    }
}

/// The wait for one head. hyper polls it after each read that does not complete the head.
struct HeadSleep {
    sleep: Pin<Box<time::Sleep>>,
    /// The reads before it.
    before: usize,
    /// `None`: it applies already.
    limit: Option<Duration>,
    reads: Arc<AtomicUsize>,
}

impl Sleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.reads.load(Ordering::Relaxed) != self.before
            && let Some(limit) = self.limit.take()
        {
            self.sleep.as_mut().reset(time::Instant::now() + limit);
        }
        self.sleep.as_mut().poll(cx)
    }
}

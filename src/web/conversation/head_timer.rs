//! The time in which a request's head must arrive, as hyper asks for it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

use crate::patience::Patience;

/// A timer of one connection. hyper asks for a new sleep with each request and drops it when the head is there: all of
/// them share what is set up once.
#[derive(Clone, Debug, Default)]
pub(super) struct HeadTimer {
    patience: Arc<Mutex<Patience>>,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait {
            timer: self.clone(),
            until: deadline.into(),
        })
    }
}

/// One sleep.
struct Wait {
    timer: HeadTimer,
    until: tokio::time::Instant,
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.timer.patience.lock();
        let mut patience = patience.unwrap_or_else(PoisonError::into_inner);
        patience.poll(cx, self.until)
    }
}

impl Sleep for Wait {}

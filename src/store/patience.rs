//! How long we wait for others.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is set once and serves many waits, because nearly none of them lasts until it goes off: it is moved to a
/// later time only when an earlier one has come.
#[derive(Debug, Default)]
pub(super) struct Patience {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// Ready when it is later than `until`. Whoever gives up waiting need not say so.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if until < sleep.deadline() {
            sleep.as_mut().reset(until);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if until <= Instant::now() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_does_not_end_before_it_should_however_often_it_is_moved() {
        let (start, mut patience) = (Instant::now(), Patience::default());
        let moment = Duration::from_millis(10);
        // A wait that is given up for a later one, and that for an earlier one.
        for until in [start + 500 * moment, start + 900 * moment] {
            let early = poll_fn(|cx| Poll::Ready(patience.poll(cx, until))).await;
            assert!(early.is_pending());
        }
        for ends in [7, 8, 8, 20] {
            let until = start + ends * moment;
            poll_fn(|cx| patience.poll(cx, until)).await;
            assert!(until <= Instant::now() && Instant::now() < start + 500 * moment);
        }
    }
}

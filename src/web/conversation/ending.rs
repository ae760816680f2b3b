//! How all conversations are told to come to their end.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Tells conversations to come to their end: no further request after the one under way.
#[derive(Clone, Debug, Default)]
pub(in crate::web) struct Ending {
    /// Looked at with each step of each conversation, which a lock would slow down.
    told: Arc<AtomicBool>,
    token: CancellationToken,
}

/// A conversation's ear for it. It wakes the task that it was first polled in.
pub(super) struct Ear {
    ending: Ending,
    told: Pin<Box<WaitForCancellationFutureOwned>>,
    listens: bool,
}

impl Ending {
    /// Tells all of them.
    pub(in crate::web) fn tell(&self) {
        self.told.store(true, Ordering::Release);
        self.token.cancel();
    }

    /// An ear for one of them.
    pub(super) fn ear(&self) -> Ear {
        Ear {
            told: Box::pin(self.token.clone().cancelled_owned()),
            ending: self.clone(),
            listens: false,
        }
    }
}

impl Ear {
    /// Whether it was told.
    pub(super) fn is_told(&self) -> bool {
        self.ending.told.load(Ordering::Acquire)
    }

    /// The same, and otherwise to be woken then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        self.is_told() || (!mem::replace(&mut self.listens, true) && self.told.as_mut().poll(cx).is_ready())
    }
}

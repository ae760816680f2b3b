//! Nonces that are written together: those of the requests that are ready at the same time.
//!
//! Whoever has a nonce puts it down, and lets others who are ready do the same, once. Whoever comes back first writes what
//! is there, and the others find their answers. So nobody waits to be woken, nobody waits for somebody who went away, and
//! where requests come one by one, each writes its own at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::task::yield_now;

use super::nonces::NonceKey;

/// The batches that gather: one for each thread, because what runs on one is ready together. More threads than batches
/// share them.
#[derive(Debug)]
pub(super) struct Batches<A>([Own<A>; MOST_BATCHES]);

/// A thread's own, in a place of the memory where others do not disturb it.
#[derive(Debug)]
#[repr(align(64))]
struct Own<A>(Mutex<Gathering<A>>);

/// The batch that nobody has begun to write.
#[derive(Debug)]
struct Gathering<A> {
    keys: Vec<NonceKey>,
    batch: Arc<Batch<A>>,
    /// How many nonces in a row have been written without company.
    alone: usize,
}

/// The answers to a batch's nonces, in their order, as soon as they are written.
type Batch<A> = OnceLock<Vec<A>>;

/// A place in a batch.
struct Joined<A> {
    batch: Arc<Batch<A>>,
    place: usize,
    /// As a rule, where there was nobody else a moment ago, there is nobody now, and to look costs more than to write.
    expects_company: bool,
}

impl<A: Clone + Send + Sync> Batches<A> {
    /// Nothing has come yet.
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Own::default()))
    }

    /// Writes a nonce together with those that are ready at the same time, and says what was answered to it.
    ///
    /// `write` answers to each nonce, in their order. A nonce whose request went away meanwhile is written too, as soon as
    /// there is another. `None`: whoever wrote has panicked, and nobody knows.
    pub(super) async fn write(
        &self,
        key: NonceKey,
        write: impl FnOnce(Vec<NonceKey>) -> Vec<A>,
    ) -> Option<A> {
        let own = &self.0[THREAD.with(|number| number % MOST_BATCHES)];
        let Joined {
            batch,
            place,
            expects_company,
        } = own.join(key);
        if expects_company {
            yield_now().await;
        }
        let answers = batch.get_or_init(|| own.take(&batch).map_or_else(Vec::new, write));
        answers.get(place).cloned()
    }
}

impl<A> Own<A> {
    /// Puts a nonce into the batch that gathers.
    fn join(&self, key: NonceKey) -> Joined<A> {
        let mut gathering = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = gathering.keys.len();
        gathering.keys.push(key);
        gathering.alone = if place == 0 { gathering.alone + 1 } else { 0 };
        Joined {
            batch: Arc::clone(&gathering.batch),
            place,
            expects_company: gathering.alone <= HOPE || gathering.alone.is_multiple_of(LOOK),
        }
    }

    /// The nonces of a batch, which nobody can join any more.
    fn take(&self, batch: &Arc<Batch<A>>) -> Option<Vec<NonceKey>> {
        let mut gathering = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&gathering.batch, batch) {
            return None;
        }
        gathering.batch = Arc::default();
        let room = Vec::with_capacity(gathering.keys.len());
        Some(std::mem::replace(&mut gathering.keys, room))
    }
}

impl<A> Default for Own<A> {
    fn default() -> Self {
        Self(Mutex::new(Gathering {
            keys: Vec::new(),
            batch: Arc::default(),
            alone: 0,
        }))
    }
}

thread_local! {
    /// The number of this thread among those that have written a nonce.
    static THREAD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// How many threads have a batch of their own.
const MOST_BATCHES: usize = 16;

/// After so many nonces in a row that were alone, we do not look for company each time.
const HOPE: usize = 4;

/// How often we look all the same: once in so many nonces.
const LOOK: usize = 32;

#[cfg(test)]
mod tests;

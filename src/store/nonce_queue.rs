//! Where requests queue for the task that writes nonces: they join the batch that gathers, and wait for its answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, SetOnce};

use super::StoreError;
use super::nonces::NonceKey;

/// Stands between those who ask and the one who writes.
///
/// Whoever has joined is written, also when its request goes away: a nonce is spent by whoever showed it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    gathering: Mutex<Gathering>,
    /// There is something to take.
    some: Notify,
    ended: SetOnce<()>,
}

/// The batch that is not taken yet.
#[derive(Debug, Default)]
struct Gathering {
    batch: Batch,
    closed: bool,
}

/// Nonces in the order in which they came, and the answer that all of them wait for.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The nonces.
    pub(super) keys: Vec<NonceKey>,
    answer: Arc<SetOnce<Answer>>,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Answer {
    /// All nonces are written, and all were new.
    AllNew,
    /// They are written; which of them were new, in their order.
    New(Vec<bool>),
    /// Nobody knows.
    Failed(Arc<StoreError>),
    /// The writer went away.
    Closed,
}

impl Queue {
    /// Lets a nonce be written with others, and says whether it was new.
    ///
    /// When too many wait, that is an error at once: the database does not keep up.
    pub(super) async fn remember(&self, key: NonceKey) -> Result<bool, StoreError> {
        let (answer, place) = self.join(key)?;
        match answer.wait().await {
            Answer::AllNew => Ok(true),
            Answer::New(new) => Ok(new[place]),
            Answer::Failed(error) => Err(StoreError::Nonces(Arc::clone(error))),
            Answer::Closed => Err(StoreError::Closed),
        }
    }

    fn join(&self, key: NonceKey) -> Result<(Arc<SetOnce<Answer>>, usize), StoreError> {
        let mut gathering = self.lock();
        if gathering.closed {
            return Err(StoreError::Closed);
        }
        let batch = &mut gathering.batch;
        let place = batch.keys.len();
        if place == MOST {
            return Err(StoreError::Overloaded);
        }
        batch.keys.push(key);
        let answer = Arc::clone(&batch.answer);
        drop(gathering);
        if place == 0 {
            self.some.notify_one();
        }
        Ok((answer, place))
    }

    /// Lets nobody join any more. What has gathered is the last batch.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.some.notify_one();
    }

    /// Waits until the last batch is answered, once the queue is closed.
    pub(super) async fn end(&self) {
        self.ended.wait().await;
    }

    /// The side of the one who writes. When it is given up, nobody waits for it in vain.
    pub(super) fn taking(self: &Arc<Self>) -> Taking {
        Taking(Arc::clone(self))
    }

    fn lock(&self) -> MutexGuard<'_, Gathering> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side of the one who writes: see [`Queue::taking`].
#[derive(Debug)]
pub(super) struct Taking(Arc<Queue>);

impl Taking {
    /// Waits until somebody has joined, or the queue is closed.
    pub(super) async fn some(&self) {
        self.0.some.notified().await;
    }

    /// What has gathered, and whether it is the last batch.
    pub(super) fn batch(&self) -> (Batch, bool) {
        let mut gathering = self.0.lock();
        let keys = Vec::with_capacity(gathering.batch.keys.len());
        let next = Batch {
            keys,
            answer: Arc::default(),
        };
        (std::mem::replace(&mut gathering.batch, next), gathering.closed)
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        drop(self.batch());
        // It is set nowhere else.
        let _ = self.0.ended.set(());
    }
}

impl Batch {
    /// Answers all who wait.
    pub(super) fn answer(self, answer: Answer) {
        // It is set here, or when the batch is dropped.
        let _ = self.answer.set(answer);
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if !self.answer.initialized() {
            let _ = self.answer.set(Answer::Closed);
        }
    }
}

/// How many may wait. At ten thousand a second, this is less than a second's worth.
const MOST: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: i64) -> NonceKey {
        (n, [0; 16])
    }

    #[tokio::test]
    async fn a_batch_is_answered_in_the_order_in_which_it_came() {
        let queue = Arc::new(Queue::default());
        let taking = queue.taking();
        let write = async {
            taking.some().await;
            let (batch, is_last) = taking.batch();
            assert_eq!((&batch.keys[..], is_last), (&[key(1), key(2), key(3)][..], false));
            batch.answer(Answer::New(vec![true, false, true]));
            taking.some().await;
            taking.batch().0.answer(Answer::AllNew);
        };
        let again = async {
            assert!(!queue.remember(key(2)).await.unwrap());
            queue.remember(key(4)).await.unwrap()
        };
        let (one, two, three, ()) =
            tokio::join!(queue.remember(key(1)), again, queue.remember(key(3)), write);
        assert!(one.unwrap() && two && three.unwrap());
    }

    #[tokio::test]
    async fn an_error_is_everybodys() {
        let queue = Arc::new(Queue::default());
        let taking = queue.taking();
        let write = async {
            taking.some().await;
            let error = StoreError::TimedOut { seconds: 1 };
            taking.batch().0.answer(Answer::Failed(Arc::new(error)));
        };
        let (one, two, ()) = tokio::join!(queue.remember(key(1)), queue.remember(key(2)), write);
        for failed in [one, two] {
            assert!(matches!(failed, Err(StoreError::Nonces(_))), "{failed:?}");
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_writer_who_went_away() {
        let queue = Arc::new(Queue::default());
        let taking = queue.taking();
        let gone = async {
            taking.some().await;
            let (batch, _) = taking.batch();
            // Of two who wait, one is in this batch, the other in the next.
            tokio::task::yield_now().await;
            drop(batch);
            drop(taking);
        };
        let next = async {
            tokio::task::yield_now().await;
            queue.remember(key(2)).await
        };
        let (one, two, (), ()) = tokio::join!(queue.remember(key(1)), next, gone, queue.end());
        for closed in [one, two, queue.remember(key(3)).await] {
            assert!(matches!(closed, Err(StoreError::Closed)), "{closed:?}");
        }
    }

    #[tokio::test]
    async fn what_has_gathered_when_it_closes_is_the_last_batch() {
        let queue = Arc::new(Queue::default());
        let taking = queue.taking();
        let write = async {
            taking.some().await;
            queue.close();
            assert!(matches!(queue.remember(key(2)).await, Err(StoreError::Closed)));
            let (batch, is_last) = taking.batch();
            assert!(is_last && batch.keys.len() == 1);
            batch.answer(Answer::AllNew);
            drop(taking);
        };
        let (one, (), ()) = tokio::join!(queue.remember(key(1)), write, queue.end());
        assert!(one.unwrap());
    }

    #[tokio::test]
    async fn who_goes_away_is_written_and_blocks_nobody() {
        let queue = Arc::new(Queue::default());
        let taking = queue.taking();
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, queue.remember(key(1))).await;
        assert!(given_up.is_err());
        let write = async {
            taking.some().await;
            let (batch, _) = taking.batch();
            assert_eq!(batch.keys, [key(1), key(2)]);
            batch.answer(Answer::New(vec![true, false]));
        };
        let (one, ()) = tokio::join!(queue.remember(key(2)), write);
        assert!(!one.unwrap());
    }
}

//! Where requests queue for the task that writes nonces: they join the batch that gathers, and wait for its answer.
//!
//! To wake a task of another thread costs a call of the operating system, and that other thread its sleep. So one task for
//! each thread hears of a batch's answer, and tells those that wait on its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use tokio::sync::{Notify, SetOnce};

use super::StoreError;
use super::nonce_rows::Fate;
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
    /// Somebody takes what gathers.
    taken: bool,
    closed: bool,
}

/// Nonces in the order in which they came, and the answer that all of them wait for.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The nonces.
    pub(super) keys: Vec<NonceKey>,
    answer: Arc<SetOnce<Answer>>,
    shares: Vec<(ThreadId, Arc<Share>)>,
}

/// Those of a batch whose requests are on one thread.
#[derive(Debug)]
struct Share {
    answer: Arc<SetOnce<Answer>>,
    told: SetOnce<()>,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Answer {
    /// What became of each nonce, in their order.
    Written(Vec<Fate>),
    /// Nobody knows.
    Failed(Arc<StoreError>),
    /// The writer went away.
    Closed,
}

/// A place in a batch.
struct Joined {
    share: Arc<Share>,
    place: usize,
}

impl Queue {
    /// Lets a nonce be written with others, and says whether it was new. `write` begins to take what gathers: it is called
    /// when nobody does.
    ///
    /// When too many wait, that is an error at once: the database does not keep up.
    pub(super) async fn remember(
        self: &Arc<Self>,
        key: NonceKey,
        write: impl FnOnce(Taking),
    ) -> Result<bool, StoreError> {
        let Joined { share, place } = self.join(key, write)?;
        share.told.wait().await;
        match share.answer.get() {
            Some(Answer::Written(fates)) => match fates[place] {
                Fate::New => Ok(true),
                Fate::Seen => Ok(false),
                Fate::Forgotten => Err(StoreError::Forgotten),
            },
            Some(Answer::Failed(error)) => Err(StoreError::Nonces(Arc::clone(error))),
            Some(Answer::Closed) | None => Err(StoreError::Closed),
        }
    }

    fn join(self: &Arc<Self>, key: NonceKey, write: impl FnOnce(Taking)) -> Result<Joined, StoreError> {
        let mut gathering = self.lock();
        if gathering.closed {
            return Err(StoreError::Closed);
        }
        let place = gathering.batch.keys.len();
        if place == MOST {
            return Err(StoreError::Overloaded);
        }
        let share = gathering.batch.share();
        gathering.batch.keys.push(key);
        let is_taken = std::mem::replace(&mut gathering.taken, true);
        drop(gathering);
        if place == 0 {
            self.some.notify_one();
        }
        if !is_taken {
            write(Taking(Arc::clone(self)));
        }
        Ok(Joined { share, place })
    }

    /// Lets nobody join any more. What has gathered is the last batch.
    pub(super) fn close(&self) {
        let is_taken = {
            let mut gathering = self.lock();
            gathering.closed = true;
            gathering.taken
        };
        self.some.notify_one();
        if !is_taken {
            self.end_now();
        }
    }

    /// Waits until the last batch is answered, once the queue is closed.
    pub(super) async fn end(&self) {
        self.ended.wait().await;
    }

    fn end_now(&self) {
        // However often it is closed, it ends once.
        let _ = self.ended.set(());
    }

    fn lock(&self) -> MutexGuard<'_, Gathering> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side of the one who writes. When it is given up, nobody waits for it in vain, and whoever comes next finds another.
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
        let batch = std::mem::take(&mut gathering.batch);
        gathering.batch.keys.reserve(batch.keys.len());
        (batch, gathering.closed)
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        let (batch, is_closed) = {
            let mut gathering = self.0.lock();
            gathering.taken = false;
            (std::mem::take(&mut gathering.batch), gathering.closed)
        };
        drop(batch);
        if is_closed {
            self.0.end_now();
        }
    }
}

impl Batch {
    /// The share of this thread, which runs one runtime. Its first one begins to listen.
    fn share(&mut self) -> Arc<Share> {
        let here = thread::current().id();
        if let Some((_, share)) = self.shares.iter().find(|(thread, _)| *thread == here) {
            return Arc::clone(share);
        }
        let share = Arc::new(Share {
            answer: Arc::clone(&self.answer),
            told: SetOnce::new(),
        });
        self.shares.push((here, Arc::clone(&share)));
        tokio::spawn(tell(Arc::clone(&share)));
        share
    }

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

async fn tell(share: Arc<Share>) {
    share.answer.wait().await;
    // It is set nowhere else.
    let _ = share.told.set(());
}

/// How many may wait. At ten thousand a second, this is less than a second's worth.
const MOST: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    impl Queue {
        /// Takes what gathers, as the task does that is begun for the first nonce.
        fn taking(self: &Arc<Self>) -> Taking {
            self.lock().taken = true;
            Taking(Arc::clone(self))
        }

        async fn ask(self: &Arc<Self>, key: NonceKey) -> Result<bool, StoreError> {
            self.remember(key, |_| panic!("somebody takes what gathers"))
                .await
        }
    }

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
            batch.answer(Answer::Written(vec![Fate::New, Fate::Seen, Fate::New]));
            taking.some().await;
            taking.batch().0.answer(Answer::Written(vec![Fate::New]));
        };
        let again = async {
            assert!(!queue.ask(key(2)).await.unwrap());
            queue.ask(key(4)).await.unwrap()
        };
        let (one, two, three, ()) = tokio::join!(queue.ask(key(1)), again, queue.ask(key(3)), write);
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
        let (one, two, ()) = tokio::join!(queue.ask(key(1)), queue.ask(key(2)), write);
        for failed in [one, two] {
            assert!(matches!(failed, Err(StoreError::Nonces(_))), "{failed:?}");
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_writer_who_went_away_and_the_next_one_begins_another() {
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
            queue.ask(key(2)).await
        };
        let (one, two, ()) = tokio::join!(queue.ask(key(1)), next, gone);
        for closed in [one, two] {
            assert!(matches!(closed, Err(StoreError::Closed)), "{closed:?}");
        }
        let mut begun = None;
        let three = queue.remember(key(3), |taking| begun = Some(tokio::spawn(forget(taking))));
        assert!(matches!(three.await, Err(StoreError::Forgotten)));
        begun.unwrap().await.unwrap();
        // Nobody writes, so there is nothing to wait for.
        queue.close();
        queue.end().await;
        assert!(matches!(queue.ask(key(4)).await, Err(StoreError::Closed)));
    }

    async fn forget(taking: Taking) {
        taking.some().await;
        taking.batch().0.answer(Answer::Written(vec![Fate::Forgotten]));
    }

    #[test]
    fn each_thread_hears_of_the_answer_once_and_tells_all_of_its_own() {
        let queue = Arc::new(Queue::default());
        let taking = queue.taking();
        let thread = || {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async { tokio::join!(queue.ask(key(1)), queue.ask(key(2))) })
            })
        };
        let threads = [thread(), thread()];
        while queue.lock().batch.keys.len() < 4 {
            thread::yield_now();
        }
        let (batch, _) = taking.batch();
        assert_eq!(batch.shares.len(), 2);
        batch.answer(Answer::Written(vec![
            Fate::Seen,
            Fate::Seen,
            Fate::New,
            Fate::Seen,
        ]));
        let told: Vec<bool> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .flat_map(|(one, two)| [one.unwrap(), two.unwrap()])
            .collect();
        assert_eq!(told.iter().filter(|&&new| new).count(), 1);
    }

    #[tokio::test]
    async fn what_has_gathered_when_it_closes_is_the_last_batch() {
        let queue = Arc::new(Queue::default());
        let taking = queue.taking();
        let write = async {
            taking.some().await;
            queue.close();
            assert!(matches!(queue.ask(key(2)).await, Err(StoreError::Closed)));
            let (batch, is_last) = taking.batch();
            assert!(is_last && batch.keys.len() == 1);
            batch.answer(Answer::Written(vec![Fate::New]));
            drop(taking);
        };
        let (one, (), ()) = tokio::join!(queue.ask(key(1)), write, queue.end());
        assert!(one.unwrap());
    }

    #[tokio::test]
    async fn who_goes_away_is_written_and_blocks_nobody() {
        let queue = Arc::new(Queue::default());
        let taking = queue.taking();
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, queue.ask(key(1))).await;
        assert!(given_up.is_err());
        let write = async {
            taking.some().await;
            let (batch, _) = taking.batch();
            assert_eq!(batch.keys, [key(1), key(2)]);
            batch.answer(Answer::Written(vec![Fate::New, Fate::Seen]));
        };
        let (one, ()) = tokio::join!(queue.ask(key(2)), write);
        assert!(!one.unwrap());
    }
}

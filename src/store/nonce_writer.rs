//! The one task that writes nonces to PostgreSQL: whatever is queued, in one statement, with one commit.
//!
//! A commit costs the same for one nonce as for many, so while one is under way the next batch gathers by itself; nobody
//! waits for company. A batch that fails answers all its requests with the error: without a written nonce, no request
//! passes.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::StoreError;
use super::nonces::{NonceKey, insert};

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Job {
    /// Write a nonce and say whether it was new.
    Remember(NonceKey, oneshot::Sender<Result<bool, StoreError>>),
    /// Write what is queued, then end.
    Stop(oneshot::Sender<()>),
}

/// Starts the writer. It ends when [`stop`] is called, or when the last sender is gone.
pub(super) fn start(pool: PgPool) -> mpsc::Sender<Job> {
    let (sender, queue) = mpsc::channel(QUEUE);
    let writer = Writer {
        pool,
        connection: None,
    };
    tokio::spawn(writer.run(queue));
    sender
}

/// Asks the writer to write a nonce. A queue that is full is an error at once: the database does not keep up.
pub(super) async fn remember(queue: &mpsc::Sender<Job>, key: NonceKey) -> Result<bool, StoreError> {
    let (answer, answered) = oneshot::channel();
    queue
        .try_send(Job::Remember(key, answer))
        .map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Closed(_) => StoreError::Closed,
        })?;
    answered.await.unwrap_or(Err(StoreError::Closed))
}

/// Lets the writer write what is queued, and waits for its end.
pub(super) async fn stop(queue: &mpsc::Sender<Job>) {
    let (ended, end) = oneshot::channel();
    if queue.send(Job::Stop(ended)).await.is_ok() {
        // An error says that the writer is gone, which is what we wait for.
        let _ = end.await;
    }
}

struct Writer {
    pool: PgPool,
    /// A connection that nobody else uses.
    connection: Option<PgConnection>,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(BATCH);
        let mut stopping = Vec::new();
        while queue.recv_many(&mut jobs, BATCH).await > 0 {
            let mut waiting = Vec::with_capacity(jobs.len());
            for job in jobs.drain(..) {
                match job {
                    Job::Remember(key, answer) => waiting.push((key, answer)),
                    Job::Stop(ended) => {
                        queue.close();
                        stopping.push(ended);
                    }
                }
            }
            self.answer(waiting).await;
            // Whoever is ready gets into the next batch: it costs a commit, however many are in it.
            tokio::task::yield_now().await;
        }
        self.connection = None;
        for ended in stopping {
            // Whoever asked may have given up.
            let _ = ended.send(());
        }
    }

    /// Writes one batch.
    async fn answer(&mut self, waiting: Vec<(NonceKey, oneshot::Sender<Result<bool, StoreError>>)>) {
        let keys: Vec<NonceKey> = waiting.iter().map(|(key, _)| *key).collect();
        match self.write(&keys).await {
            Ok(new) => {
                for ((_, answer), new) in waiting.into_iter().zip(new) {
                    let _ = answer.send(Ok(new));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for (_, answer) in waiting {
                    let _ = answer.send(Err(StoreError::Nonces(Arc::clone(&error))));
                }
            }
        }
    }

    async fn write(&mut self, keys: &[NonceKey]) -> Result<Vec<bool>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let patience = Duration::from_secs(PATIENCE_SECONDS);
        let written = timeout(patience, self.insert(keys)).await;
        // `insert` put the connection back if it is good for another batch.
        written.unwrap_or(Err(StoreError::TimedOut {
            seconds: PATIENCE_SECONDS,
        }))
    }

    async fn insert(&mut self, keys: &[NonceKey]) -> Result<Vec<bool>, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.pool.acquire().await?.detach(),
        };
        let new = insert(&mut connection, keys).await?;
        self.connection = Some(connection);
        Ok(new)
    }
}

/// How many nonces one statement writes at most.
const BATCH: usize = 256;

/// How many may wait. At ten thousand a second, this is less than a second's worth.
const QUEUE: usize = 8192;

/// Longer than the pool's time-out: what takes longer is a database that went away without a word.
const PATIENCE_SECONDS: u64 = 10;

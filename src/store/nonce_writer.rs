//! The one task that writes nonces: whatever is queued, in one statement, with one commit.
//!
//! A commit costs the same for one nonce as for many, so while one is under way the next batch gathers by itself; nobody
//! waits for company. A batch that fails answers all its requests with the error: without a written nonce, no request
//! passes.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, SqliteConnection, SqlitePool};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::StoreError;
use super::nonce_log::NonceLog;
use super::nonces::{NonceKey, Remembered, insert_postgres};
use super::pool::Pool;

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Job {
    /// Write a nonce and say whether it was new.
    Remember(NonceKey, oneshot::Sender<Result<bool, StoreError>>),
    /// Forget the nonces of all minutes before this one, as far as they are in memory, and say how many they were.
    Forget(i64, oneshot::Sender<Result<u64, StoreError>>),
    /// Write what is queued, then end.
    Stop(oneshot::Sender<()>),
}

/// Starts the writer. It ends when [`stop`] is called, or when the last sender is gone.
pub(super) fn start(pool: Pool) -> mpsc::Sender<Job> {
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

/// Asks the writer to forget the nonces of all minutes before this one, as far as they are in its memory.
pub(super) async fn forget(queue: &mpsc::Sender<Job>, bucket: i64) -> Result<u64, StoreError> {
    let (answer, answered) = oneshot::channel();
    let asked = queue.send(Job::Forget(bucket, answer)).await;
    asked.map_err(|_| StoreError::Closed)?;
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
    pool: Pool,
    connection: Option<Connection>,
}

/// A connection that nobody else uses.
enum Connection {
    Sqlite(SqliteConnection, NonceLog),
    /// A database in memory has a single connection, which we take from its pool for each batch.
    SqliteInMemory(SqlitePool, NonceLog),
    Postgres(PgConnection),
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
                    // Whoever asked may have given up.
                    Job::Forget(bucket, answer) => drop(answer.send(self.forget(bucket).await)),
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
                for ((_, answer), remembered) in waiting.into_iter().zip(new) {
                    let _ = answer.send(match remembered {
                        Remembered::New => Ok(true),
                        Remembered::Seen => Ok(false),
                        Remembered::Unsure => Err(StoreError::Forgotten),
                    });
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

    async fn write(&mut self, keys: &[NonceKey]) -> Result<Vec<Remembered>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let _turn = self.pool.turn().await;
        let patience = Duration::from_secs(PATIENCE_SECONDS);
        let written = timeout(patience, self.insert(keys)).await;
        // `insert` put the connection back if it is good for another batch.
        written.unwrap_or(Err(StoreError::TimedOut {
            seconds: PATIENCE_SECONDS,
        }))
    }

    async fn insert(&mut self, keys: &[NonceKey]) -> Result<Vec<Remembered>, StoreError> {
        let mut connection = self.connect().await?;
        let new = match &mut connection {
            Connection::Sqlite(db, log) => log.append(db, keys).await?,
            Connection::SqliteInMemory(db, log) => log.append(&mut *db.acquire().await?, keys).await?,
            Connection::Postgres(db) => insert_postgres(db, keys).await?,
        };
        self.connection = Some(connection);
        Ok(new)
    }

    async fn forget(&mut self, bucket: i64) -> Result<u64, StoreError> {
        let mut connection = self.connect().await?;
        let forgotten = match &mut connection {
            Connection::Sqlite(_, log) | Connection::SqliteInMemory(_, log) => log.forget_before(bucket),
            Connection::Postgres(_) => 0,
        };
        self.connection = Some(connection);
        Ok(forgotten)
    }

    /// The connection, out of its place: whoever is done with it puts it back if it is good for another batch.
    async fn connect(&mut self) -> Result<Connection, StoreError> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        Ok(match &self.pool {
            Pool::Sqlite(db, _) if self.pool.can_spare_a_connection() => {
                let mut connection = db.acquire().await?.detach();
                let log = NonceLog::read(&mut connection).await?;
                Connection::Sqlite(connection, log)
            }
            Pool::Sqlite(db, _) => {
                let log = NonceLog::read(&mut *db.acquire().await?).await?;
                Connection::SqliteInMemory(db.clone(), log)
            }
            Pool::Postgres(db) => Connection::Postgres(db.acquire().await?.detach()),
        })
    }
}

/// How many nonces one statement writes at most.
const BATCH: usize = 256;

/// How many may wait. At ten thousand a second, this is less than a second's worth.
const QUEUE: usize = 8192;

/// Longer than SQLite's busy time-out and the pool's: what takes longer is a database that went away without a word.
const PATIENCE_SECONDS: u64 = 10;

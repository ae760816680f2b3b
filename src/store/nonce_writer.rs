//! The one task that writes nonces to PostgreSQL: whatever has gathered, in one row for each minute, as a rule one commit.
//!
//! A commit costs the same for one nonce as for many, so while one is under way the next batch gathers by itself; nobody
//! waits for company, but for whoever is ready at the same time. A batch that fails answers all its requests with the
//! error: without a written nonce, no request passes.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::patience::Patience;

use super::StoreError;
use super::nonce_queue::{Answer, Queue, Taking};
use super::nonce_rows::{Fate, NonceRows, delete_before};
use super::nonces::NonceKey;

/// The writer, for those who ask it. It ends when this is closed or dropped.
#[derive(Debug)]
pub(super) struct NonceWriter {
    pool: PgPool,
    queue: Arc<Queue>,
    /// What the writer knows of minutes before this one is needed no more.
    oldest: Arc<AtomicI64>,
}

impl NonceWriter {
    /// Begins with the first nonce, on the thread of whoever brings it.
    pub(super) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            queue: Arc::default(),
            oldest: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// Writes a nonce, or says `false`: it was there.
    pub(super) async fn remember(&self, key: NonceKey) -> Result<bool, StoreError> {
        let write = |queue| drop(tokio::spawn(self.writer().run(queue)));
        self.queue.remember(key, write).await
    }

    /// Forgets the nonces of all minutes before this one, and says how many they were.
    pub(super) async fn forget_before(&self, minute: i64) -> Result<u64, StoreError> {
        self.oldest.fetch_max(minute, Ordering::Relaxed);
        delete_before(minute, &self.pool).await
    }

    /// Lets the writer write what has gathered, and waits for its end.
    pub(super) async fn close(&self) {
        self.queue.close();
        self.queue.end().await;
    }

    fn writer(&self) -> Writer {
        Writer {
            pool: self.pool.clone(),
            connection: None,
            rows: NonceRows::default(),
            oldest: Arc::clone(&self.oldest),
            patience: Patience::default(),
        }
    }
}

impl Drop for NonceWriter {
    fn drop(&mut self) {
        self.queue.close();
    }
}

struct Writer {
    pool: PgPool,
    /// A connection that nobody else uses.
    connection: Option<PgConnection>,
    rows: NonceRows,
    oldest: Arc<AtomicI64>,
    patience: Patience,
}

impl Writer {
    async fn run(mut self, queue: Taking) {
        loop {
            queue.some().await;
            // Whoever is ready gets into this batch: it costs a commit, however many are in it.
            yield_now().await;
            let (batch, is_last) = queue.batch();
            if !batch.keys.is_empty() {
                self.rows
                    .forget_before(self.oldest.swap(i64::MIN, Ordering::Relaxed));
                let answer = match self.write(&batch.keys).await {
                    Ok(fates) => Answer::Written(fates),
                    Err(error) => Answer::Failed(Arc::new(error)),
                };
                batch.answer(answer);
            }
            if is_last {
                break;
            }
        }
        // Whoever waits for the end finds the connection closed.
        self.connection = None;
    }

    async fn write(&mut self, keys: &[NonceKey]) -> Result<Vec<Fate>, StoreError> {
        let until = Instant::now() + Duration::from_secs(PATIENCE_SECONDS);
        let connection = self.connection.take();
        let mut writing = pin!(write_with(&self.pool, connection, &mut self.rows, keys));
        let written = poll_fn(|cx| match writing.as_mut().poll(cx) {
            Poll::Ready(written) => Poll::Ready(Some(written)),
            Poll::Pending => self.patience.poll(cx, until).map(|()| None),
        });
        let Some(written) = written.await else {
            return Err(StoreError::TimedOut {
                seconds: PATIENCE_SECONDS,
            });
        };
        let (connection, fates) = written?;
        // It is good for another batch.
        self.connection = Some(connection);
        Ok(fates)
    }
}

async fn write_with(
    pool: &PgPool,
    connection: Option<PgConnection>,
    rows: &mut NonceRows,
    keys: &[NonceKey],
) -> Result<(PgConnection, Vec<Fate>), StoreError> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => connect(pool).await?,
    };
    let fates = rows.remember(keys, &mut connection).await?;
    Ok((connection, fates))
}

/// The connection belongs to the thread that uses it, so it is not one of the pool's.
async fn connect(pool: &PgPool) -> Result<PgConnection, StoreError> {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    NonceRows::prepare(&mut connection).await?;
    Ok(connection)
}

/// Longer than the pool's time-out: what takes longer is a database that went away without a word.
const PATIENCE_SECONDS: u64 = 10;

//! The one task that writes nonces to PostgreSQL: whatever has gathered, in one statement, with one commit.
//!
//! A commit costs the same for one nonce as for many, so while one is under way the next batch gathers by itself; nobody
//! waits for company, but for whoever is ready at the same time. A batch that fails answers all its requests with the
//! error: without a written nonce, no request passes.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::patience::Patience;

use super::StoreError;
use super::nonce_queue::{Answer, Queue, Taking};
use super::nonces::{NonceKey, insert};

/// The writer, for those who ask it. It ends when this is closed or dropped.
#[derive(Debug)]
pub(super) struct NonceWriter(Arc<Queue>);

impl NonceWriter {
    /// Starts it.
    pub(super) fn start(pool: PgPool) -> Self {
        let queue = Arc::new(Queue::default());
        let writer = Writer {
            pool,
            connection: None,
            patience: Patience::default(),
        };
        tokio::spawn(writer.run(queue.taking()));
        Self(queue)
    }

    /// Writes a nonce, or says `false`: it was there.
    pub(super) async fn remember(&self, key: NonceKey) -> Result<bool, StoreError> {
        self.0.remember(key).await
    }

    /// Lets the writer write what has gathered, and waits for its end.
    pub(super) async fn close(&self) {
        self.0.close();
        self.0.end().await;
    }
}

impl Drop for NonceWriter {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Writer {
    pool: PgPool,
    /// A connection that nobody else uses.
    connection: Option<PgConnection>,
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
                let answer = match self.write(&batch.keys).await {
                    Ok(new) => new.map_or(Answer::AllNew, Answer::New),
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

    async fn write(&mut self, keys: &[NonceKey]) -> Result<Option<Vec<bool>>, StoreError> {
        let until = Instant::now() + Duration::from_secs(PATIENCE_SECONDS);
        let connection = self.connection.take();
        let mut inserted = pin!(insert_with(&self.pool, connection, keys));
        let written = poll_fn(|cx| match inserted.as_mut().poll(cx) {
            Poll::Ready(written) => Poll::Ready(Some(written)),
            Poll::Pending => self.patience.poll(cx, until).map(|()| None),
        });
        let Some(written) = written.await else {
            return Err(StoreError::TimedOut {
                seconds: PATIENCE_SECONDS,
            });
        };
        let (connection, new) = written?;
        // It is good for another batch.
        self.connection = Some(connection);
        Ok(new)
    }
}

async fn insert_with(
    pool: &PgPool,
    connection: Option<PgConnection>,
    keys: &[NonceKey],
) -> Result<(PgConnection, Option<Vec<bool>>), StoreError> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => pool.acquire().await?.detach(),
    };
    let new = insert(&mut connection, keys).await?;
    Ok((connection, new))
}

/// Longer than the pool's time-out: what takes longer is a database that went away without a word.
const PATIENCE_SECONDS: u64 = 10;

//! Nonces: a signed request whose nonce was recorded before is a replay (RFC 5849, section 3.3).
//!
//! Read in this order: [`Nonces`], below, queues requests for one task; `recorder` compares and records a batch of them;
//! `epoch` opens the tables; `tables` has their statements; `file` is SQLite's file.
//!
//! # Tables
//!
//! A minute is always the minute of a request's own `oauth_timestamp`, counted from 1970.
//!
//! | table | where it is | what it holds |
//! |---|---|---|
//! | `nonce_lease` | in the database; every commit waits for the disk | one row: the epoch, and the latest minute it has leased |
//! | `nonces` | SQLite: in the file `<database>-nonces`, written without waiting for the disk; PostgreSQL: an unlogged table | rows of digests, numbered from 0 in each minute; and one state row: the epoch and the floor |
//!
//! `nonces` keeps what is committed when linkgate is killed. A power cut, a crash of PostgreSQL or a failover may lose it.
//!
//! # Three rules
//!
//! 1. **Lease.** Before a nonce of a minute is written, `nonce_lease` holds the writer's epoch and this minute or a later one.
//! 2. **Row.** One statement writes the nonces of a batch as the next row of their minute, if the state row has the writer's
//!    epoch and a floor that is not later than the minute. The writer then reads the rows before its own that it does not
//!    know, and accepts each nonce that none of them has. Raising the floor and beginning an epoch exclude this statement: by
//!    the write lock of SQLite's file, by a table lock in PostgreSQL. Rows are deleted only below a floor that is committed.
//! 3. **Epoch.** If the epoch of the state row is not that of the lease, or SQLite's file was written before the last start of
//!    the machine, nonces may be lost. A transaction that holds `nonce_lease` empties `nonces`, and begins another epoch there
//!    and in the lease, with a floor that is later than every minute leased before.
//!
//! # No nonce is accepted twice
//!
//! A minute belongs to one epoch: an ended epoch leases nothing more, and the floor of the next one is later than all that it
//! leased. (This includes a process that has SQLite's former file open: there it finds the former epoch, and its minutes.)
//! Within an epoch, take two rows of a minute that hold the same nonce. The writer of the later row got its number after the
//! earlier one was committed, and reads that row before it accepts. If the row is deleted, the floor was raised past the
//! minute before that: then the later row is not written at all.
//!
//! # Invariants
//!
//! | | what holds | how |
//! |---|---|---|
//! | F1, P1 | an accepted nonce was compared with all recorded before it, by every process | rule 2 |
//! | F2 | a write that fails or is incomplete accepts nothing | one statement writes a row; after an error the batch is answered 503 |
//! | F3, P2 | the lease is on the disk before the first nonce of its minute is written | rule 1 |
//! | F4, F5, P3, P5 | no nonce is accepted for a minute of which nonces may be lost | rule 3 |
//! | F7, P8 | no nonce is accepted for a minute whose nonces were deleted, whatever clocks and windows do | rule 2; the floor never gets earlier |
//! | F8 | a killed process loses no nonce | a commit hands its row to the operating system, or to PostgreSQL |
//! | P6, P7 | after an ambiguous commit the request is answered 503, and its nonce is spent if it was written | rule 2: the row is read like one of another process |
//! | W1 | no pause lets a request outlive the window | the provider checks the window again after the nonce is recorded |
//!
//! The floor follows the requests: it lies below the latest recorded minute by the whole window and two minutes, so a server
//! clock that jumps deletes nothing. When nonces are lost, requests signed up to two minutes after the latest lease (or after
//! the current time, if that is later) are answered 503.

mod epoch;
mod file;
mod recorder;
mod tables;

use std::pin::pin;
use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::oauth::{Timestamp, TimestampWindow};

use super::db::Db;
use super::{Store, StoreError};

use recorder::{Recorder, Request};

/// The nonces of a database, and the task that writes them. The task starts with the first request, on its runtime.
#[derive(Debug)]
pub(super) struct Nonces {
    recorder: Arc<Mutex<Recorder>>,
    queue: OnceLock<mpsc::Sender<Request>>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Nonces {
    pub(super) fn new(db: &Db) -> Self {
        Self {
            recorder: Arc::new(Mutex::new(Recorder::new(db.clone()))),
            queue: OnceLock::new(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        }
    }

    /// Raises the floor as far as the window allows, and deletes the rows below it.
    pub(super) async fn forget(&self, window: TimestampWindow) -> Result<(), StoreError> {
        // The lock is fair, so a batch waits for one portion at most.
        while self.recorder.lock().await.forget_portion(window).await? {}
        Ok(())
    }

    /// Records what is queued, rejects what comes later, and closes the connection.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.recorder.lock().await.close().await;
    }

    fn start(&self) -> mpsc::Sender<Request> {
        let (queue, requests) = mpsc::channel(QUEUE_LENGTH);
        if !self.closing.is_cancelled() {
            let recorder = Arc::clone(&self.recorder);
            self.tasks.spawn(write(requests, recorder, self.closing.clone()));
        }
        queue
    }
}

/// Records queued requests until the queue is closed and empty. What gathers during a write is the next batch.
async fn write(
    mut requests: mpsc::Receiver<Request>,
    recorder: Arc<Mutex<Recorder>>,
    closing: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH_LENGTH);
    let mut closed = pin!(closing.cancelled_owned());
    loop {
        tokio::select! {
            biased;
            () = &mut closed, if !requests.is_closed() => requests.close(),
            count = requests.recv_many(&mut batch, BATCH_LENGTH) => {
                if count == 0 {
                    break;
                }
                // Requests that have arrived at the sockets meanwhile join the batch.
                tokio::task::yield_now().await;
                if !requests.is_empty() && count < BATCH_LENGTH {
                    requests.recv_many(&mut batch, BATCH_LENGTH - count).await;
                }
                record(&recorder, &mut batch).await;
            }
        }
    }
}

/// Records a batch, and answers all requests in it: of equal nonces, the first in the batch is accepted. One timer serves
/// all of them: no request waits beyond its deadline for a batch, and the batch before it has ended at an earlier one.
async fn record(recorder: &Mutex<Recorder>, batch: &mut Vec<Request>) {
    let Some(deadline) = batch.iter().map(|request| request.deadline).min() else {
        return;
    };
    let done = timeout_at(deadline, async { recorder.lock().await.record(batch).await }).await;
    if let Err(error) = done.unwrap_or(Err(StoreError::TimedOut)) {
        let error = Arc::new(error);
        for request in batch.drain(..) {
            request.answer(Err(StoreError::Nonces(Arc::clone(&error))));
        }
    }
}

impl Store {
    /// Records the nonce of a verified request. Returns `true` for the first use, `false` for a replay.
    ///
    /// `now` is the server's time; it matters only when nonces were lost. The nonce is recorded even if this future is dropped,
    /// so that a cancelled request cannot be replayed; it needs no timer of its caller, since the writer gives up at `deadline`.
    /// After an error the request must be answered 503, because it is not known whether it is a replay.
    pub async fn record_nonce(
        &self,
        signed_at: Timestamp,
        digest: [u8; 16],
        now: Timestamp,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        let (answer, recorded) = oneshot::channel();
        let request = Request {
            minute: signed_at.minute(),
            digest,
            now: now.minute(),
            deadline,
            answer,
        };
        let queue = self.nonces.queue.get_or_init(|| self.nonces.start());
        queue.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        recorded.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// Requests that may wait for the writer; the next one is rejected at once. Less than a second's worth at 10,000 a second.
const QUEUE_LENGTH: usize = 8192;
/// Requests that one batch takes, 8 KiB of digests.
const BATCH_LENGTH: usize = 512;

//! Compares nonces with those that are known, and records them in batches.

use std::collections::{BTreeMap, HashSet};

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::oauth::TimestampWindow;
use crate::store::db::Db;

use super::StoreError;
use super::epoch;
use super::tables::{Digest, NonceSession};

#[derive(Debug)]
pub(super) struct Request {
    pub(super) minute: i64,
    pub(super) digest: Digest,
    pub(super) now: i64,
    pub(super) deadline: Instant,
    pub(super) answer: oneshot::Sender<Result<bool, StoreError>>,
}

/// What this process knows of the nonces, and its connection to them.
#[derive(Debug)]
pub(super) struct Recorder {
    db: Db,
    /// Taken for the time of its use, so that a connection that failed or timed out is not used again.
    session: Option<NonceSession>,
    /// The epoch that `minutes` belongs to.
    epoch: String,
    minutes: BTreeMap<i64, Minute>,
    /// The latest minute of a recorded request.
    latest: Option<i64>,
    /// Rows are missing or unreadable: the next session begins an epoch.
    is_damaged: bool,
}

#[derive(Debug)]
struct Minute {
    digests: HashSet<Digest>,
    /// The number of the first row that is not in `digests`.
    next: i64,
}

impl Recorder {
    pub(super) const fn new(db: Db) -> Self {
        Self {
            db,
            session: None,
            epoch: String::new(),
            minutes: BTreeMap::new(),
            latest: None,
            is_damaged: false,
        }
    }

    /// Records a batch. Each request that is answered is taken out of it.
    pub(super) async fn record(&mut self, batch: &mut Vec<Request>) -> Result<(), StoreError> {
        // Stable: the requests of a minute stay in the order in which they came.
        batch.sort_by_key(|request| request.minute);
        let recorded = self.record_by_minute(batch).await;
        recorded.inspect_err(|error| self.is_damaged |= error.is_damage())
    }

    async fn record_by_minute(&mut self, batch: &mut Vec<Request>) -> Result<(), StoreError> {
        let mut session = self.take_session(batch).await?;
        while let Some(first) = batch.first() {
            let minute = first.minute;
            let count = batch.partition_point(|request| request.minute == minute);
            let known = self.record_minute(minute, &batch[..count], &mut session).await?;
            let Some(known) = known else {
                let floor = session.floor * 60;
                for request in batch.drain(..count) {
                    request.answer(Err(StoreError::BelowNonceFloor { floor }));
                }
                continue;
            };
            for request in batch.drain(..count) {
                let is_first = known.digests.insert(request.digest);
                request.answer(Ok(is_first));
            }
            self.latest = self.latest.max(Some(minute));
        }
        self.session = Some(session);
        Ok(())
    }

    /// Writes a row with the nonces that are not known yet, and returns what is known of the rows before it. `None`: the minute
    /// is below the floor.
    async fn record_minute(
        &mut self,
        minute: i64,
        requests: &[Request],
        session: &mut NonceSession,
    ) -> Result<Option<&mut Minute>, StoreError> {
        if minute < session.floor {
            return Ok(None);
        }
        // As many as in the latest minute: a set that grows is copied while requests wait.
        let latest = self.minutes.last_key_value();
        let capacity = latest.map_or(0, |(_, latest)| latest.digests.len());
        let known = self.minutes.entry(minute);
        let known = known.or_insert_with(|| Minute::new(capacity));
        loop {
            let digests = requests.iter().map(|request| request.digest);
            let unknown: Vec<Digest> = digests.filter(|digest| !known.digests.contains(digest)).collect();
            if unknown.is_empty() {
                return Ok(Some(known));
            }
            Box::pin(epoch::lease(&self.db, minute, session)).await?;
            let number = session.append(minute, unknown.as_flattened()).await?;
            if let Some(number) = number
                && known.read_until(number, minute, session).await?
            {
                known.next = number + 1;
                return Ok(Some(known));
            }
            // Another process took the number at the same moment, or the floor was raised, or an epoch begun.
            session.refresh().await?;
            if minute < session.floor {
                return Ok(None);
            }
            if number.is_some() {
                return Err(StoreError::inconsistent("nonces", "rows of a minute are missing"));
            }
        }
    }

    async fn take_session(&mut self, batch: &[Request]) -> Result<NonceSession, StoreError> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        // A wrong clock of this server counts for an hour at most, the longest window.
        let times = batch.iter().map(|request| request.now.min(request.minute + 60));
        let now = times.max().unwrap_or_default();
        let session = Box::pin(epoch::open(&self.db, now, self.is_damaged)).await?;
        self.is_damaged = false;
        if self.epoch != session.epoch {
            self.epoch.clone_from(&session.epoch);
            self.minutes.clear();
        }
        Ok(session)
    }

    /// Raises the floor to the latest recorded minute, less the window and a margin, and deletes some rows below it. Returns
    /// `true` if there may be more. Does nothing before the first request is recorded.
    pub(super) async fn forget_portion(&mut self, window: TimestampWindow) -> Result<bool, StoreError> {
        let Some(latest) = self.latest else {
            return Ok(false);
        };
        let kept = window.past + window.future + MARGIN_SECONDS;
        let floor = (latest * 60 - kept).div_euclid(60);
        let forgotten = self.forget_below(floor).await;
        forgotten.inspect_err(|error| self.is_damaged |= error.is_damage())
    }

    async fn forget_below(&mut self, floor: i64) -> Result<bool, StoreError> {
        let Some(mut session) = self.session.take() else {
            return Ok(false);
        };
        session.raise_floor(floor).await?;
        self.minutes = self.minutes.split_off(&session.floor);
        let is_more = session.delete_portion().await?;
        self.session = Some(session);
        Ok(is_more)
    }

    pub(super) async fn close(&mut self) {
        if let Some(session) = self.session.take()
            && let Err(error) = session.connection.close().await
        {
            tracing::debug!(%error, "the connection that records nonces was not closed in good order");
        }
    }
}

impl Request {
    pub(super) fn answer(self, answer: Result<bool, StoreError>) {
        // A client that has gone away wants no answer.
        let _ = self.answer.send(answer);
    }
}

impl Minute {
    fn new(capacity: usize) -> Self {
        Self {
            digests: HashSet::with_capacity(capacity),
            next: 0,
        }
    }

    /// Reads the rows before this number that are not known yet. Returns `false` if one of them is missing.
    async fn read_until(
        &mut self,
        number: i64,
        minute: i64,
        session: &mut NonceSession,
    ) -> Result<bool, StoreError> {
        while self.next < number {
            let rows = session.rows(minute, self.next, number).await?;
            if rows.is_empty() {
                return Ok(false);
            }
            for (read, digests) in rows {
                if read != self.next {
                    return Ok(false);
                }
                let (digests, []) = digests.as_chunks() else {
                    return Err(StoreError::inconsistent("nonces", "a digest has not 16 bytes"));
                };
                self.digests.extend(digests);
                self.next += 1;
            }
        }
        Ok(self.next == number)
    }
}

/// Nonces are kept longer than the window asks for, by so much that clocks of replicas may differ.
const MARGIN_SECONDS: i64 = 120;

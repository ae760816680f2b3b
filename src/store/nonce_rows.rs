//! PostgreSQL's nonces: what one commit makes known of a minute is a row, and the rows of a minute are numbered.
//!
//! Every replica keeps in memory what it has read. It takes the number after the last row, which the primary key gives to one
//! replica only: whoever has it knows that all rows before are committed, reads those that others have written, and
//! compares after that. Of equal nonces the first counts, as in the files beside SQLite (`nonce_minute`).
//!
//! The rows are not logged, so nobody waits for the disk, and PostgreSQL forgets all of them when it crashes. So the disk is
//! waited for once a minute: a minute is noted before its first row is written. Where the note is there and the rows are
//! not, they are lost, and nothing of that minute is admitted any more.

use std::collections::BTreeMap;

use sqlx::{Executor as _, PgConnection, PgPool};

use super::StoreError;
use super::nonce_set::{Digest, NonceSet};
use super::nonces::NonceKey;

/// The minutes that this replica has asked for.
#[derive(Debug, Default)]
pub(super) struct NonceRows {
    open: BTreeMap<i64, Rows>,
}

/// The rows of a minute, as far as they have been read.
#[derive(Debug, Default)]
struct Rows {
    seen: NonceSet,
    /// What row 0 holds.
    name: Digest,
    /// The number of the row that has to be read next.
    next: i64,
}

/// What became of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is written, and was not there.
    New,
    /// It was there.
    Seen,
    /// Nonces of its minute were lost, and it may be one of them.
    Forgotten,
}

impl NonceRows {
    /// Makes a connection fit for what is said to it here.
    ///
    /// A note must be on the disk, whatever the server is set to. And a plan that was made when the table was empty, which it
    /// is after every quiet hour, must not be one that reads all of it.
    pub(super) async fn prepare(db: &mut PgConnection) -> Result<(), StoreError> {
        db.execute("set synchronous_commit = on; set enable_seqscan = off")
            .await?;
        Ok(())
    }

    /// Writes nonces, and says of each what became of it. Of equal ones, the first is new.
    ///
    /// After an error, nobody knows.
    pub(super) async fn remember(
        &mut self,
        keys: &[NonceKey],
        db: &mut PgConnection,
    ) -> Result<Vec<Fate>, StoreError> {
        let mut fates = vec![Fate::Seen; keys.len()];
        let mut places: Vec<usize> = (0..keys.len()).collect();
        places.sort_by_key(|&place| keys[place].0);
        for places in places.chunk_by(|&one, &other| keys[one].0 == keys[other].0) {
            let digests: Vec<Digest> = places.iter().map(|&place| keys[place].1).collect();
            let became = self.remember_of(keys[places[0]].0, &digests, db).await?;
            for (&place, fate) in places.iter().zip(became) {
                fates[place] = fate;
            }
        }
        Ok(fates)
    }

    /// The same, for nonces of one minute.
    async fn remember_of(
        &mut self,
        minute: i64,
        digests: &[Digest],
        db: &mut PgConnection,
    ) -> Result<Vec<Fate>, StoreError> {
        let forgotten = || Ok(vec![Fate::Forgotten; digests.len()]);
        loop {
            let Some(rows) = self.open.get_mut(&minute) else {
                let Some(opened) = Rows::open(minute, db).await? else {
                    return forgotten();
                };
                self.open.insert(minute, opened);
                continue;
            };
            let fresh = rows.lacks(digests);
            if fresh.is_empty() {
                return Ok(vec![Fate::Seen; digests.len()]);
            }
            if let Some(number) = rows.append(minute, &fresh, db).await? {
                if !rows.read_until(number, minute, db).await? {
                    self.open.remove(&minute);
                    return forgotten();
                }
                rows.next = number + 1;
                return Ok(digests.iter().map(|digest| rows.insert(digest)).collect());
            }
            if !rows.are_there(minute, db).await? {
                self.open.remove(&minute);
            }
        }
    }

    /// Lets go of the minutes before this one.
    pub(super) fn forget_before(&mut self, minute: i64) {
        while let Some(oldest) = self.open.first_entry()
            && *oldest.key() < minute
        {
            oldest.remove();
        }
    }
}

impl Rows {
    /// Makes sure that a minute is noted, and reads its rows. `None`: they are lost.
    async fn open(minute: i64, db: &mut PgConnection) -> Result<Option<Self>, StoreError> {
        sqlx::query(
            "with noted as (insert into nonce_minutes (minute) values ($1) on conflict do nothing returning minute) \
             insert into nonces (minute, batch, digests) select minute, 0, uuid_send(gen_random_uuid()) from noted \
             on conflict do nothing",
        )
        .bind(minute)
        .execute(&mut *db)
        .await?;
        let mut opened = Self::default();
        while opened.read(i64::MAX, minute, db).await? {}
        Ok((opened.next > 0).then_some(opened))
    }

    /// Those that are not known, in their order.
    fn lacks(&self, digests: &[Digest]) -> Vec<Digest> {
        let fresh = digests.iter().filter(|digest| !self.seen.contains(digest));
        fresh.copied().collect()
    }

    /// Writes a row after the last one, and says its number. `None`: the rows that we know are not there any more, or another
    /// replica has taken the number at the same moment.
    async fn append(
        &self,
        minute: i64,
        digests: &[Digest],
        db: &mut PgConnection,
    ) -> Result<Option<i64>, StoreError> {
        let numbers: Vec<i64> = sqlx::query_scalar(
            "insert into nonces (minute, batch, digests) \
             select $1, batch + 1, $2 from nonces where minute = $1 \
             and exists (select from nonces where minute = $1 and batch = 0 and digests = $3) \
             order by batch desc limit 1 on conflict do nothing returning batch",
        )
        .bind(minute)
        .bind(digests.as_flattened())
        .bind(&self.name[..])
        .fetch_all(db)
        .await?;
        Ok(numbers.into_iter().next())
    }

    /// Reads the rows that others have written since, up to a number. `false`: not all of them are there.
    async fn read_until(
        &mut self,
        number: i64,
        minute: i64,
        db: &mut PgConnection,
    ) -> Result<bool, StoreError> {
        while self.next < number && self.read(number, minute, db).await? {}
        Ok(self.next == number)
    }

    /// Reads some rows more, so that nobody else on this thread waits for long. `false`: there were none, or one is missing
    /// before the next.
    async fn read(&mut self, until: i64, minute: i64, db: &mut PgConnection) -> Result<bool, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "select batch, digests from nonces where minute = $1 and batch >= $2 and batch < $3 order by batch limit $4",
        )
        .bind(minute)
        .bind(self.next)
        .bind(until)
        .bind(PAGE)
        .fetch_all(db)
        .await?;
        let before = self.next;
        for (number, digests) in rows {
            let (digests, []) = digests.as_chunks() else {
                return Err(StoreError::inconsistent("nonces", "a digest has not 16 bytes"));
            };
            match digests {
                _ if number != self.next => return Ok(false),
                [name] if number == 0 => self.name = *name,
                _ => self.seen.extend(digests),
            }
            self.next = number + 1;
        }
        Ok(self.next > before)
    }

    /// Adds a nonce that is written.
    fn insert(&mut self, digest: &Digest) -> Fate {
        if self.seen.insert(digest) {
            Fate::New
        } else {
            Fate::Seen
        }
    }

    /// Whether the rows are still those that we know.
    async fn are_there(&self, minute: i64, db: &mut PgConnection) -> Result<bool, StoreError> {
        let are_there = sqlx::query_scalar(
            "select exists (select from nonces where minute = $1 and batch = 0 and digests = $2)",
        )
        .bind(minute)
        .bind(&self.name[..])
        .fetch_one(db)
        .await?;
        Ok(are_there)
    }
}

/// Forgets the rows of all minutes before this one, and says how many nonces they held.
pub(super) async fn delete_before(minute: i64, db: &PgPool) -> Result<u64, StoreError> {
    let deleted: Vec<(i64,)> = sqlx::query_as(
        "with noted as (delete from nonce_minutes where minute < $1), \
         gone as (delete from nonces where minute < $1 returning batch, length(digests) / 16 as nonces) \
         select coalesce(sum(nonces) filter (where batch > 0), 0)::bigint from gone",
    )
    .bind(minute)
    .fetch_all(db)
    .await?;
    let nonces = deleted.iter().map(|(nonces,)| nonces.unsigned_abs()).sum();
    Ok(nonces)
}

/// How many rows are read at once.
const PAGE: i64 = 256;

//! PostgreSQL's nonces: what one commit makes known is a row, and the rows of a minute are numbered.
//!
//! Every replica keeps in memory what it has read. It takes the number after the last row, which the primary key gives to one
//! replica only: whoever has it knows that all rows before are committed, reads those that others have written, and
//! compares after that. Of equal nonces the first counts, as in the files beside SQLite (`nonce_minute`).
//!
//! The rows are not logged, so nobody waits for the disk, and PostgreSQL forgets all of them when it crashes. So the disk is
//! waited for once a minute: a minute is noted before its first row is written. Where the note is there and the rows are
//! not, they are lost, and nothing of that minute is admitted any more.

use std::collections::BTreeMap;

use sqlx::{PgConnection, PgPool};

use super::StoreError;
use super::nonce_minute::Digest;
use super::nonce_set::NonceSet;
use super::nonces::NonceKey;

/// The minutes that this replica has asked for.
#[derive(Debug, Default)]
pub(super) struct NonceRows {
    open: BTreeMap<i64, Minute>,
}

/// What is known of a minute.
#[derive(Debug)]
struct Minute {
    seen: NonceSet,
    /// The number of the last row that has been read.
    last: i64,
}

/// What became of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is written, and was not there.
    New,
    /// It was there.
    Seen,
    /// The nonces of its minute were lost, and it may be one of them.
    Forgotten,
}

impl NonceRows {
    /// Writes nonces, and says of each what became of it. Of equal ones, the first is new.
    ///
    /// After an error, nobody knows.
    pub(super) async fn remember(
        &mut self,
        db: &mut PgConnection,
        keys: &[NonceKey],
    ) -> Result<Vec<Fate>, StoreError> {
        let mut fates = vec![Fate::Seen; keys.len()];
        let mut places: Vec<usize> = (0..keys.len()).collect();
        places.sort_by_key(|&place| keys[place].0);
        for places in places.chunk_by(|&one, &other| keys[one].0 == keys[other].0) {
            let digests: Vec<Digest> = places.iter().map(|&place| keys[place].1).collect();
            let became = self.remember_of(keys[places[0]].0, db, &digests).await?;
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
        db: &mut PgConnection,
        digests: &[Digest],
    ) -> Result<Vec<Fate>, StoreError> {
        loop {
            let Some(known) = self.open.get_mut(&minute) else {
                let Some(opened) = Minute::open(minute, db).await? else {
                    return Ok(vec![Fate::Forgotten; digests.len()]);
                };
                self.open.insert(minute, opened);
                continue;
            };
            let fresh = known.lacks(digests);
            if fresh.is_empty() {
                return Ok(vec![Fate::Seen; digests.len()]);
            }
            if let Some(number) = append(minute, db, &fresh).await? {
                known.read_on(minute, number, db).await?;
                known.last = number;
                return Ok(digests.iter().map(|digest| known.insert(*digest)).collect());
            }
            if !is_open(minute, db).await? {
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

impl Minute {
    /// Makes sure that a minute is noted, and reads its rows. `None`: they are lost.
    async fn open(minute: i64, db: &mut PgConnection) -> Result<Option<Self>, StoreError> {
        sqlx::query(
            "with noted as (insert into nonce_mark (minute) values ($1) on conflict do nothing returning minute) \
             insert into nonces (minute, batch, digests) select minute, 0, '' from noted",
        )
        .bind(minute)
        .execute(&mut *db)
        .await?;
        let mut opened = Self {
            seen: NonceSet::default(),
            last: -1,
        };
        opened.read_on(minute, i64::MAX, db).await?;
        Ok((opened.last >= 0).then_some(opened))
    }

    /// Those that are not known, in their order.
    fn lacks(&self, digests: &[Digest]) -> Vec<Digest> {
        let fresh = digests.iter().filter(|digest| !self.seen.contains(digest));
        fresh.copied().collect()
    }

    /// Reads the rows that others have written since, up to a number.
    async fn read_on(&mut self, minute: i64, until: i64, db: &mut PgConnection) -> Result<(), StoreError> {
        if self.last + 1 == until {
            return Ok(());
        }
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "select batch, digests from nonces where minute = $1 and batch > $2 and batch < $3 order by batch",
        )
        .bind(minute)
        .bind(self.last)
        .bind(until)
        .fetch_all(db)
        .await?;
        for (batch, digests) in rows {
            let (digests, []) = digests.as_chunks() else {
                return Err(StoreError::inconsistent("nonces", "a digest has not 16 bytes"));
            };
            self.seen.extend(digests);
            self.last = batch;
        }
        Ok(())
    }

    /// Adds a nonce that is written.
    fn insert(&mut self, digest: Digest) -> Fate {
        if self.seen.insert(digest) {
            Fate::New
        } else {
            Fate::Seen
        }
    }
}

/// Writes a row after the last one, and says its number. `None`: there is no row, or another replica has taken the number at
/// the same moment.
async fn append(minute: i64, db: &mut PgConnection, digests: &[Digest]) -> Result<Option<i64>, StoreError> {
    let numbers: Vec<i64> = sqlx::query_scalar(
        "insert into nonces (minute, batch, digests) \
         select $1, batch + 1, $2 from nonces where minute = $1 order by batch desc limit 1 \
         on conflict do nothing returning batch",
    )
    .bind(minute)
    .bind(digests.as_flattened())
    .fetch_all(db)
    .await?;
    Ok(numbers.into_iter().next())
}

/// Whether a minute has a row.
async fn is_open(minute: i64, db: &mut PgConnection) -> Result<bool, StoreError> {
    let is_open = sqlx::query_scalar("select exists (select from nonces where minute = $1)")
        .bind(minute)
        .fetch_one(db)
        .await?;
    Ok(is_open)
}

/// Forgets the rows of all minutes before this one, and says how many nonces they held.
pub(super) async fn delete_before(minute: i64, db: &PgPool) -> Result<u64, StoreError> {
    let deleted: Vec<(i64,)> = sqlx::query_as(
        "with noted as (delete from nonce_mark where minute < $1), \
         gone as (delete from nonces where minute < $1 returning length(digests) / 16 as nonces) \
         select coalesce(sum(nonces), 0)::bigint from gone",
    )
    .bind(minute)
    .fetch_all(db)
    .await?;
    let nonces = deleted.iter().map(|(nonces,)| nonces.unsigned_abs()).sum();
    Ok(nonces)
}

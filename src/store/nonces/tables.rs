//! The statements of the table `nonces`. The state row, which is lost with the others, has the minute -1, the floor as its
//! number and the epoch as its digests.

use crate::store::db::{Connection, Row, sql};

use super::StoreError;

pub(super) type Digest = [u8; 16];

/// A connection that has found or begun an epoch.
#[derive(Debug)]
pub(super) struct NonceSession {
    pub(super) connection: Connection,
    pub(super) epoch: String,
    /// The earliest minute that is accepted, when it was last read.
    pub(super) floor: i64,
    /// The latest minute that the epoch is known to have leased.
    pub(super) leased: i64,
}

impl NonceSession {
    /// Writes digests as the next row of a minute, and returns its number. `None` if another process has taken the number at
    /// the same moment, if the minute is below the floor, or if the epoch has ended.
    pub(super) async fn append(&mut self, minute: i64, digests: &[u8]) -> Result<Option<i64>, StoreError> {
        let insert = sql(["insert into nonces (minute, number, digests) \
             select $1, (select coalesce(max(number), -1) + 1 from nonces where minute = $1), $2 \
             from nonces where minute = -1 and number <= $1 and digests = $3 \
             on conflict do nothing returning number"])
        .bind([&minute, &digests, &self.epoch.as_bytes()]);
        let rows = self.connection.on().fetch(insert).await?;
        rows.first().map(|row| row.get("number")).transpose()
    }

    /// Reads rows of a minute: the first 256 of those with a number from `from` to less than `until`.
    pub(super) async fn rows(
        &mut self,
        minute: i64,
        from: i64,
        until: i64,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let select = sql([
            "select number, digests from nonces where minute = $1 and number >= $2 and number < $3 \
             order by number limit 256",
        ])
        .bind([&minute, &from, &until]);
        let rows = self.connection.on().fetch(select).await?;
        let read = |row: &Row| Ok((row.get("number")?, row.get("digests")?));
        rows.iter().map(read).collect()
    }

    /// Reads the floor again. [`StoreError::NoncesLost`]: the epoch has ended.
    pub(super) async fn refresh(&mut self) -> Result<(), StoreError> {
        match state(&mut self.connection).await? {
            Some((floor, epoch)) if epoch == self.epoch.as_bytes() => {
                self.floor = floor;
                Ok(())
            }
            _ => Err(StoreError::NoncesLost),
        }
    }

    /// Makes this the floor, unless that is later already.
    pub(super) async fn raise_floor(&mut self, floor: i64) -> Result<(), StoreError> {
        if floor <= self.floor {
            return Ok(());
        }
        begin_exclusively(&mut self.connection).await?;
        let update =
            sql(["update nonces set number = $1 where minute = -1 and number < $1 and digests = $2"]);
        let update = update.bind([&floor, &self.epoch.as_bytes()]);
        self.connection.on().execute(update).await?;
        self.connection.on().execute(sql(["commit"])).await?;
        self.refresh().await
    }

    /// Deletes up to 1000 rows below the floor, the earliest first. Returns `true` if there may be more.
    pub(super) async fn delete_portion(&mut self) -> Result<bool, StoreError> {
        let delete = sql([
            "delete from nonces where (minute, number) in (select minute, number from nonces \
             where minute >= 0 and minute < $1 order by minute, number limit $2)",
        ])
        .bind([&self.floor, &PORTION]);
        Ok(self.connection.on().execute(delete).await? == PORTION.unsigned_abs())
    }
}

/// Empties the table and begins an epoch.
pub(super) async fn begin(connection: &mut Connection, epoch: &str, floor: i64) -> Result<(), StoreError> {
    begin_exclusively(connection).await?;
    connection.on().execute(sql(["delete from nonces"])).await?;
    let insert = sql(["insert into nonces (minute, number, digests) values (-1, $1, $2)"]);
    let insert = insert.bind([&floor, &epoch.as_bytes()]);
    connection.on().execute(insert).await?;
    connection.on().execute(sql(["commit"])).await.map(drop)
}

pub(super) async fn state(connection: &mut Connection) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    let select = sql(["select number, digests from nonces where minute = -1"]);
    let rows = connection.on().fetch(select).await?;
    let state = |row: &Row| Ok((row.get("number")?, row.get("digests")?));
    rows.first().map(state).transpose()
}

/// Begins a transaction that waits for those that write rows, and lets no other write before its end. SQLite has one writer
/// at a time, and the next statement is a write.
async fn begin_exclusively(connection: &mut Connection) -> Result<(), StoreError> {
    connection.on().execute(sql(["begin"])).await?;
    if let Connection::Postgres(..) = connection {
        // Not for long: an autovacuum may be in the way, and requests wait.
        let limit = sql(["set local lock_timeout = '500ms'"]);
        connection.on().execute(limit).await?;
        let lock = sql(["lock table nonces in share row exclusive mode"]);
        connection.on().execute(lock).await?;
    }
    Ok(())
}

const PORTION: i64 = 1000;

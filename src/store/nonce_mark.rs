//! Up to which minute nonces may be missing.
//!
//! SQLite's nonces are handed to the operating system, and nobody waits for the disk: a process that dies loses nothing, a
//! machine that loses power may lose the last seconds. So the disk is waited for once a minute: before the first nonce of a
//! minute is written, the minute is, in the database. After another start of the machine, requests up to that minute are
//! refused, whether their nonces are known or not, so that none is ever admitted twice. Whoever signs after it is not
//! affected.

use super::StoreError;
use super::db::{Db, sql};

/// What the table says, and which start of the machine this is.
#[derive(Debug)]
pub(super) struct NonceMark {
    start: String,
    minute: i64,
    lost: i64,
}

impl NonceMark {
    /// Reads the mark, and says from now on that this start of the machine goes on. `gone`: whether the place of the nonces
    /// is not there (any more).
    ///
    /// Another process may be at the same point. It makes the place after it has noted what is lost, and before the first
    /// nonce's minute is noted: so the place is looked for in between.
    pub(super) async fn read(pool: &Db, gone: impl FnOnce() -> bool) -> Result<Self, StoreError> {
        let start = machine_start();
        let mut kept = kept(pool).await?;
        let is_gone = gone();
        if !is_gone {
            kept = self::kept(pool).await?;
        }
        Ok(match kept {
            Some((kept, minute, before)) if kept == start && !is_gone => Self {
                start,
                minute,
                lost: before,
            },
            Some((_, minute, before)) => {
                let lost = minute.max(before);
                let mark = Self { start, minute, lost };
                mark.write(minute, pool).await?;
                mark
            }
            None => Self {
                start,
                minute: i64::MIN,
                lost: i64::MIN,
            },
        })
    }

    /// Whether a nonce of this minute may have been lost.
    pub(super) const fn is_lost(&self, minute: i64) -> bool {
        minute <= self.lost
    }

    /// Makes sure that a nonce of this minute may be written.
    pub(super) async fn reach(&mut self, minute: i64, pool: &Db) -> Result<(), StoreError> {
        if self.minute < minute {
            self.write(minute, pool).await?;
            self.minute = minute;
        }
        Ok(())
    }

    /// Writes the mark. SQLite waits for the disk with each commit.
    async fn write(&self, minute: i64, pool: &Db) -> Result<(), StoreError> {
        let insert = sql([
            "insert into nonce_mark (start, minute, lost) values ($1, $2, $3) on conflict (start) do update \
             set minute = max(nonce_mark.minute, excluded.minute), lost = max(nonce_mark.lost, excluded.lost)",
        ])
        .bind(&*self.start)
        .bind(minute)
        .bind(self.lost);
        pool.write(insert).await?;
        pool.write(sql(["delete from nonce_mark where start <> $1"]).bind(&*self.start))
            .await?;
        Ok(())
    }
}

async fn kept(pool: &Db) -> Result<Option<(String, i64, i64)>, StoreError> {
    let rows = pool
        .read(sql(["select start, minute, lost from nonce_mark"]))
        .await?;
    let kept = rows
        .first()
        .map(|row| Ok((row.get("start")?, row.get("minute")?, row.get("lost")?)));
    kept.transpose()
}

/// A name for this start of the machine. Where there is none, every process is taken for a new start.
fn machine_start() -> String {
    match std::fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Ok(id) => id.trim().to_owned(),
        Err(_) => format!("process {}", std::process::id()),
    }
}

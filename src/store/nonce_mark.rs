//! Up to which minute a power cut may have taken nonces with it.
//!
//! SQLite hands a batch of nonces to the operating system and goes on: a process that dies loses nothing, a machine that
//! loses power may lose the last seconds. Waiting for the disk with each batch would cost more than everything else that
//! is done for a request. So the disk is waited for once a minute: before the first nonce of a minute is written, the
//! minute is. After another start of the machine, requests up to that minute are refused, whether their nonces are known
//! or not, so that none is ever admitted twice. Whoever signs after it is not affected.

use sqlx::{Executor, SqliteConnection};

use super::StoreError;

/// What the table says, and which start of the machine this is.
#[derive(Debug)]
pub(super) struct NonceMark {
    start: String,
    minute: i64,
    lost: i64,
}

impl NonceMark {
    /// Reads the mark, and says from now on that this start of the machine goes on.
    pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        connection.execute("pragma synchronous = normal").await?;
        let start = machine_start();
        let kept: Option<(String, i64, i64)> = sqlx::query_as("select start, minute, lost from nonce_mark")
            .fetch_optional(&mut *connection)
            .await?;
        Ok(match kept {
            Some((kept, minute, lost)) if kept == start => Self { start, minute, lost },
            Some((_, minute, lost)) => {
                let lost = minute.max(lost);
                let mark = Self { start, minute, lost };
                mark.write(connection).await?;
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
    pub(super) fn is_lost(&self, minute: i64) -> bool {
        minute <= self.lost
    }

    /// Makes sure that a nonce of this minute may be written.
    pub(super) async fn reach(
        &mut self,
        minute: i64,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        if minute <= self.minute {
            return Ok(());
        }
        self.minute = minute;
        self.write(connection).await
    }

    /// Writes the mark, and waits for the disk.
    async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        connection.execute("pragma synchronous = full").await?;
        sqlx::query(
            "insert into nonce_mark (start, minute, lost) values ($1, $2, $3) on conflict (start) do update \
             set minute = max(minute, excluded.minute), lost = max(lost, excluded.lost)",
        )
        .bind(&self.start)
        .bind(self.minute)
        .bind(self.lost)
        .execute(&mut *connection)
        .await?;
        sqlx::query("delete from nonce_mark where start <> $1")
            .bind(&self.start)
            .execute(&mut *connection)
            .await?;
        connection.execute("pragma synchronous = normal").await?;
        Ok(())
    }
}

/// A name for this start of the machine. Where there is none, every process is taken for a new start.
fn machine_start() -> String {
    match std::fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Ok(id) => id.trim().to_owned(),
        Err(_) => format!("process {}", std::process::id()),
    }
}

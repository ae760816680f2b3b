//! The lease, and the epochs in which minutes are leased.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};

use crate::store::db::{Connection, Db, sql};
use crate::store::files::beside;
use crate::store::options::{set_up_session, sqlite_code};

use super::StoreError;
use super::file::{self, boot_id, random};
use super::tables::{self, NonceSession};

/// Makes sure that the session's epoch has leased this minute. [`StoreError::NoncesLost`]: the epoch has ended.
pub(super) async fn lease(db: &Db, minute: i64, session: &mut NonceSession) -> Result<(), StoreError> {
    if minute <= session.leased {
        return Ok(());
    }
    let update = sql([
        "update nonce_lease set minute = case when minute < $1 then $1 else minute end \
         where epoch = $2 returning minute",
    ])
    .bind([&minute, &session.epoch]);
    let mut transaction = db.begin().await?;
    let rows = transaction.on().fetch(update).await?;
    transaction.commit().await?;
    let leased = rows.first().map(|row| row.get("minute")).transpose()?;
    session.leased = leased.ok_or(StoreError::NoncesLost)?;
    Ok(())
}

/// Continues the epoch of the lease, or begins another if nonces may be lost. `now` is in minutes. The row of the lease stays
/// locked meanwhile, so that one process at a time opens or replaces SQLite's file.
pub(super) async fn open(db: &Db, now: i64, is_damaged: bool) -> Result<NonceSession, StoreError> {
    let mut transaction = db.begin().await?;
    let lease = sql([
        "insert into nonce_lease (one, epoch, minute) values (1, 'lost', -1) \
         on conflict (one) do update set epoch = nonce_lease.epoch returning epoch, minute",
    ]);
    let rows = transaction.on().fetch(lease).await?;
    let row = rows.first().ok_or(StoreError::NoncesLost)?;
    let (epoch, leased): (String, i64) = (row.get("epoch")?, row.get("minute")?);
    if !is_damaged && let Some((connection, floor)) = continued(db, &epoch).await? {
        return Ok(NonceSession {
            connection,
            epoch,
            floor,
            leased,
        });
    }
    let floor = if epoch.is_empty() {
        // Before the first epoch, nothing was leased.
        0
    } else {
        let floor = leased.max(now) + MARGIN_MINUTES;
        let at = floor * 60;
        tracing::warn!("nonces were lost: requests with an oauth_timestamp before {at} are answered 503");
        floor
    };
    let (mut connection, epoch) = match db {
        Db::Sqlite { .. } => {
            let file = file::replace(path(db).as_deref()).await?;
            (Connection::Sqlite(file), format!("{}/{}", boot_id(), random()))
        }
        Db::Postgres(pool, limit) => (connect(pool, *limit).await?, random()),
    };
    tables::begin(&mut connection, &epoch, floor).await?;
    let update = sql(["update nonce_lease set epoch = $1"]).bind([&epoch]);
    transaction.on().execute(update).await?;
    transaction.commit().await?;
    Ok(NonceSession {
        connection,
        epoch,
        floor,
        leased,
    })
}

/// A connection to the nonces of this epoch, and the floor. `None`: they may be lost.
async fn continued(db: &Db, epoch: &str) -> Result<Option<(Connection, i64)>, StoreError> {
    let opened = async {
        let mut connection = match db {
            Db::Sqlite { .. } if !epoch.starts_with(boot_id()) => return Ok::<_, StoreError>(None),
            Db::Sqlite { .. } => match file::open(path(db).as_deref()).await? {
                Some(connection) => Connection::Sqlite(connection),
                None => return Ok(None),
            },
            Db::Postgres(pool, limit) => connect(pool, *limit).await?,
        };
        let state = tables::state(&mut connection).await?;
        let state = state.filter(|(_, found)| found == epoch.as_bytes());
        Ok(state.map(|(floor, _)| (connection, floor)))
    };
    match opened.await {
        Err(error) if error.is_damage() => Ok(None),
        opened => opened,
    }
}

/// SQLite's file of nonces. `None`: they are in memory.
fn path(db: &Db) -> Option<PathBuf> {
    match db {
        Db::Sqlite { file: Some(file), .. } => Some(beside(file, "-nonces")),
        _ => None,
    }
}

async fn connect(pool: &PgPool, limit: Duration) -> Result<Connection, StoreError> {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    set_up_session(&mut connection, limit).await?;
    let mut connection = Connection::Postgres(connection, limit);
    // A plan that was made while the table was empty would read all of it when it is full.
    connection.on().execute(sql(["set enable_seqscan = off"])).await?;
    Ok(connection)
}

impl StoreError {
    /// Whether rows of `nonces` are missing or unreadable.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Inconsistent { .. } => true,
            Self::Database(sqlx::Error::Database(error))
            | Self::Unreachable {
                source: sqlx::Error::Database(error),
                ..
            } => {
                // SQLITE_CORRUPT and SQLITE_NOTADB.
                matches!(sqlite_code(&**error), Some(11 | 26))
            }
            _ => false,
        }
    }
}

/// A floor lies by so much after the latest minute that may have lost nonces: the rest of this minute, and one more for a
/// standby of PostgreSQL that was behind.
const MARGIN_MINUTES: i64 = 2;

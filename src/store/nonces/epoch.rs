//! The lease, and the epochs in which minutes are leased.

use sqlx::sqlite::SqliteError;
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::store::db::{Connection, Db, sql};

use super::StoreError;
use super::file::{NonceFile, boot_id, random};
use super::tables::Session;

/// The tables of the nonces.
#[derive(Debug)]
pub(super) struct Tables {
    db: Db,
    /// SQLite's.
    file: NonceFile,
}

impl Tables {
    pub(super) fn new(db: &Db) -> Self {
        let database = match db {
            Db::Sqlite { file, .. } => file.as_deref(),
            Db::Postgres(_) => None,
        };
        Self {
            db: db.clone(),
            file: NonceFile::beside(database),
        }
    }

    /// Makes sure that the session's epoch has leased this minute.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoncesLost`] if the epoch has ended.
    pub(super) async fn lease(&self, minute: i64, session: &mut Session) -> Result<(), StoreError> {
        if minute <= session.leased {
            return Ok(());
        }
        let update = sql([
            "update nonce_lease set minute = case when minute < $1 then $1 else minute end \
             where epoch = $2 returning minute",
        ])
        .bind(minute)
        .bind(&*session.epoch);
        let mut transaction = self.db.begin().await?;
        let rows = transaction.fetch(update).await?;
        transaction.commit().await?;
        let leased = rows.first().map(|row| row.get("minute")).transpose()?;
        session.leased = leased.ok_or(StoreError::NoncesLost)?;
        Ok(())
    }

    /// Continues the epoch of the lease, or begins another if nonces may be lost. `now` is in minutes.
    ///
    /// The row of the lease stays locked meanwhile, so that one process at a time opens or replaces SQLite's file.
    pub(super) async fn connect(&self, now: i64, is_damaged: bool) -> Result<Session, StoreError> {
        let mut transaction = self.db.begin().await?;
        let lease = sql([
            "insert into nonce_lease (one, epoch, minute) values (1, 'lost', -1) \
             on conflict (one) do update set epoch = nonce_lease.epoch returning epoch, minute",
        ]);
        let rows = transaction.fetch(lease).await?;
        let row = rows.first().ok_or(StoreError::NoncesLost)?;
        let (epoch, leased): (String, i64) = (row.get("epoch")?, row.get("minute")?);
        if !is_damaged && let Some(session) = self.continued(&epoch, leased).await? {
            return Ok(session);
        }
        let session = self.begun(&epoch, leased, now).await?;
        let update = sql(["update nonce_lease set epoch = $1"]).bind(&*session.epoch);
        transaction.execute(update).await?;
        transaction.commit().await?;
        Ok(session)
    }

    async fn continued(&self, epoch: &str, leased: i64) -> Result<Option<Session>, StoreError> {
        let session = match &self.db {
            Db::Sqlite { .. } if !epoch.starts_with(boot_id()) => return Ok(None),
            Db::Sqlite { .. } => match self.file.open().await {
                Ok(None) => return Ok(None),
                Ok(Some(db)) => Session::open(Connection::Sqlite(db), epoch, leased).await,
                Err(error) => Err(error),
            },
            Db::Postgres(pool) => Session::open(connect(pool).await?, epoch, leased).await,
        };
        match session {
            Err(error) if error.is_damage() => Ok(None),
            session => session,
        }
    }

    async fn begun(&self, ended: &str, leased: i64, now: i64) -> Result<Session, StoreError> {
        let connection = match &self.db {
            Db::Sqlite { .. } => Connection::Sqlite(self.file.replace().await?),
            Db::Postgres(pool) => connect(pool).await?,
        };
        let epoch = match &self.db {
            Db::Sqlite { .. } => format!("{}/{}", boot_id(), random()),
            Db::Postgres(_) => random(),
        };
        // Before the first epoch, nothing was leased.
        if ended.is_empty() {
            return Session::begin(connection, epoch, leased, 0).await;
        }
        let floor = leased.max(now) + MARGIN_MINUTES;
        tracing::warn!(
            "nonces were lost: requests with an oauth_timestamp before {} are answered 503",
            floor * 60
        );
        Session::begin(connection, epoch, leased, floor).await
    }
}

async fn connect(pool: &PgPool) -> Result<Connection, StoreError> {
    let connection = PgConnection::connect_with(&pool.connect_options()).await?;
    let mut connection = Connection::Postgres(connection);
    // A plan that was made while the table was empty would read all of it when it is full.
    connection.execute(sql(["set enable_seqscan = off"])).await?;
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
                let code = error.code().and_then(|code| code.parse::<u32>().ok());
                // SQLITE_CORRUPT and SQLITE_NOTADB; the higher bytes are details.
                error.try_downcast_ref::<SqliteError>().is_some()
                    && code.is_some_and(|code| matches!(code & 0xFF, 11 | 26))
            }
            _ => false,
        }
    }
}

/// A floor lies by so much after the latest minute that may have lost nonces: the rest of this minute, and one more for a
/// standby of PostgreSQL that was behind.
const MARGIN_MINUTES: i64 = 2;

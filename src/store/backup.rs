//! Backup and restore: the nonces of the time after the backup are lost.

use std::io;
use std::path::Path;

use crate::oauth::Timestamp;

use super::db::sql;
use super::files::create_new;
use super::{Store, StoreError};

impl Store {
    /// Copies a SQLite database as it is at one moment to a new file, readable by its owner alone.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreachable`] if the file exists, or cannot be written.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let failed = |source: io::Error| StoreError::Unreachable {
            what: file.display().to_string(),
            source: source.into(),
        };
        let created = create_new(file).map_err(failed)?;
        let invalid = || failed(io::ErrorKind::InvalidFilename.into());
        let text = file.to_str().ok_or_else(invalid)?;
        self.db.read(sql(["vacuum into $1"]).bind([&text])).await?;
        created.sync_all().map_err(failed)
    }

    /// Checks that a SQLite database is whole. What SQLite finds first is [`StoreError::Inconsistent`].
    pub async fn check_integrity(&self) -> Result<(), StoreError> {
        let select = sql(["select integrity_check as found from pragma_integrity_check limit 1"]);
        let rows = self.db.read(select).await?;
        match rows.first().map_or(Ok(String::new()), |row| row.get("found"))? {
            found if found == "ok" => Ok(()),
            found => Err(StoreError::inconsistent("sqlite_schema", found)),
        }
    }

    /// Takes the nonces of all requests signed until a time for lost: such requests are answered 503.
    pub async fn lose_nonces(&self, until: Timestamp) -> Result<(), StoreError> {
        // The epoch of no table.
        let update = sql([
            "insert into nonce_lease (one, epoch, minute) values (1, 'lost', $1) on conflict (one) do update set \
             epoch = 'lost', minute = case when nonce_lease.minute < $1 then $1 else nonce_lease.minute end",
        ]);
        self.db.write(update.bind([&until.minute()])).await.map(drop)
    }
}

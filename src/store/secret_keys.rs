//! The secret keys that rows need. The keys themselves are in the key file alone; the table knows their ids.

use crate::model::{AuditEvent, AuditKind};
use crate::oauth::Timestamp;

use super::db::{self, Row, portion, sql};
use super::{Store, StoreError, access_tokens};

/// A secret key that the database knows, and how many rows need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The four characters before the key in the key file.
    pub id: String,
    /// When a process first started with it in front.
    pub first_used_at: Timestamp,
    /// Consumers whose shared secrets it sealed.
    pub consumers: u64,
    /// Request and access tokens whose secrets derive from it, and sealed tokens of remote applications.
    pub tokens: u64,
}

impl KeyUse {
    /// Whether a row needs the key.
    pub const fn is_needed(&self) -> bool {
        self.consumers + self.tokens > 0
    }
}

impl Store {
    /// Lists the keys that the database knows, in the order in which they came into use.
    pub async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        let key_use = |row: &Row| {
            let (consumers, tokens): (i64, i64) = (row.get("consumers")?, row.get("tokens")?);
            Ok(KeyUse {
                id: row.get("id")?,
                first_used_at: row.time("first_used_at")?,
                consumers: consumers.unsigned_abs(),
                tokens: tokens.unsigned_abs(),
            })
        };
        self.db.read(sql([KEY_USES])).await?.iter().map(key_use).collect()
    }

    /// Removes a key that no row needs. `false`: the database does not know the key, or rows need it.
    pub async fn retire_key(&self, id: &str) -> Result<bool, StoreError> {
        let uses = self.key_uses().await?;
        if uses.iter().any(|key| key.id == id && key.is_needed()) {
            return Ok(false);
        }
        // The foreign keys refuse it if a row came meanwhile.
        let delete = sql(["delete from secret_keys where id = $1"]).bind([&id]);
        Ok(self.db.write(delete).await? == 1)
    }

    /// Deletes what only a lost key opens, a portion at a time: tokens, whose users connect again, and consumers' shared
    /// secrets.
    pub async fn delete_lost(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let why = format!("as the secret key {id} is lost");
        let revoked = |row: &Row| {
            Ok(AuditEvent {
                detail: format!("the token {}, {why}", row.get::<String>("id")?),
                ..access_tokens::event(AuditKind::Revoked, row, None, now)?
            })
        };
        let made = "key_id = $1 or substr(session_id, 1, 4) = $1";
        let returning = "returning consumer_key, subject, id";
        let tokens = || portion("access_tokens", "digest", made, returning).bind([&id]);
        while !self.change_all(tokens(), revoked).await?.is_empty() {}
        let disconnected = |row: &Row| {
            Ok(AuditEvent {
                detail: format!("the link {}, {why}", row.get::<String>("link")?),
                ..AuditEvent::new(AuditKind::LinkLost, now).by(row.get::<String>("subject")?, None)
            })
        };
        let (key, returning) = ("link, subject", "returning link, subject");
        let links = || portion("link_tokens", key, "key_id = $1", returning).bind([&id]);
        while !self.change_all(links(), disconnected).await?.is_empty() {}
        for table in ["request_tokens", "link_dances"] {
            self.delete_all(table, "key_id = $1", id).await?;
        }
        // The next start writes the secrets of the configuration again.
        let update = sql([
            "update consumers set secrets = null, key_id = null where key_id = $1 and source = 'config'",
        ]);
        self.db.write(update.bind([&id])).await?;
        let others = sql(["select key from consumers where key_id = $1"]).bind([&id]);
        for row in self.db.read(others).await? {
            let key = row.parse("consumers", "key", db::consumer_key)?;
            self.purge_consumer(&key, now).await?;
        }
        Ok(())
    }

    /// Checks that the key file has every key that rows need, and registers its current one.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyMissing`] and [`StoreError::KeyDiffers`].
    pub async fn check_keys(&self, now: Timestamp) -> Result<(), StoreError> {
        let select = sql(["select id, check_value from secret_keys order by id"]);
        for row in self.db.read(select).await? {
            let (id, check_value): (String, Vec<u8>) = (row.get("id")?, row.get("check_value")?);
            match self.keyring.key(id.as_bytes()) {
                Some(key) if key.check_value() == check_value => {}
                Some(_) => return Err(StoreError::KeyDiffers { id }),
                None => {
                    let mut uses = self.key_uses().await?.into_iter();
                    if let Some(needed) = uses.find(|key| key.id == id && key.is_needed()) {
                        let present = self.keyring.ids().map(str::to_owned).collect();
                        return Err(StoreError::KeyMissing { needed, present });
                    }
                }
            }
        }
        let current = self.keyring.current();
        let insert = sql([
            "insert into secret_keys (id, check_value, first_used_at) values ($1, $2, $3) on conflict do nothing",
        ])
        .bind([&current.id_text(), &current.check_value(), &now]);
        self.db.write(insert).await.map(drop)
    }

    /// Whether the database knows a key that this process lacks.
    pub async fn is_key_missing(&self, id: &str) -> Result<bool, StoreError> {
        let select = sql(["select id from secret_keys where id = $1"]).bind([&id]);
        let known = self.db.read(select).await?;
        Ok(!known.is_empty() && self.keyring.key(id.as_bytes()).is_none())
    }
}

/// A renewed token is made by the current key; the handle of its session derives from the key that began the session.
const KEY_USES: &str = "select id, first_used_at, \
    (select count(*) from consumers where key_id = keys.id) as consumers, \
    (select count(*) from request_tokens where key_id = keys.id) \
    + (select count(*) from access_tokens where key_id = keys.id or substr(session_id, 1, 4) = keys.id) \
    + (select count(*) from link_tokens where key_id = keys.id) \
    + (select count(*) from link_dances where key_id = keys.id) as tokens \
    from secret_keys keys order by first_used_at, id";

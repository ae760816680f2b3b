//! The secret keys that rows need. The keys themselves are in the key file alone; the table knows their ids.
//!
//! A process without a key that rows need does not start. A token that was made by a key which another replica has, and this
//! one lacks, is an error of ours and not the consumer's: 503.

use crate::model::{AuditEvent, AuditKind};
use crate::oauth::{ConsumerKey, Timestamp};

use super::audit::record;
use super::db::sql;
use super::{Store, StoreError};

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
        let select = sql(["select id, first_used_at from secret_keys order by first_used_at, id"]);
        let mut uses = Vec::new();
        for row in self.db.read(select).await? {
            let id: String = row.get("id")?;
            let (consumers, tokens) = self.count_uses(&id).await?;
            uses.push(KeyUse {
                id,
                first_used_at: row.time("first_used_at")?,
                consumers,
                tokens,
            });
        }
        Ok(uses)
    }

    /// Removes a key that no row needs. With `lost`, what only this key opens is deleted first: its tokens, whose users
    /// connect again, and the shared secrets of its consumers, which the configuration or `consumer add` gives anew.
    /// `false`: the database does not know the key, or rows need it.
    pub async fn retire_key(&self, id: &str, lost: bool, now: Timestamp) -> Result<bool, StoreError> {
        if !lost && self.count_uses(id).await? != (0, 0) {
            return Ok(false);
        }
        let mut transaction = self.db.begin().await?;
        if lost {
            for statement in LOST {
                transaction.execute(sql([statement]).bind(id)).await?;
            }
            let delete = sql(["delete from consumers where key_id = $1 returning key"]).bind(id);
            for row in transaction.fetch(delete).await? {
                let event = AuditEvent {
                    consumer: ConsumerKey::parse(&row.get::<String>("key")?),
                    detail: format!("by command, as the secret key {id} is lost"),
                    ..AuditEvent::new(AuditKind::ConsumerPurged, now)
                };
                record(&mut transaction, &event).await?;
            }
        }
        // The foreign keys refuse it if a row came meanwhile.
        let delete = sql(["delete from secret_keys where id = $1"]).bind(id);
        let is_retired = transaction.execute(delete).await? == 1;
        transaction.commit().await?;
        Ok(is_retired)
    }

    /// Checks that the key file has every key that rows need, and registers its current one.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyMissing`] and [`StoreError::KeyDiffers`].
    pub(super) async fn check_keys(&self, now: Timestamp) -> Result<(), StoreError> {
        for row in self
            .db
            .read(sql(["select id, check_value from secret_keys order by id"]))
            .await?
        {
            let (id, check_value): (String, Vec<u8>) = (row.get("id")?, row.get("check_value")?);
            match self.keyring.key(id.as_bytes()) {
                Some(key) if key.check_value() == check_value => {}
                Some(_) => return Err(StoreError::KeyDiffers { id }),
                None => {
                    let (consumers, tokens) = self.count_uses(&id).await?;
                    if consumers + tokens > 0 {
                        return Err(StoreError::KeyMissing {
                            id,
                            consumers,
                            tokens,
                            present: self.keyring.ids().map(str::to_owned).collect(),
                        });
                    }
                }
            }
        }
        let current = self.keyring.current();
        let insert = sql([
            "insert into secret_keys (id, check_value, first_used_at) values ($1, $2, $3) on conflict do nothing",
        ])
        .bind(current.id_text())
        .bind(current.check_value())
        .bind(now);
        self.db.write(insert).await?;
        Ok(())
    }

    /// Whether the database knows a key that this process lacks.
    pub async fn is_key_missing(&self, id: &str) -> Result<bool, StoreError> {
        let known = self
            .db
            .read(sql(["select id from secret_keys where id = $1"]).bind(id))
            .await?;
        Ok(!known.is_empty() && self.keyring.key(id.as_bytes()).is_none())
    }

    /// How many consumers and how many tokens need a key.
    async fn count_uses(&self, id: &str) -> Result<(u64, u64), StoreError> {
        let mut tokens = 0;
        for statement in TOKENS {
            tokens += self.count(statement, id).await?;
        }
        Ok((self.count(CONSUMERS, id).await?, tokens))
    }

    async fn count(&self, statement: &'static str, id: &str) -> Result<u64, StoreError> {
        let rows = self.db.read(sql([statement]).bind(id)).await?;
        let count: i64 = rows.first().map_or(Ok(0), |row| row.get("count"))?;
        Ok(count.unsigned_abs())
    }
}

const CONSUMERS: &str = "select count(*) as count from consumers where key_id = $1";

/// A renewed token is made by the current key; the handle of its session derives from the key that began the session.
const TOKENS: [&str; 4] = [
    "select count(*) as count from request_tokens where key_id = $1",
    "select count(*) as count from access_tokens where key_id = $1 or substr(session_id, 1, 4) = $1",
    "select count(*) as count from link_tokens where key_id = $1",
    "select count(*) as count from link_dances where key_id = $1",
];

/// What deletes the tokens and secrets that only one key opens, but for the consumers of `consumer add`.
const LOST: [&str; 5] = [
    "delete from request_tokens where key_id = $1",
    "delete from access_tokens where key_id = $1 or substr(session_id, 1, 4) = $1",
    "delete from link_tokens where key_id = $1",
    "delete from link_dances where key_id = $1",
    // The next start writes the secrets of the configuration again.
    "update consumers set secrets = null, key_id = null where key_id = $1 and source = 'config'",
];

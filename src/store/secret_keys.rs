//! The secret keys that rows need. The keys themselves are in the key file alone; the table knows their ids.
//!
//! A process without a key that rows need does not start. A token that was made by a key which another replica has, and this
//! one lacks, is an error of ours and not the consumer's: 503.

use crate::oauth::Timestamp;

use super::db::{Row, sql};
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
            uses.push(KeyUse {
                first_used_at: row.time("first_used_at")?,
                ..self.key_use(row.get("id")?).await?
            });
        }
        Ok(uses)
    }

    /// Removes a key that no row needs. With `lost`, what only this key opens is deleted first: its tokens, whose users
    /// connect again, and the shared secrets of its consumers, which the configuration or `consumer add` gives anew.
    /// `false`: the database does not know the key, or rows need it.
    pub async fn retire_key(&self, id: &str, lost: bool) -> Result<bool, StoreError> {
        if lost {
            for statement in LOST {
                self.db.write(sql([statement]).bind(id)).await?;
            }
        } else if self.key_use(id.to_owned()).await?.is_needed() {
            return Ok(false);
        }
        // The foreign keys refuse it if a row came meanwhile.
        Ok(self
            .db
            .write(sql(["delete from secret_keys where id = $1"]).bind(id))
            .await?
            == 1)
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
                    let key = self.key_use(id).await?;
                    if key.is_needed() {
                        return Err(StoreError::KeyMissing {
                            id: key.id,
                            consumers: key.consumers,
                            tokens: key.tokens,
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

    async fn key_use(&self, id: String) -> Result<KeyUse, StoreError> {
        let count = |row: Option<&Row>| row.map_or(Ok(0), |row| row.get::<i64>("count"));
        let consumers = self.db.read(sql([CONSUMERS]).bind(&*id)).await?;
        let mut tokens = 0;
        for select in TOKENS {
            let rows = self.db.read(sql([select]).bind(&*id)).await?;
            tokens += count(rows.first())?.unsigned_abs();
        }
        Ok(KeyUse {
            first_used_at: Timestamp::from_seconds(0),
            consumers: count(consumers.first())?.unsigned_abs(),
            tokens,
            id,
        })
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

/// What deletes everything that only one key opens.
const LOST: [&str; 6] = [
    "delete from request_tokens where key_id = $1",
    "delete from access_tokens where key_id = $1 or substr(session_id, 1, 4) = $1",
    "delete from link_tokens where key_id = $1",
    "delete from link_dances where key_id = $1",
    // The next start writes the secrets of the configuration again.
    "update consumers set secrets = null, key_id = null where key_id = $1 and source = 'config'",
    "delete from consumers where key_id = $1",
];

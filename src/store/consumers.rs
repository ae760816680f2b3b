//! Consumers, from the configuration and from `linkgate consumer add`.

use std::collections::BTreeMap;

use crate::model::{AuditEvent, AuditKind, Consumer};
use crate::oauth::{ConsumerKey, Timestamp};

use super::audit::record;
use super::consumer_row::{self, COLUMNS, insert};
use super::db::{Row, Sql, portion, sql};
use super::{Keyring, Store, StoreError};

/// What became of the consumers when the configuration was read.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    pub added: Vec<ConsumerKey>,
    pub updated: Vec<ConsumerKey>,
    pub enabled: Vec<ConsumerKey>,
    /// Those that may not act any more, or whose entries are gone. Their tokens are kept.
    pub disabled: Vec<ConsumerKey>,
}

impl Store {
    /// Finds a consumer.
    pub async fn consumer(&self, key: &ConsumerKey) -> Result<Option<Consumer>, StoreError> {
        let select = sql(["select ", COLUMNS, " from consumers where key = $1"]).bind([&key.as_str()]);
        Ok(self.open_consumers(select).await?.pop())
    }

    /// Lists all consumers by their keys.
    pub async fn consumers(&self) -> Result<Vec<Consumer>, StoreError> {
        let select = sql(["select ", COLUMNS, " from consumers order by key"]);
        self.open_consumers(select).await
    }

    async fn open_consumers(&self, select: Sql) -> Result<Vec<Consumer>, StoreError> {
        let open = |row| consumer_row::consumer(row, &self.keyring);
        self.db.read(select).await?.iter().map(open).collect()
    }

    /// Registers a consumer, as a command does. [`StoreError::Conflict`]: its key is taken.
    pub async fn add_consumer(&self, consumer: &Consumer, now: Timestamp) -> Result<(), StoreError> {
        let insert = insert(consumer, &self.keyring, " do nothing", now);
        let event = by_command(AuditKind::ConsumerAdded, &consumer.key, now);
        let added = self.change(insert, &event).await?;
        added.then_some(()).ok_or_else(|| StoreError::Conflict {
            what: format!("the consumer `{}`", consumer.key),
        })
    }

    /// Makes the table equal to the configuration, and disables the consumers that it no longer names. Changes are recorded.
    pub async fn synchronise_consumers(
        &self,
        consumers: &[Consumer],
        now: Timestamp,
    ) -> Result<SyncReport, StoreError> {
        let mut transaction = self.db.begin().await?;
        // Changes nothing, but from here on one replica runs at a time.
        let wait = sql(["update consumers set updated_at = updated_at where source = 'config'"]);
        transaction.on().execute(wait).await?;
        let rows = transaction
            .on()
            .fetch(sql(["select ", COLUMNS, " from consumers"]))
            .await?;
        let keyed = rows.into_iter().map(|row| Ok((row.get::<String>("key")?, row)));
        let mut known = keyed.collect::<Result<BTreeMap<_, _>, StoreError>>()?;
        let mut report = SyncReport::default();
        // In the order of their keys, so that two replicas never wait for each other.
        let mut consumers: Vec<&Consumer> = consumers.iter().collect();
        consumers.sort_by(|a, b| a.key.cmp(&b.key));
        for consumer in consumers {
            let row = known.remove(consumer.key.as_str());
            if report.compare(row, consumer, &self.keyring)? {
                let insert = insert(consumer, &self.keyring, UPDATE, now);
                transaction.on().execute(insert).await?;
            }
        }
        for (key, row) in known {
            let is_gone = row.get("enabled")? && row.get::<String>("source")? == "config";
            if let (true, Some(key)) = (is_gone, ConsumerKey::parse(&key)) {
                transaction.on().execute(set_enabled(&key, false, now)).await?;
                report.disabled.push(key);
            }
        }
        report.disabled.sort();
        for event in report.events(now) {
            record(&mut transaction, event).await?;
        }
        transaction.commit().await?;
        Ok(report)
    }

    /// Enables or disables a consumer, as a command does. `false`: there is none, or it is so already.
    pub async fn set_consumer_enabled(
        &self,
        key: &ConsumerKey,
        enabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (on, off) = (AuditKind::ConsumerEnabled, AuditKind::ConsumerDisabled);
        let event = by_command(if enabled { on } else { off }, key, now);
        self.change(set_enabled(key, enabled, now), &event).await
    }

    /// Deletes a consumer and all its tokens, as a command does. `false`: there is none. The tokens go in portions, so that no
    /// other writer waits for long; the consumer cannot act meanwhile.
    pub async fn purge_consumer(&self, key: &ConsumerKey, now: Timestamp) -> Result<bool, StoreError> {
        self.set_consumer_enabled(key, false, now).await?;
        for table in ["access_tokens", "request_tokens"] {
            self.delete_all(table, "consumer_key = $1", key.as_str()).await?;
        }
        let delete = sql(["delete from consumers where key = $1"]).bind([&key.as_str()]);
        let event = by_command(AuditKind::ConsumerPurged, key, now);
        self.change(delete, &event).await
    }

    /// Deletes the rows of which a condition on a text holds, a portion at a time.
    pub(super) async fn delete_all(
        &self,
        table: &'static str,
        which: &'static str,
        text: &str,
    ) -> Result<(), StoreError> {
        let delete = || portion(table, "digest", which, "").bind([&text]);
        while self.db.write(delete()).await? > 0 {}
        Ok(())
    }
}

fn set_enabled(key: &ConsumerKey, enabled: bool, now: Timestamp) -> Sql {
    sql(["update consumers set enabled = $2, updated_at = $3 where key = $1 and enabled <> $2"]).bind([
        &key.as_str(),
        &enabled,
        &now,
    ])
}

/// Replaces everything in a row.
const UPDATE: &str = " do update set name = excluded.name, source = excluded.source, enabled = excluded.enabled, \
    updated_at = excluded.updated_at, settings = excluded.settings, secrets = excluded.secrets, \
    key_id = excluded.key_id";

fn by_command(kind: AuditKind, key: &ConsumerKey, at: Timestamp) -> AuditEvent {
    event(kind, key, "by command", at)
}

fn event(kind: AuditKind, key: &ConsumerKey, detail: &str, at: Timestamp) -> AuditEvent {
    AuditEvent {
        consumer: Some(key.clone()),
        detail: detail.to_owned(),
        ..AuditEvent::new(kind, at)
    }
}

impl SyncReport {
    /// Notes how an entry differs from its row, if there is one. `true`: the row must be written.
    fn compare(
        &mut self,
        row: Option<Row>,
        consumer: &Consumer,
        keyring: &Keyring,
    ) -> Result<bool, StoreError> {
        let key = || consumer.key.clone();
        let Some(row) = row else {
            self.added.push(key());
            return Ok(true);
        };
        match consumer_row::consumer(&row, keyring) {
            Ok(kept) if kept == *consumer => {
                // Sealed with an older key: sealed again, so that the old one can be retired.
                let key_id: Option<String> = row.nullable("key_id")?;
                return Ok(key_id.is_some_and(|id| id != keyring.current().id_text()));
            }
            Ok(kept) => {
                let enabled = consumer.enabled;
                if kept.enabled != enabled {
                    let changed = if enabled {
                        &mut self.enabled
                    } else {
                        &mut self.disabled
                    };
                    changed.push(key());
                }
                if (Consumer { enabled, ..kept }) != *consumer {
                    self.updated.push(key());
                }
            }
            // Its secrets are gone with a lost key.
            Err(_) if row.nullable::<Vec<u8>>("secrets")?.is_none() => self.updated.push(key()),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn events(&self, now: Timestamp) -> impl Iterator<Item = AuditEvent> {
        let changes = [
            (AuditKind::ConsumerAdded, &self.added),
            (AuditKind::ConsumerUpdated, &self.updated),
            (AuditKind::ConsumerEnabled, &self.enabled),
            (AuditKind::ConsumerDisabled, &self.disabled),
        ];
        changes.into_iter().flat_map(move |(kind, keys)| {
            let keys = keys.iter();
            keys.map(move |key| event(kind, key, "by the configuration", now))
        })
    }
}

//! Consumers, from the configuration and from `linkgate consumer add`.

use std::collections::BTreeMap;

use crate::model::{AuditEvent, AuditKind, Consumer, ConsumerSource};
use crate::oauth::{ConsumerKey, Timestamp};

use super::audit::record;
use super::consumer_row::ConsumerRow;
use super::db::{Sql, portion, sql};
use super::{Keyring, Store, StoreError};

/// What became of the consumers when the configuration was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// New ones.
    pub added: Vec<ConsumerKey>,
    /// Those whose entries say something else now.
    pub updated: Vec<ConsumerKey>,
    /// Those that may act again.
    pub enabled: Vec<ConsumerKey>,
    /// Those that may not act any more, or whose entries are gone. Their tokens are kept.
    pub disabled: Vec<ConsumerKey>,
}

impl Store {
    /// Finds a consumer.
    pub async fn consumer(&self, key: &ConsumerKey) -> Result<Option<Consumer>, StoreError> {
        let select = sql(["select ", COLUMNS, " from consumers where key = $1"]).bind(key.as_str());
        Ok(self.open_consumers(select).await?.pop())
    }

    /// Lists all consumers by their keys.
    pub async fn consumers(&self) -> Result<Vec<Consumer>, StoreError> {
        self.open_consumers(sql(["select ", COLUMNS, " from consumers order by key"]))
            .await
    }

    async fn open_consumers(&self, select: Sql) -> Result<Vec<Consumer>, StoreError> {
        let open = |row| ConsumerRow::read(row)?.open(&self.keyring);
        self.db.read(select).await?.iter().map(open).collect()
    }

    /// Registers a consumer, as a command does. [`StoreError::Conflict`]: its key is taken.
    pub async fn add_consumer(&self, consumer: &Consumer, now: Timestamp) -> Result<(), StoreError> {
        let row = ConsumerRow::new(consumer, &self.keyring);
        let event = by_command(AuditKind::ConsumerAdded, &consumer.key, now);
        let added = self.change(insert(row, " do nothing", now), &event).await?;
        added.then_some(()).ok_or_else(|| StoreError::Conflict {
            what: format!("the consumer `{}`", consumer.key),
        })
    }

    /// Makes the table equal to the configuration for the consumers that it names, and disables those that it named
    /// before and no longer names. Changes are recorded.
    pub async fn synchronise_consumers(
        &self,
        consumers: &[Consumer],
        now: Timestamp,
    ) -> Result<SyncReport, StoreError> {
        let mut transaction = self.db.begin().await?;
        // Changes nothing, but from here on one replica runs at a time.
        let wait = sql(["update consumers set updated_at = updated_at where source = 'config'"]);
        transaction.on().execute(wait).await?;
        let select = sql(["select ", COLUMNS, " from consumers"]);
        let rows = transaction.on().fetch(select).await?;
        let rows = rows
            .iter()
            .map(ConsumerRow::read)
            .collect::<Result<Vec<_>, _>>()?;
        let mut known: BTreeMap<_, _> = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        let mut report = SyncReport::default();
        // In the order of their keys, so that two replicas never wait for each other.
        let mut consumers: Vec<&Consumer> = consumers.iter().collect();
        consumers.sort_by(|a, b| a.key.cmp(&b.key));
        for consumer in consumers {
            let row = known.remove(consumer.key.as_str());
            if report.compare(row, consumer, &self.keyring)? {
                let row = ConsumerRow::new(consumer, &self.keyring);
                transaction.on().execute(insert(row, UPDATE, now)).await?;
            }
        }
        let config = <&str>::from(ConsumerSource::Config);
        let gone = known
            .into_values()
            .filter(|row| row.enabled && row.source == config);
        for key in gone.filter_map(|row| ConsumerKey::parse(&row.key)) {
            let disable = sql(["update consumers set enabled = $2, updated_at = $3 where key = $1"]);
            transaction
                .on()
                .execute(disable.bind(key.as_str()).bind(false).bind(now.seconds()))
                .await?;
            report.disabled.push(key);
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
        let kind = if enabled {
            AuditKind::ConsumerEnabled
        } else {
            AuditKind::ConsumerDisabled
        };
        let update =
            sql(["update consumers set enabled = $2, updated_at = $3 where key = $1 and enabled <> $2"]);
        let update = update.bind(key.as_str()).bind(enabled).bind(now.seconds());
        self.change(update, &by_command(kind, key, now)).await
    }

    /// Deletes a consumer and all its tokens, which refer to it, as a command does. `false`: there is none.
    ///
    /// The tokens go in portions, so that no other writer waits for long; the consumer cannot act meanwhile.
    pub async fn purge_consumer(&self, key: &ConsumerKey, now: Timestamp) -> Result<bool, StoreError> {
        self.set_consumer_enabled(key, false, now).await?;
        for table in ["access_tokens", "request_tokens"] {
            self.delete_all(table, "consumer_key = $1", key.as_str()).await?;
        }
        let delete = sql(["delete from consumers where key = $1"]).bind(key.as_str());
        self.change(delete, &by_command(AuditKind::ConsumerPurged, key, now))
            .await
    }

    /// Deletes the rows of which a condition on a text holds, a portion at a time.
    pub(super) async fn delete_all(
        &self,
        table: &'static str,
        which: &'static str,
        text: &str,
    ) -> Result<(), StoreError> {
        let delete = || portion(table, "digest", which, "").bind(text);
        while self.db.write(delete()).await? > 0 {}
        Ok(())
    }
}

/// Inserts a row; `conflict` is the clause for one with the same key.
fn insert(row: ConsumerRow, conflict: &'static str, now: Timestamp) -> Sql {
    sql([
        "insert into consumers (key, name, source, enabled, settings, secrets, key_id, updated_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (key)",
        conflict,
    ])
    .bind(row.key)
    .bind(row.name)
    .bind(row.source)
    .bind(row.enabled)
    .bind(row.settings)
    .bind(row.secrets)
    .bind(row.key_id)
    .bind(now.seconds())
}

const UPDATE: &str = " do update set name = excluded.name, source = excluded.source, enabled = excluded.enabled, \
    updated_at = excluded.updated_at, settings = excluded.settings, secrets = excluded.secrets, \
    key_id = excluded.key_id";

/// What [`ConsumerRow`] reads.
const COLUMNS: &str = "key, name, source, enabled, settings, secrets, key_id";

fn by_command(kind: AuditKind, key: &ConsumerKey, at: Timestamp) -> AuditEvent {
    AuditEvent {
        consumer: Some(key.clone()),
        detail: "by command".to_owned(),
        ..AuditEvent::new(kind, at)
    }
}

impl SyncReport {
    /// Notes how an entry differs from its row, if there is one. `true`: the row must be written.
    fn compare(
        &mut self,
        row: Option<ConsumerRow>,
        consumer: &Consumer,
        keyring: &Keyring,
    ) -> Result<bool, StoreError> {
        let key = || consumer.key.clone();
        let Some(row) = row else {
            self.added.push(key());
            return Ok(true);
        };
        match row.open(keyring) {
            Ok(kept) if kept == *consumer => {
                // Sealed with an older key: sealed again, so that the old one can be retired.
                return Ok(row.key_id.is_some_and(|id| id != keyring.current().id_text()));
            }
            Ok(kept) => {
                let enabled = consumer.enabled;
                match (kept.enabled, enabled) {
                    (false, true) => self.enabled.push(key()),
                    (true, false) => self.disabled.push(key()),
                    _ => {}
                }
                if (Consumer { enabled, ..kept }) != *consumer {
                    self.updated.push(key());
                }
            }
            // Its secrets are gone with a lost key.
            Err(_) if row.secrets.is_none() => self.updated.push(key()),
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
            keys.iter().map(move |key| AuditEvent {
                consumer: Some(key.clone()),
                detail: "by the configuration".to_owned(),
                ..AuditEvent::new(kind, now)
            })
        })
    }
}

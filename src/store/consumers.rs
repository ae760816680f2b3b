//! Consumers, from the configuration and from `linkgate consumer add`.

use std::collections::HashMap;

use crate::model::{AuditEvent, AuditKind, Consumer, ConsumerSource};
use crate::oauth::{ConsumerKey, Timestamp};

use super::audit::record;
use super::consumer_row::ConsumerRow;
use super::db::{Sql, sql};
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
        let select = sql(["select ", COLUMNS, " from consumers where key = $1"]).bind(key);
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
        let row = ConsumerRow::new(consumer, &self.keyring)?;
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
        transaction.execute(wait).await?;
        let rows = transaction
            .fetch(sql(["select ", COLUMNS, " from consumers"]))
            .await?;
        let rows: Result<_, _> = rows.iter().map(ConsumerRow::read).collect();
        let plan = Plan::new(rows?, consumers, &self.keyring)?;
        for row in plan.rows {
            transaction.execute(insert(row, UPDATE, now)).await?;
        }
        for key in &plan.removed {
            let disable = sql(["update consumers set enabled = $2, updated_at = $3 where key = $1"]);
            transaction
                .execute(disable.bind(key).bind(false).bind(now))
                .await?;
        }
        for event in plan.done.events(now) {
            record(&mut transaction, event).await?;
        }
        transaction.commit().await?;
        Ok(plan.done)
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
        let update = update.bind(key).bind(enabled).bind(now);
        self.change(update, &by_command(kind, key, now)).await
    }

    /// Deletes a consumer and all its tokens, which refer to it, as a command does. `false`: there is none.
    ///
    /// The tokens go in portions, so that no other writer waits for long; the consumer cannot act meanwhile.
    pub async fn purge_consumer(&self, key: &ConsumerKey, now: Timestamp) -> Result<bool, StoreError> {
        self.set_consumer_enabled(key, false, now).await?;
        for portion in PORTIONS {
            self.delete_in_portions(portion, key.as_str()).await?;
        }
        let delete = sql(["delete from consumers where key = $1"]).bind(key);
        self.change(delete, &by_command(AuditKind::ConsumerPurged, key, now))
            .await
    }

    /// Repeats a statement that deletes some rows until it deletes none.
    pub(super) async fn delete_in_portions(&self, delete: &'static str, key: &str) -> Result<(), StoreError> {
        while self.db.write(sql([delete]).bind(key)).await? > 0 {}
        Ok(())
    }
}

/// Inserts a row; `conflict` says what happens if there is one with its key.
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
    .bind(now)
}

const UPDATE: &str = " do update set name = excluded.name, source = excluded.source, enabled = excluded.enabled, \
    updated_at = excluded.updated_at, settings = excluded.settings, secrets = excluded.secrets, \
    key_id = excluded.key_id";

/// What [`ConsumerRow`] reads.
const COLUMNS: &str = "key, name, source, enabled, settings, secrets, key_id";

/// Statements that delete some tokens of a consumer.
const PORTIONS: [&str; 2] = [
    "delete from access_tokens where digest in (select digest from access_tokens where consumer_key = $1 limit 2000)",
    "delete from request_tokens where digest in (select digest from request_tokens where consumer_key = $1 limit 2000)",
];

fn by_command(kind: AuditKind, key: &ConsumerKey, at: Timestamp) -> AuditEvent {
    AuditEvent {
        consumer: Some(key.clone()),
        detail: "by command".to_owned(),
        ..AuditEvent::new(kind, at)
    }
}

/// What is to be written so that the table says what the configuration says.
struct Plan {
    rows: Vec<ConsumerRow>,
    /// Those whose entries are gone.
    removed: Vec<ConsumerKey>,
    done: SyncReport,
}

impl Plan {
    fn new(rows: Vec<ConsumerRow>, consumers: &[Consumer], keyring: &Keyring) -> Result<Self, StoreError> {
        let mut plan = Self {
            rows: Vec::new(),
            removed: Vec::new(),
            done: SyncReport::default(),
        };
        let mut known: HashMap<String, ConsumerRow> =
            rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        // In the order of their keys, so that two replicas never wait for each other.
        let mut consumers: Vec<&Consumer> = consumers.iter().collect();
        consumers.sort_by(|a, b| a.key.cmp(&b.key));
        for consumer in consumers {
            match known.remove(consumer.key.as_str()) {
                None => plan.done.added.push(consumer.key.clone()),
                Some(row) => match row.open(keyring) {
                    Ok(kept) if kept == *consumer => {
                        if row
                            .key_id
                            .as_deref()
                            .is_none_or(|id| id == keyring.current().id_text())
                        {
                            continue;
                        }
                        // Sealed with an older key: sealed again, so that the old one can be retired.
                    }
                    Ok(kept) => plan.done.compare(kept, consumer),
                    // Its secrets are gone with a lost key.
                    Err(_) if row.secrets.is_none() => plan.done.updated.push(consumer.key.clone()),
                    Err(error) => return Err(error),
                },
            }
            plan.rows.push(ConsumerRow::new(consumer, keyring)?);
        }
        plan.removed = known
            .into_values()
            .filter(|row| row.is_from(ConsumerSource::Config) && row.enabled)
            .filter_map(|row| ConsumerKey::parse(&row.key))
            .collect();
        plan.done.disabled.extend_from_slice(&plan.removed);
        plan.done.disabled.sort();
        Ok(plan)
    }
}

impl SyncReport {
    /// Notes how an entry differs from what is kept.
    fn compare(&mut self, kept: Consumer, consumer: &Consumer) {
        match (kept.enabled, consumer.enabled) {
            (false, true) => self.enabled.push(consumer.key.clone()),
            (true, false) => self.disabled.push(consumer.key.clone()),
            _ => {}
        }
        let enabled = consumer.enabled;
        if (Consumer { enabled, ..kept }) != *consumer {
            self.updated.push(consumer.key.clone());
        }
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

//! The audit log.

use crate::model::{AuditEvent, AuditKind};
use crate::oauth::{ConsumerKey, Timestamp};

use super::db::{Row, Sql, Transaction, printable, sql};
use super::{Store, StoreError};

/// Which lines of the audit log to list, and how many at most.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub kind: Option<AuditKind>,
    pub consumer: Option<ConsumerKey>,
    pub subject: Option<String>,
    pub since: Option<Timestamp>,
    pub limit: Option<u32>,
}

impl Store {
    /// Lists the audit log, the newest first.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditEvent>, StoreError> {
        let select = sql([
            "select id, at, kind, consumer_key, subject, address, detail from audit \
             where ($1 is null or kind = $1) and ($2 is null or consumer_key = $2) \
             and ($3 is null or subject = $3) and at >= $4 order by id desc limit $5",
        ])
        .bind([
            &filter.kind.map(AuditKind::name),
            &filter.consumer.as_ref().map(ConsumerKey::as_str),
            &filter.subject.as_deref(),
            &filter.since.map_or(i64::MIN, Timestamp::seconds),
            &filter.limit.map_or(i64::MAX, i64::from),
        ]);
        self.db.read(select).await?.iter().map(event).collect()
    }

    /// Runs a statement that changes one row, and records it. Whether there was such a row.
    pub(super) async fn change(&self, change: Sql, event: &AuditEvent) -> Result<bool, StoreError> {
        let mut transaction = self.db.begin().await?;
        let changed = transaction.on().execute(change).await? == 1;
        if changed {
            record(&mut transaction, event.clone()).await?;
        }
        transaction.commit().await?;
        Ok(changed)
    }

    /// Runs a statement that returns the rows it changed, and records each.
    pub(super) async fn change_all(
        &self,
        change: Sql,
        event: impl Fn(&Row) -> Result<AuditEvent, StoreError>,
    ) -> Result<Vec<Row>, StoreError> {
        let mut transaction = self.db.begin().await?;
        let rows = transaction.on().fetch(change).await?;
        for row in &rows {
            record(&mut transaction, event(row)?).await?;
        }
        transaction.commit().await?;
        Ok(rows)
    }
}

/// Records what happened, in the transaction that makes it so; its commit logs it.
pub(super) async fn record(transaction: &mut Transaction, event: AuditEvent) -> Result<(), StoreError> {
    let insert = sql([
        "insert into audit (at, kind, consumer_key, subject, address, detail) values ($1, $2, $3, $4, $5, $6)",
    ]);
    let insert = insert.bind([
        &event.at,
        &event.kind.name(),
        &event.consumer.as_ref().map(ConsumerKey::as_str),
        &event.subject.as_deref().map(printable),
        &event.address.map(|address| address.to_string()),
        &printable(&event.detail),
    ]);
    transaction.on().execute(insert).await?;
    transaction.recorded.push(event);
    Ok(())
}

fn event(row: &Row) -> Result<AuditEvent, StoreError> {
    Ok(AuditEvent {
        at: row.time("at")?,
        kind: row.parse(TABLE, "kind", |text| {
            text.parse().map_err(|_| "there is no such kind")
        })?,
        consumer: row.optional(TABLE, "consumer_key", super::db::consumer_key)?,
        subject: row.nullable("subject")?,
        address: row.optional(TABLE, "address", str::parse)?,
        detail: row.get("detail")?,
    })
}

const TABLE: &str = "audit";

//! The audit log: what happened, for people.

use crate::model::{AuditEvent, AuditKind};
use crate::oauth::{ConsumerKey, Timestamp};

use super::{Store, StoreError, on};

impl Store {
    /// Writes down what happened.
    pub async fn record(&self, event: &AuditEvent) -> Result<(), StoreError> {
        on!(write & self.pool, |db| {
            sqlx::query(
                "insert into audit (at, kind, consumer_key, subject, address, reference, detail) \
                 values ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(event.at.seconds())
            .bind(event.kind.name())
            .bind(event.consumer.as_ref().map(ConsumerKey::as_str))
            .bind(event.subject.as_deref().map(printable))
            .bind(event.address.map(|address| address.to_string()))
            .bind(event.reference.as_deref().map(printable))
            .bind(printable(&event.detail))
            .execute(db)
            .await?;
        });
        Ok(())
    }

    /// What happened last, the newest first.
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        let rows: Vec<Row> = on!(&self.pool, |db| {
            sqlx::query_as(
                "select id, at, kind, consumer_key, subject, address, reference, detail from audit \
                 order by id desc limit $1",
            )
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?
        });
        rows.into_iter().map(AuditEvent::try_from).collect()
    }
}

/// A stranger may have chosen the words: control characters do not belong in them, and PostgreSQL refuses NUL.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// A row as it stands in the table.
#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    at: i64,
    kind: String,
    consumer_key: Option<String>,
    subject: Option<String>,
    address: Option<String>,
    reference: Option<String>,
    detail: String,
}

impl TryFrom<Row> for AuditEvent {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let wrong = |why: &str| StoreError::inconsistent("audit", format!("{}: {why}", row.id));
        let consumer = row.consumer_key.map(|key| ConsumerKey::parse(&key));
        let address = row.address.map(|address| address.parse());
        Ok(Self {
            at: Timestamp::from_seconds(row.at),
            kind: AuditKind::parse(&row.kind).ok_or_else(|| wrong("nothing of this kind happens"))?,
            consumer: match consumer {
                Some(None) => return Err(wrong("the consumer key is not one")),
                consumer => consumer.flatten(),
            },
            subject: row.subject,
            address: address.transpose().map_err(|_| wrong("the address is not one"))?,
            reference: row.reference,
            detail: row.detail,
        })
    }
}

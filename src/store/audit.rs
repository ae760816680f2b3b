//! The audit log: what happened, for people.

use crate::model::{AuditEvent, AuditKind};
use crate::oauth::{ConsumerKey, Timestamp};

use super::{Store, StoreError, on};

/// Writes down what happened, in the transaction that makes it so.
macro_rules! record {
    ($db:expr, $event:expr) => {{
        let event: &$crate::model::AuditEvent = $event;
        sqlx::query(
            "insert into audit (at, kind, consumer_key, subject, address, detail) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(event.at.seconds())
        .bind(event.kind.name())
        .bind(event.consumer.as_ref().map($crate::oauth::ConsumerKey::as_str))
        .bind(event.subject.as_deref().map($crate::store::audit::printable))
        .bind(event.address.map(|address| address.to_string()))
        .bind($crate::store::audit::printable(&event.detail))
        .execute($db)
        .await?
    }};
}
pub(super) use record;

/// Changes a row, and writes it down. Whether there was something to change.
macro_rules! change {
    ($self:ident, $event:expr, $change:expr, $($bound:expr),+) => {
        on!(write & $self.pool, |db| {
            let mut transaction = db.begin().await?;
            let changed = sqlx::query($change)
                $(.bind($bound))+
                .execute(&mut *transaction)
                .await?
                .rows_affected()
                == 1;
            if changed {
                $crate::store::audit::record!(&mut *transaction, &$event);
            }
            transaction.commit().await?;
            changed
        })
    };
}
pub(super) use change;

/// Which lines of the audit log to list.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only those of this kind.
    pub kind: Option<AuditKind>,
    /// Only those about this consumer.
    pub consumer: Option<ConsumerKey>,
    /// Only those about this user.
    pub subject: Option<String>,
    /// Only those of this time or later.
    pub since: Option<Timestamp>,
    /// How many to list, at most; `None`: all of them.
    pub limit: Option<u32>,
}

impl Store {
    /// What happened last, the newest first.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditEvent>, StoreError> {
        let rows: Vec<Row> = on!(&self.pool, |db| {
            sqlx::query_as(
                "select id, at, kind, consumer_key, subject, address, detail from audit \
                 where ($1 is null or kind = $1) and ($2 is null or consumer_key = $2) \
                 and ($3 is null or subject = $3) and at >= $4 order by id desc limit $5",
            )
            .bind(filter.kind.map(AuditKind::name))
            .bind(filter.consumer.as_ref().map(ConsumerKey::as_str))
            .bind(filter.subject.as_deref())
            .bind(filter.since.map_or(i64::MIN, Timestamp::seconds))
            .bind(filter.limit.map_or(i64::MAX, i64::from))
            .fetch_all(db)
            .await?
        });
        rows.into_iter().map(AuditEvent::try_from).collect()
    }
}

/// Others have chosen some of the words: control characters do not belong in them, and PostgreSQL refuses NUL.
pub(super) fn printable(text: &str) -> String {
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
            detail: row.detail,
        })
    }
}

//! Access tokens: standing answers.

use std::net::IpAddr;

use crate::model::{AccessToken, AuditEvent, AuditKind, NewAccess, TokenSession, User};
use crate::oauth::{ConsumerKey, Timestamp, Token};

use super::audit::record;
use super::user_row::UserRow;
use super::{Store, StoreError, digest, on};

/// What a [`Row`] is read from.
macro_rules! columns {
    () => {
        "id, consumer_key, subject, display_name, proved_by, proved_at, \
         coalesce(connected_at, issued_at) as connected_at, host, issued_at, expires_at, \
         session_id, session_expires_at, revoked_at, last_used_at, last_used_from"
    };
}
pub(super) use columns;

/// Which access tokens to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those of this consumer.
    pub consumer: Option<ConsumerKey>,
    /// Only those that stand for this user.
    pub subject: Option<String>,
    /// How many to list, at most; `None`: all of them.
    pub limit: Option<u32>,
}

/// Lists those of which a condition holds, `$1` at most, the newest first. Each condition is a statement of its own, so that
/// the database can use its index.
macro_rules! list {
    ($self:ident, $limit:ident, $which:literal $(, $bound:expr)*) => {
        on!(&$self.pool, |db| {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from access_tokens where ",
                $which,
                " order by issued_at desc, id limit $1"
            ))
            .bind($limit)
            $(.bind($bound))*
            .fetch_all(db)
            .await?
        })
    };
}

impl Store {
    /// Finds an access token, dead ones too: the refusal says of what it died.
    pub async fn access_token(&self, token: &Token) -> Result<Option<AccessToken>, StoreError> {
        let row: Option<Row> = on!(&self.pool, |db| {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from access_tokens where digest = $1"
            ))
            .bind(digest(token.as_str()))
            .fetch_optional(db)
            .await?
        });
        row.map(AccessToken::try_from).transpose()
    }

    /// Lists access tokens, dead ones too, the newest first.
    pub async fn access_tokens(&self, filter: &Filter) -> Result<Vec<AccessToken>, StoreError> {
        let limit = filter.limit.map_or(i64::MAX, i64::from);
        let consumer = filter.consumer.as_ref().map(ConsumerKey::as_str);
        let rows: Vec<Row> = match (consumer, filter.subject.as_deref()) {
            (None, None) => list!(self, limit, "true"),
            (Some(consumer), None) => list!(self, limit, "consumer_key = $2", consumer),
            (None, Some(subject)) => list!(self, limit, "subject = $2", subject),
            (Some(consumer), Some(subject)) => {
                list!(
                    self,
                    limit,
                    "consumer_key = $2 and subject = $3",
                    consumer,
                    subject
                )
            }
        };
        rows.into_iter().map(AccessToken::try_from).collect()
    }

    /// Finds an access token by its public name, dead ones too.
    pub async fn access_token_named(&self, id: &str) -> Result<Option<AccessToken>, StoreError> {
        let limit = 1_i64;
        let rows: Vec<Row> = list!(self, limit, "id = $2", id);
        rows.into_iter().next().map(AccessToken::try_from).transpose()
    }

    /// Puts a new access token into the place of an old one, which dies in the same statement (OAuth Session 1.0), for a
    /// consumer at an address. An expired token can be renewed, a revoked one or one whose session is over cannot: `None`.
    #[expect(clippy::too_many_arguments, reason = "each is named in the statement")]
    pub async fn renew(
        &self,
        old: &Token,
        consumer: &ConsumerKey,
        session_id: &str,
        new: &Token,
        issued_at: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
        address: Option<IpAddr>,
    ) -> Result<Option<AccessToken>, StoreError> {
        let renewed = on!(write & self.pool, |db| {
            let mut transaction = db.begin().await?;
            let rows: Vec<Row> = sqlx::query_as(concat!(
                "update access_tokens set digest = $5, id = $6, issued_at = $7, expires_at = $8 \
                     where digest = $1 and consumer_key = $2 and session_id = $3 and session_expires_at > $4 \
                     and revoked_at is null returning ",
                columns!()
            ))
            .bind(digest(old.as_str()))
            .bind(consumer.as_str())
            .bind(session_id)
            .bind(now.seconds())
            .bind(digest(new.as_str()))
            .bind(id(new))
            .bind(issued_at.seconds())
            .bind(expires_at.seconds())
            .fetch_all(&mut *transaction)
            .await?;
            for row in &rows {
                let event = AuditEvent {
                    address,
                    ..row.event(AuditKind::Renewed, now)
                };
                record!(&mut *transaction, &event);
            }
            transaction.commit().await?;
            rows
        });
        renewed.into_iter().next().map(AccessToken::try_from).transpose()
    }

    /// Notes the use of an access token, to the minute: within one minute, the first call alone writes.
    pub async fn touch_access_token(
        &self,
        token: &Token,
        at: Timestamp,
        from: Option<IpAddr>,
    ) -> Result<(), StoreError> {
        on!(write & self.pool, |db| {
            sqlx::query(
                "update access_tokens set last_used_at = $2, last_used_from = $3 \
                 where digest = $1 and (last_used_at is null or last_used_at < $2)",
            )
            .bind(digest(token.as_str()))
            .bind(at.bucket() * 60)
            .bind(from.map(|address| address.to_string()))
            .execute(db)
            .await?;
        });
        Ok(())
    }
}

/// The access token that an exchange grants.
pub(super) fn granted(
    token: &Token,
    consumer: &ConsumerKey,
    user: User,
    host: Option<String>,
    access: &NewAccess,
) -> AccessToken {
    AccessToken {
        id: id(token),
        consumer: consumer.clone(),
        user,
        connected_at: access.issued_at,
        host,
        issued_at: access.issued_at,
        expires_at: access.expires_at,
        session: access.session.clone(),
        revoked_at: None,
        last_used: None,
    }
}

/// Inserts a granted access token within a transaction on either database.
macro_rules! insert {
    ($transaction:ident, $token:expr, $granted:expr) => {
        sqlx::query(
            "insert into access_tokens (digest, id, consumer_key, subject, display_name, proved_by, proved_at, \
             issued_at, expires_at, session_id, session_expires_at, connected_at, host) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind($crate::store::digest($token.as_str()))
        .bind(&$granted.id)
        .bind($granted.consumer.as_str())
        .bind(&$granted.user.subject)
        .bind(&$granted.user.display_name)
        .bind(&$granted.user.proved_by)
        .bind($granted.user.proved_at.seconds())
        .bind($granted.issued_at.seconds())
        .bind($granted.expires_at.seconds())
        .bind($granted.session.as_ref().map(|session| session.id.as_str()))
        .bind($granted.session.as_ref().map(|session| session.expires_at.seconds()))
        .bind($granted.connected_at.seconds())
        .bind($granted.host.as_deref())
        .execute(&mut *$transaction)
        .await?
    };
}
pub(super) use insert;

/// The public name of a token: the first 16 hexadecimal digits of its hash.
fn id(token: &Token) -> String {
    use std::fmt::Write as _;

    digest(token.as_str())[..8]
        .iter()
        .fold(String::new(), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
}

/// A row as it stands in the table.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: String,
    consumer_key: String,
    #[sqlx(flatten)]
    user: UserRow,
    connected_at: i64,
    host: Option<String>,
    issued_at: i64,
    expires_at: i64,
    session_id: Option<String>,
    session_expires_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
    last_used_from: Option<String>,
}

impl Row {
    /// What became of it. A consumer key that is none keeps nobody from revoking it.
    pub(super) fn event(&self, kind: AuditKind, at: Timestamp) -> AuditEvent {
        AuditEvent {
            consumer: ConsumerKey::parse(&self.consumer_key),
            subject: Some(self.user.subject.clone()),
            ..AuditEvent::new(kind, at)
        }
    }
}

impl TryFrom<Row> for AccessToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let wrong = |why: &str| StoreError::inconsistent("access_tokens", format!("{}: {why}", row.id));
        let session = match (row.session_id, row.session_expires_at) {
            (Some(id), Some(expires_at)) => Some(TokenSession {
                id,
                expires_at: Timestamp::from_seconds(expires_at),
            }),
            (None, None) => None,
            _ => return Err(wrong("half a session")),
        };
        let from = match row.last_used_from {
            Some(address) => Some(address.parse().map_err(|_| wrong("the address is not one"))?),
            None => None,
        };
        Ok(Self {
            consumer: ConsumerKey::parse(&row.consumer_key)
                .ok_or_else(|| wrong("the consumer key is not one"))?,
            user: row.user.into(),
            connected_at: Timestamp::from_seconds(row.connected_at),
            host: row.host,
            issued_at: Timestamp::from_seconds(row.issued_at),
            expires_at: Timestamp::from_seconds(row.expires_at),
            session,
            revoked_at: row.revoked_at.map(Timestamp::from_seconds),
            last_used: row.last_used_at.map(|at| (Timestamp::from_seconds(at), from)),
            id: row.id,
        })
    }
}

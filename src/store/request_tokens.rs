//! Request tokens: questions put to users, and what became of them.
//!
//! That stands in the audit log as well, and is written together with it.

use std::net::IpAddr;

use crate::model::{AccessToken, AuditEvent, AuditKind, NewAccess, RequestToken, RequestTokenState, User};
use crate::oauth::{Callback, ConsumerKey, Timestamp, Token};

use super::access_tokens;
use super::audit::record;
use super::user_row::UserRow;
use super::{Store, StoreError, digest, on};

/// Answers the question of the request token `$1` if it is open at the time `$2`, and writes down who did. Whether it was.
macro_rules! answer {
    ($self:ident, $token:ident, $now:ident, $event:expr, $answer:literal $(, $bound:expr)*) => {{
        let event = $event;
        on!(write & $self.pool, |db| {
            let mut transaction = db.begin().await?;
            let asked: Vec<(String,)> = sqlx::query_as(concat!(
                "update request_tokens set ",
                $answer,
                " where digest = $1 and state = 'pending' and expires_at > $2 returning consumer_key"
            ))
            .bind(digest($token.as_str()))
            .bind($now.seconds())
            $(.bind($bound))*
            .fetch_all(&mut *transaction)
            .await?;
            for (consumer,) in &asked {
                let event = AuditEvent {
                    consumer: Some(consumer_key(consumer)?),
                    ..event.clone()
                };
                record!(&mut *transaction, &event);
            }
            transaction.commit().await?;
            !asked.is_empty()
        })
    }};
}

impl Store {
    /// Keeps a request token that was just issued. Its state must be [`RequestTokenState::Pending`].
    pub async fn add_request_token(&self, token: &Token, request: &RequestToken) -> Result<(), StoreError> {
        if request.state != RequestTokenState::Pending {
            return Err(StoreError::inconsistent(
                TABLE,
                "a new token cannot be answered already",
            ));
        }
        on!(write & self.pool, |db| {
            sqlx::query(
                "insert into request_tokens \
                 (digest, consumer_key, callback, issued_at, expires_at, wrong_verifiers, state) \
                 values ($1, $2, $3, $4, $5, $6, 'pending')",
            )
            .bind(digest(token.as_str()))
            .bind(request.consumer.as_str())
            .bind(request.callback.as_str())
            .bind(request.issued_at.seconds())
            .bind(request.expires_at.seconds())
            .bind(i64::from(request.wrong_verifiers))
            .execute(db)
            .await?;
        });
        Ok(())
    }

    /// Finds a request token, dead ones too: the refusal says of what it died.
    pub async fn request_token(&self, token: &Token) -> Result<Option<RequestToken>, StoreError> {
        let row: Option<Row> = on!(&self.pool, |db| {
            sqlx::query_as(
                "select consumer_key, callback, issued_at, expires_at, wrong_verifiers, state, \
                 subject, display_name, proved_by, proved_at from request_tokens where digest = $1",
            )
            .bind(digest(token.as_str()))
            .fetch_optional(db)
            .await?
        });
        row.map(RequestToken::try_from).transpose()
    }

    /// Writes down that a user said yes, at an address. `false`: the question is not open any more.
    pub async fn authorize_request_token(
        &self,
        token: &Token,
        by: &User,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(answer!(
            self,
            token,
            now,
            event(AuditKind::Approved, &by.subject, address, now),
            "state = 'authorized', subject = $3, display_name = $4, proved_by = $5, proved_at = $6",
            &by.subject,
            &by.display_name,
            &by.proved_by,
            by.proved_at.seconds()
        ))
    }

    /// Writes down that a user said no, at an address. `false`: the question is not open any more.
    pub async fn deny_request_token(
        &self,
        token: &Token,
        by: &User,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(answer!(
            self,
            token,
            now,
            event(AuditKind::Denied, &by.subject, address, now),
            "state = 'denied'"
        ))
    }

    /// Counts a signed exchange with a wrong verifier, and says how many there were. At `limit` the token is used up; a
    /// token that does not wait for its verifier (any more) counts as used up.
    pub async fn count_wrong_verifier(
        &self,
        token: &Token,
        limit: u32,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let counts: Vec<i64> = on!(write & self.pool, |db| {
            sqlx::query_scalar(
                "update request_tokens set wrong_verifiers = wrong_verifiers + 1, \
                 state = case when wrong_verifiers + 1 >= $3 then 'used' else state end \
                 where digest = $1 and state = 'authorized' and expires_at > $2 returning wrong_verifiers",
            )
            .bind(digest(token.as_str()))
            .bind(now.seconds())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?
        });
        counts.first().map_or(Ok(limit), |count| counted(*count))
    }

    /// How many questions of a consumer are open or answered with yes, and not yet exchanged.
    pub async fn live_request_tokens(
        &self,
        consumer: &ConsumerKey,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let count: i64 = on!(&self.pool, |db| {
            sqlx::query_scalar(
                "select count(*) from request_tokens \
                 where consumer_key = $1 and expires_at > $2 and state in ('pending', 'authorized')",
            )
            .bind(consumer.as_str())
            .bind(now.seconds())
            .fetch_one(db)
            .await?
        });
        u64::try_from(count).map_err(|_| StoreError::inconsistent(TABLE, "it has fewer than no rows"))
    }

    /// Turns an authorized request token into an access token, for a consumer at an address. `None`: it is not (or not any
    /// more) one that this consumer can exchange. Of two that race, one wins.
    pub async fn exchange(
        &self,
        token: &Token,
        consumer: &ConsumerKey,
        now: Timestamp,
        access_token: &Token,
        access: &NewAccess,
        address: Option<IpAddr>,
    ) -> Result<Option<AccessToken>, StoreError> {
        let granted = on!(write & self.pool, |db| {
            let mut transaction = db.begin().await?;
            let answers: Vec<Answered> = sqlx::query_as(
                "update request_tokens set state = 'used' \
                 where digest = $1 and consumer_key = $2 and state = 'authorized' and expires_at > $3 \
                 returning callback, subject, display_name, proved_by, proved_at",
            )
            .bind(digest(token.as_str()))
            .bind(consumer.as_str())
            .bind(now.seconds())
            .fetch_all(&mut *transaction)
            .await?;
            match answers.into_iter().next() {
                None => None,
                Some(Answered { callback, user }) => {
                    let host = host(&callback);
                    let granted = access_tokens::granted(access_token, consumer, user.into(), host, access);
                    access_tokens::insert!(transaction, access_token, &granted);
                    let event = AuditEvent {
                        consumer: Some(consumer.clone()),
                        ..event(AuditKind::Exchanged, &granted.user.subject, address, now)
                    };
                    record!(&mut *transaction, &event);
                    transaction.commit().await?;
                    Some(granted)
                }
            }
        });
        Ok(granted)
    }
}

/// What a user did.
fn event(kind: AuditKind, subject: &str, address: Option<IpAddr>, at: Timestamp) -> AuditEvent {
    AuditEvent {
        subject: Some(subject.to_owned()),
        address,
        ..AuditEvent::new(kind, at)
    }
}

/// What an exchange reads of the question.
#[derive(sqlx::FromRow)]
struct Answered {
    callback: String,
    #[sqlx(flatten)]
    user: UserRow,
}

/// The host of a callback that is a URL.
fn host(callback: &str) -> Option<String> {
    match Callback::parse(callback) {
        Ok(Callback::Url(url)) => Some(url.host().to_owned()),
        _ => None,
    }
}

/// A row as it stands in the table.
#[derive(sqlx::FromRow)]
struct Row {
    consumer_key: String,
    callback: String,
    issued_at: i64,
    expires_at: i64,
    wrong_verifiers: i64,
    state: String,
    subject: Option<String>,
    display_name: Option<String>,
    proved_by: Option<String>,
    proved_at: Option<i64>,
}

impl TryFrom<Row> for RequestToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let user = || {
            Some(User {
                subject: row.subject?,
                display_name: row.display_name?,
                proved_by: row.proved_by?,
                proved_at: Timestamp::from_seconds(row.proved_at?),
            })
        };
        let state = match row.state.as_str() {
            "pending" => RequestTokenState::Pending,
            "authorized" => RequestTokenState::Authorized {
                by: user().ok_or_else(|| StoreError::inconsistent(TABLE, "it is authorized by nobody"))?,
            },
            "denied" => RequestTokenState::Denied,
            "used" => RequestTokenState::Used,
            other => return Err(StoreError::inconsistent(TABLE, format!("the state is `{other}`"))),
        };
        Ok(Self {
            consumer: consumer_key(&row.consumer_key)?,
            callback: Callback::parse(&row.callback)
                .map_err(|problem| StoreError::inconsistent(TABLE, format!("the callback: {problem}")))?,
            issued_at: Timestamp::from_seconds(row.issued_at),
            expires_at: Timestamp::from_seconds(row.expires_at),
            wrong_verifiers: counted(row.wrong_verifiers)?,
            state,
        })
    }
}

fn consumer_key(text: &str) -> Result<ConsumerKey, StoreError> {
    ConsumerKey::parse(text).ok_or_else(|| StoreError::inconsistent(TABLE, "the consumer key is not one"))
}

fn counted(count: i64) -> Result<u32, StoreError> {
    u32::try_from(count).map_err(|_| StoreError::inconsistent(TABLE, format!("{count} wrong verifiers")))
}

const TABLE: &str = "request_tokens";

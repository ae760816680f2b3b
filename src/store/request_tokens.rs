//! Request tokens (RFC 5849, section 2.1) and the decisions of users.

use std::net::IpAddr;

use crate::model::{AccessToken, AuditEvent, AuditKind, NewAccess, RequestToken, RequestTokenState, User};
use crate::oauth::{Callback, ConsumerKey, Timestamp, Token};

use super::access_tokens;
use super::audit::record;
use super::db::{self, Row, Sql, sql};
use super::users::user;
use super::{Store, StoreError, digest, key_id};

impl Store {
    /// Keeps a request token that was just issued. Its state must be [`RequestTokenState::Pending`].
    pub async fn add_request_token(&self, token: &Token, request: &RequestToken) -> Result<(), StoreError> {
        if request.state != RequestTokenState::Pending {
            return Err(StoreError::inconsistent(TABLE, "a new token is decided already"));
        }
        let insert = sql(["insert into request_tokens \
             (digest, key_id, consumer_key, callback, issued_at, expires_at, wrong_verifiers, state) \
             values ($1, $2, $3, $4, $5, $6, 0, 'pending')"])
        .bind([
            &digest(token.as_str()),
            &key_id(token),
            &request.consumer.as_str(),
            &request.callback.as_str(),
            &request.issued_at,
            &request.expires_at,
        ]);
        self.db.write(insert).await.map(drop)
    }

    /// Finds a request token, expired and used ones too: their rejections differ.
    pub async fn request_token(&self, token: &Token) -> Result<Option<RequestToken>, StoreError> {
        let select = sql([
            "select consumer_key, callback, issued_at, expires_at, wrong_verifiers, state, \
             subject, display_name, proved_by, proved_at from request_tokens where digest = $1",
        ])
        .bind([&digest(token.as_str())]);
        self.db.read(select).await?.first().map(request_token).transpose()
    }

    /// Records that a user, at an address, approved a request token. `false`: it is not pending any more.
    pub async fn authorize_request_token(
        &self,
        token: &Token,
        by: &User,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = sql([
            "update request_tokens set state = 'authorized', subject = $3, display_name = $4, proved_by = $5, \
             proved_at = $6 where digest = $1 and state = 'pending' and expires_at > $2 returning consumer_key",
        ])
        .bind([&digest(token.as_str()), &now])
        .bind_user(by);
        let event = AuditEvent::new(AuditKind::Approved, now).by(&by.subject, address);
        self.decide(update, event).await
    }

    /// Records that a user, at an address, denied a request token. `false`: it is not pending any more.
    pub async fn deny_request_token(
        &self,
        token: &Token,
        by: &User,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = sql(["update request_tokens set state = 'denied' \
             where digest = $1 and state = 'pending' and expires_at > $2 returning consumer_key"])
        .bind([&digest(token.as_str()), &now]);
        let event = AuditEvent::new(AuditKind::Denied, now).by(&by.subject, address);
        self.decide(update, event).await
    }

    async fn decide(&self, update: Sql, event: AuditEvent) -> Result<bool, StoreError> {
        let decided = |row: &Row| {
            let consumer = Some(row.parse(TABLE, "consumer_key", db::consumer_key)?);
            let event = event.clone();
            Ok(AuditEvent { consumer, ..event })
        };
        Ok(!self.change_all(update, decided).await?.is_empty())
    }

    /// Counts a signed exchange with a wrong verifier, and returns how many there were. At `limit` the token is used up.
    pub async fn count_wrong_verifier(
        &self,
        token: &Token,
        limit: u32,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let update = sql([
            "update request_tokens set wrong_verifiers = wrong_verifiers + 1, \
             state = case when wrong_verifiers + 1 >= $3 then 'used' else state end \
             where digest = $1 and state = 'authorized' and expires_at > $2 returning wrong_verifiers",
        ])
        .bind([&digest(token.as_str()), &now, &i64::from(limit)]);
        let mut transaction = self.db.begin().await?;
        let rows = transaction.on().fetch(update).await?;
        transaction.commit().await?;
        rows.first().map_or(Ok(limit), wrong_verifiers)
    }

    /// How many request tokens of a consumer are pending, or approved and not yet exchanged.
    pub async fn live_request_tokens(
        &self,
        consumer: &ConsumerKey,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let select = sql(["select count(*) as live from request_tokens \
             where consumer_key = $1 and expires_at > $2 and state in ('pending', 'authorized')"])
        .bind([&consumer.as_str(), &now]);
        let rows = self.db.read(select).await?;
        let live: i64 = rows.first().map_or(Ok(0), |row| row.get("live"))?;
        Ok(live.unsigned_abs())
    }

    /// Exchanges an approved request token for an access token, for a consumer at an address. `None`: it is not (or not any
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
        let update = sql(["update request_tokens set state = 'used' \
             where digest = $1 and consumer_key = $2 and state = 'authorized' and expires_at > $3 \
             returning callback, subject, display_name, proved_by, proved_at"])
        .bind([&digest(token.as_str()), &consumer.as_str(), &now]);
        let mut transaction = self.db.begin().await?;
        let rows = transaction.on().fetch(update).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let (user, host) = (user(row)?, host(&row.get::<String>("callback")?));
        let granted =
            access_tokens::grant(&mut transaction, access_token, consumer, &user, host, access).await?;
        let event = AuditEvent {
            consumer: Some(consumer.clone()),
            ..AuditEvent::new(AuditKind::Exchanged, now).by(&granted.user.subject, address)
        };
        record(&mut transaction, event).await?;
        transaction.commit().await?;
        Ok(Some(granted))
    }
}

fn host(callback: &str) -> Option<String> {
    match Callback::parse(callback) {
        Ok(Callback::Url(url)) => Some(url.host().to_owned()),
        _ => None,
    }
}

fn request_token(row: &Row) -> Result<RequestToken, StoreError> {
    let state: String = row.get("state")?;
    let approver = || user(row).map_err(|error| StoreError::inconsistent(TABLE, error.to_string()));
    Ok(RequestToken {
        consumer: row.parse(TABLE, "consumer_key", db::consumer_key)?,
        callback: row.parse(TABLE, "callback", Callback::parse)?,
        issued_at: row.time("issued_at")?,
        expires_at: row.time("expires_at")?,
        wrong_verifiers: wrong_verifiers(row)?,
        state: match &*state {
            "pending" => RequestTokenState::Pending,
            "authorized" => RequestTokenState::Authorized { by: approver()? },
            "denied" => RequestTokenState::Denied,
            "used" => RequestTokenState::Used { by: approver()? },
            other => return Err(StoreError::inconsistent(TABLE, format!("the state is `{other}`"))),
        },
    })
}

fn wrong_verifiers(row: &Row) -> Result<u32, StoreError> {
    let count: i64 = row.get("wrong_verifiers")?;
    u32::try_from(count).map_err(|_| StoreError::inconsistent(TABLE, format!("{count} wrong verifiers")))
}

const TABLE: &str = "request_tokens";

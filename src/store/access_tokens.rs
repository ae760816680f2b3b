//! Access tokens: found by consumers' calls, listed and revoked by people.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::model::{AccessToken, AuditEvent, AuditKind, NewAccess, TokenSession, User};
use crate::oauth::{ConsumerKey, Timestamp, Token};

use super::db::{self, Row, Sql, Transaction, sql};
use super::users::user;
use super::{Store, StoreError, digest, key_id};

/// Which access tokens to list, and how many at most.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub consumer: Option<ConsumerKey>,
    pub subject: Option<String>,
    pub limit: Option<u32>,
}

/// Which access tokens an administrator looks for, how many to skip, and how many to list at most.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub consumer: Option<ConsumerKey>,
    /// Only those of users whose name, or display name, contains this in any case.
    pub user: String,
    pub skip: u32,
    pub limit: u32,
}

/// When and from where tokens were last used.
pub type TokenUses = HashMap<Token, (Timestamp, Option<IpAddr>)>;

/// Which access tokens to revoke: by their public name, or their user's.
#[expect(missing_docs, reason = "the names of the fields say it")]
#[derive(Clone, Copy, Debug)]
pub enum Revoke<'a> {
    /// One, of any user, and also if it has expired: our clock may be ahead of another replica's.
    One { id: &'a str },
    /// One, if it is this user's.
    Own { id: &'a str, subject: &'a str },
    /// All of this user.
    AllOf { subject: &'a str },
}

/// Who revokes access tokens.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The user's or the command's name.
    pub name: &'a str,
    /// The address of the browser, if there is one.
    pub address: Option<IpAddr>,
}

impl Store {
    /// Finds an access token, revoked and expired ones too: their rejections differ.
    pub async fn access_token(&self, token: &Token) -> Result<Option<AccessToken>, StoreError> {
        let select = sql(["select ", COLUMNS, " from access_tokens where digest = $1"])
            .bind([&digest(token.as_str())]);
        self.one(select).await
    }

    /// Finds an access token, or the one that has replaced it since a time (OAuth Session 1.0).
    pub async fn access_token_or_renewed(
        &self,
        token: &Token,
        since: Timestamp,
    ) -> Result<Option<AccessToken>, StoreError> {
        let which = " from access_tokens where digest = $1 or (replaced_digest = $1 and issued_at >= $2)";
        let select = sql(["select ", COLUMNS, which]).bind([&digest(token.as_str()), &since]);
        self.one(select).await
    }

    async fn one(&self, select: Sql) -> Result<Option<AccessToken>, StoreError> {
        self.db.read(select).await?.first().map(access_token).transpose()
    }

    /// Finds an access token by its public name, revoked and expired ones too.
    pub async fn access_token_by_id(&self, id: &str) -> Result<Option<AccessToken>, StoreError> {
        Ok(self.list(list("id = $2", 1).bind([&id])).await?.pop())
    }

    /// Lists access tokens, revoked and expired ones too, the newest first.
    pub async fn access_tokens(&self, filter: &Filter) -> Result<Vec<AccessToken>, StoreError> {
        let limit = filter.limit.map_or(i64::MAX, i64::from);
        // Each condition is a statement of its own, so that the database can use its index.
        self.list(match (&filter.consumer, filter.subject.as_deref()) {
            (None, None) => list("true", limit),
            (Some(consumer), None) => list("consumer_key = $2", limit).bind([&consumer.as_str()]),
            (None, Some(subject)) => list("subject = $2", limit).bind([&subject]),
            (Some(consumer), Some(subject)) => {
                let list = list("consumer_key = $2 and subject = $3", limit);
                list.bind([&consumer.as_str(), &subject])
            }
        })
        .await
    }

    /// Lists the access tokens of a user that can still be used or renewed, the newest connection first.
    pub async fn connections(&self, subject: &str, now: Timestamp) -> Result<Vec<AccessToken>, StoreError> {
        let which = " from access_tokens where subject = $1 and revoked_at is null \
             and (expires_at > $2 or session_expires_at > $2) \
             order by coalesce(connected_at, issued_at) desc, id limit $3";
        let select = sql(["select ", COLUMNS, which]).bind([&subject]);
        self.list(select.bind([&now, &MAX_CONNECTIONS])).await
    }

    /// Finds access tokens, revoked and expired ones too, the newest first: those of the user with this very name, and among
    /// the newest 50,000 also those of whom the text is a part.
    pub async fn search_access_tokens(&self, search: &Search) -> Result<Vec<AccessToken>, StoreError> {
        let of_consumer = match search.consumer {
            Some(_) => "consumer_key = $6",
            None => "true",
        };
        let end = i64::from(search.limit) + i64::from(search.skip);
        // Without a text, each is found.
        let searched = if search.user.is_empty() { end } else { SEARCHED };
        let select = sql([
            "select ",
            COLUMNS,
            " from access_tokens where id in (select id from (select id, subject, display_name from access_tokens where ",
            of_consumer,
            " order by issued_at desc, id limit $1) newest \
             where lower(subject) like $2 escape '!' or lower(display_name) like $2 escape '!' \
             union select id from access_tokens where subject = $3 and ",
            of_consumer,
            ") order by issued_at desc, id limit $4 offset $5",
        ]);
        let select = select.bind([
            &searched,
            &containing(&search.user),
            &search.user.replace('\0', ""),
            &i64::from(search.limit),
            &i64::from(search.skip),
        ]);
        self.list(match &search.consumer {
            Some(consumer) => select.bind([&consumer.as_str()]),
            None => select,
        })
        .await
    }

    async fn list(&self, select: Sql) -> Result<Vec<AccessToken>, StoreError> {
        self.db.read(select).await?.iter().map(access_token).collect()
    }

    /// Replaces an access token by a new one in one statement (OAuth Session 1.0), for a consumer at an address. Its public
    /// name stays. An expired token can be renewed; a revoked one, or one whose session is over, cannot: `None`.
    #[expect(clippy::too_many_arguments, reason = "each is named in the statement")]
    pub async fn renew(
        &self,
        old: &Token,
        consumer: &ConsumerKey,
        session_id: &str,
        new: &Token,
        now: Timestamp,
        expires_at: Timestamp,
        address: Option<IpAddr>,
    ) -> Result<Option<AccessToken>, StoreError> {
        let update = sql([
            "update access_tokens set digest = $5, replaced_digest = $1, key_id = $6, issued_at = $4, expires_at = $7 \
             where digest = $1 and consumer_key = $2 and session_id = $3 and session_expires_at > $4 \
             and revoked_at is null returning ",
            COLUMNS,
        ]);
        let update = update.bind([
            &digest(old.as_str()),
            &consumer.as_str(),
            &session_id,
            &now,
            &digest(new.as_str()),
            &key_id(new),
            &expires_at,
        ]);
        let renewed = |row: &Row| event(AuditKind::Renewed, row, address, now);
        let rows = self.change_all(update, renewed).await?;
        rows.first().map(access_token).transpose()
    }

    /// Revokes access tokens, of a user's only those that can still be used or renewed, and returns them.
    pub async fn revoke(
        &self,
        which: Revoke<'_>,
        by: Actor<'_>,
        now: Timestamp,
    ) -> Result<Vec<AccessToken>, StoreError> {
        const LIVE: &str = " and (expires_at > $1 or session_expires_at > $1)";
        let update = |which, live| {
            let update = "update access_tokens set revoked_at = $1 where ";
            sql([update, which, live, " and revoked_at is null returning ", COLUMNS]).bind([&now])
        };
        let update = match which {
            Revoke::One { id } => update("id = $2", "").bind([&id]),
            Revoke::Own { id, subject } => update("id = $2 and subject = $3", LIVE).bind([&id, &subject]),
            Revoke::AllOf { subject } => update("subject = $2", LIVE).bind([&subject]),
        };
        let revoked = |row: &Row| {
            Ok(AuditEvent {
                detail: format!("the token {}, by {}", row.get::<String>("id")?, by.name),
                ..event(AuditKind::Revoked, row, by.address, now)?
            })
        };
        if let Revoke::AllOf { subject } = which {
            let update = sql(["update request_tokens set state = 'denied' \
                 where subject = $1 and state = 'authorized' and expires_at > $2 returning consumer_key, subject"]);
            let withdrawn = |row: &Row| {
                Ok(AuditEvent {
                    detail: format!("an approval that was not exchanged yet, by {}", by.name),
                    ..event(AuditKind::Revoked, row, by.address, now)?
                })
            };
            let update = update.bind([&subject, &now]);
            self.change_all(update, withdrawn).await?;
        }
        // A row that cannot be read is revoked all the same.
        let rows = self.change_all(update, revoked).await?;
        rows.iter().map(access_token).collect()
    }

    /// Notes when and from where access tokens were used, to the minute: within one minute, only the first use is written.
    pub async fn touch_access_tokens(&self, uses: TokenUses) -> Result<(), StoreError> {
        let uses = uses.into_iter();
        let mut uses: Vec<_> = uses.map(|(token, used)| (digest(token.as_str()), used)).collect();
        // In the same order everywhere, so that two replicas never wait for each other.
        uses.sort();
        for uses in uses.chunks(TOUCHED_AT_ONCE) {
            let mut transaction = self.db.begin().await?;
            for (digest, (at, from)) in uses {
                let update = sql(
                    ["update access_tokens set last_used_at = $2, last_used_from = $3 \
                     where digest = $1 and (last_used_at is null or last_used_at < $2)"],
                )
                .bind([
                    &digest,
                    &(at.minute() * 60),
                    &from.map(|address| address.to_string()),
                ]);
                transaction.on().execute(update).await?;
            }
            transaction.commit().await?;
        }
        Ok(())
    }
}

/// The newest tokens of which a condition holds, `$1` at most.
fn list(which: &'static str, limit: i64) -> Sql {
    let order = " order by issued_at desc, id limit $1";
    sql(["select ", COLUMNS, " from access_tokens where ", which, order]).bind([&limit])
}

/// A pattern for every text that contains this one.
fn containing(text: &str) -> String {
    let escaped = text.to_lowercase().replace('\0', "").replace('!', "!!");
    format!("%{}%", escaped.replace('%', "!%").replace('_', "!_"))
}

/// Inserts the access token that an exchange grants.
pub(super) async fn grant(
    transaction: &mut Transaction,
    token: &Token,
    consumer: &ConsumerKey,
    user: &User,
    host: Option<String>,
    access: &NewAccess,
) -> Result<AccessToken, StoreError> {
    let session = access.session.as_ref();
    // The public name of a connection: the first 16 hexadecimal digits of the hash of its first token.
    let id = base16ct::lower::encode_string(&digest(token.as_str())[..8]);
    let insert = sql([
        "insert into access_tokens (digest, id, key_id, consumer_key, subject, display_name, proved_by, proved_at, \
         issued_at, expires_at, session_id, session_expires_at, connected_at, host) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $9, $13) returning ",
        COLUMNS,
    ]);
    let insert = insert
        .bind([&digest(token.as_str()), &id, &key_id(token), &consumer.as_str()])
        .bind_user(user)
        .bind([
            &access.issued_at,
            &access.expires_at,
            &session.map(|session| &*session.id),
            &session.map(|session| session.expires_at.seconds()),
            &host,
        ]);
    let rows = transaction.on().fetch(insert).await?;
    let granted = rows.first().map(access_token).transpose()?;
    granted.ok_or_else(|| StoreError::inconsistent(TABLE, "a new row is not there"))
}

/// What became of a token, also of one whose consumer key cannot be read.
pub(super) fn event(
    kind: AuditKind,
    row: &Row,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<AuditEvent, StoreError> {
    let event = AuditEvent::new(kind, at).by(row.get::<String>("subject")?, address);
    let consumer = ConsumerKey::parse(&row.get::<String>("consumer_key")?);
    Ok(AuditEvent { consumer, ..event })
}

fn access_token(row: &Row) -> Result<AccessToken, StoreError> {
    let session = match (
        row.nullable("session_id")?,
        row.optional_time("session_expires_at")?,
    ) {
        (Some(id), Some(expires_at)) => Some(TokenSession { id, expires_at }),
        (None, None) => None,
        _ => return Err(StoreError::inconsistent(TABLE, "half a session")),
    };
    let from = row.optional(TABLE, "last_used_from", str::parse)?;
    Ok(AccessToken {
        id: row.get("id")?,
        consumer: row.parse(TABLE, "consumer_key", db::consumer_key)?,
        user: user(row)?,
        connected_at: row.time("connected_at")?,
        host: row.nullable("host")?,
        issued_at: row.time("issued_at")?,
        expires_at: row.time("expires_at")?,
        session,
        revoked_at: row.optional_time("revoked_at")?,
        last_used: row.optional_time("last_used_at")?.map(|at| (at, from)),
    })
}

/// What [`access_token`] reads.
const COLUMNS: &str = "id, consumer_key, subject, display_name, proved_by, proved_at, \
    coalesce(connected_at, issued_at) as connected_at, host, issued_at, expires_at, \
    session_id, session_expires_at, revoked_at, last_used_at, last_used_from";

const TABLE: &str = "access_tokens";
/// How many tokens are searched for a part of a name, which no index finds.
const SEARCHED: i64 = 50_000;
/// How many uses are noted in one transaction.
const TOUCHED_AT_ONCE: usize = 500;
/// The most connections that are listed for a user.
const MAX_CONNECTIONS: i64 = 500;

//! Access tokens as people see them: what somebody has connected, what an administrator looks for, and what is revoked.

use std::net::IpAddr;

use crate::model::{AccessToken, AuditEvent, AuditKind};
use crate::oauth::{ConsumerKey, Timestamp};

use super::access_tokens::{Row, columns};
use super::audit::record;
use super::{Store, StoreError, on};

/// Which access tokens an administrator looks for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Only those of this consumer.
    pub consumer: Option<ConsumerKey>,
    /// Only those of users whose name, or the name to show, has this in it; case does not matter.
    pub user: String,
    /// How many to skip.
    pub skip: u32,
    /// How many to list, at most.
    pub limit: u32,
}

/// Which access tokens to revoke.
#[derive(Clone, Copy, Debug)]
pub enum Revoke<'a> {
    /// One, whosever it is, and also if its time is over: our clock may be ahead of whoever believes it.
    One {
        /// Its public name.
        id: &'a str,
    },
    /// One, if it stands for this user.
    Own {
        /// Its public name.
        id: &'a str,
        /// Whose it must be.
        subject: &'a str,
    },
    /// All that stand for this user.
    AllOf {
        /// Whose they are.
        subject: &'a str,
    },
}

/// Whoever takes access back.
#[derive(Clone, Copy, Debug)]
pub struct Revoker<'a> {
    /// Who it is.
    pub name: &'a str,
    /// Where their browser is; `None`: whoever it is has none.
    pub address: Option<IpAddr>,
}

/// Revokes those of which a condition holds, at the time `$1`, and writes down who did. Each condition is a statement of its
/// own, so that the database can use its index.
macro_rules! revoke {
    ($self:ident, $by:ident, $now:ident, $which:literal, $($bound:ident),+) => {
        on!(write & $self.pool, |db| {
            let mut transaction = db.begin().await?;
            let rows: Vec<Row> = sqlx::query_as(concat!(
                "update access_tokens set revoked_at = $1 where ",
                $which,
                " and revoked_at is null returning ",
                columns!()
            ))
            .bind($now.seconds())
            $(.bind($bound))+
            .fetch_all(&mut *transaction)
            .await?;
            for row in &rows {
                record!(&mut *transaction, &$by.revoked(row, $now));
            }
            transaction.commit().await?;
            rows
        })
    };
}

impl Store {
    /// Lists the access tokens that stand for a user and can still be used or renewed, the newest connection first.
    pub async fn connections(&self, subject: &str, now: Timestamp) -> Result<Vec<AccessToken>, StoreError> {
        let rows: Vec<Row> = on!(&self.pool, |db| {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from access_tokens where subject = $1 and revoked_at is null \
                 and (expires_at > $2 or session_expires_at > $2) \
                 order by coalesce(connected_at, issued_at) desc, id limit $3"
            ))
            .bind(subject)
            .bind(now.seconds())
            .bind(MOST_CONNECTIONS)
            .fetch_all(db)
            .await?
        });
        rows.into_iter().map(AccessToken::try_from).collect()
    }

    /// Finds access tokens, dead ones too, the newest first.
    pub async fn search_access_tokens(&self, search: &Search) -> Result<Vec<AccessToken>, StoreError> {
        let rows: Vec<Row> = on!(&self.pool, |db| {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from access_tokens where ($1 is null or consumer_key = $1) \
                 and (lower(subject) like $2 escape '!' or lower(display_name) like $2 escape '!') \
                 order by issued_at desc, id limit $3 offset $4"
            ))
            .bind(search.consumer.as_ref().map(ConsumerKey::as_str))
            .bind(containing(&search.user))
            .bind(i64::from(search.limit))
            .bind(i64::from(search.skip))
            .fetch_all(db)
            .await?
        });
        rows.into_iter().map(AccessToken::try_from).collect()
    }

    /// Revokes access tokens, of a user's only those that can still be used or renewed, and returns them. The audit log says
    /// who did.
    pub async fn revoke(
        &self,
        which: Revoke<'_>,
        by: Revoker<'_>,
        now: Timestamp,
    ) -> Result<Vec<AccessToken>, StoreError> {
        let rows = match which {
            Revoke::One { id } => revoke!(self, by, now, "id = $2", id),
            Revoke::Own { id, subject } => {
                revoke!(
                    self,
                    by,
                    now,
                    "id = $2 and subject = $3 and (expires_at > $1 or session_expires_at > $1)",
                    id,
                    subject
                )
            }
            Revoke::AllOf { subject } => {
                revoke!(
                    self,
                    by,
                    now,
                    "subject = $2 and (expires_at > $1 or session_expires_at > $1)",
                    subject
                )
            }
        };
        // What cannot be read is revoked all the same.
        rows.into_iter().map(AccessToken::try_from).collect()
    }
}

impl Revoker<'_> {
    fn revoked(&self, row: &Row, at: Timestamp) -> AuditEvent {
        AuditEvent {
            address: self.address,
            detail: format!("the token {}, by {}", row.id, self.name),
            ..row.event(AuditKind::Revoked, at)
        }
    }
}

/// A pattern for what has this text in it, whatever the text is made of.
fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for letter in text.to_lowercase().chars().filter(|letter| *letter != '\0') {
        if matches!(letter, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// More than anybody can look through.
const MOST_CONNECTIONS: i64 = 500;

//! Access tokens of other sides: what users gave us there. They must be shown to the other side, so they are sealed.
//!
//! What becomes of them stands in the audit log, and is written together with it.

use std::net::IpAddr;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::model::{AuditEvent, AuditKind, Credentials, LinkConnection};
use crate::oauth::{Secret, Timestamp, Token};

use super::audit::{change, record};
use super::{Keyring, Store, StoreError, digest, on};

/// Forgets what a user gave us at a link, where a condition holds, and writes it down. Whether there was something.
macro_rules! forget {
    ($self:ident, $event:ident, $which:literal, $($bound:expr),+) => {
        change!(
            $self,
            $event,
            concat!("delete from link_tokens where link = $1 and subject = $2 and ", $which),
            $($bound),+
        )
    };
}

impl Store {
    /// Keeps what a user gave us, in the place of what it replaces. `address`: where their browser is.
    pub async fn connect_link(
        &self,
        link: &str,
        subject: &str,
        credentials: &Credentials,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sealed = sealed(&self.keyring, link, subject, credentials);
        let event = AuditEvent {
            address,
            ..event(AuditKind::LinkConnected, link, subject, now)
        };
        on!(write & self.pool, |db| {
            let mut transaction = db.begin().await?;
            sqlx::query(
                "insert into link_tokens (link, subject, digest, sealed, connected_at) values ($1, $2, $3, $4, $5) \
                 on conflict (link, subject) do update set digest = excluded.digest, sealed = excluded.sealed, \
                 connected_at = excluded.connected_at, last_used_at = null",
            )
            .bind(link)
            .bind(subject)
            .bind(digest(credentials.token.as_str()))
            .bind(sealed)
            .bind(now.seconds())
            .execute(&mut *transaction)
            .await?;
            record!(&mut *transaction, &event);
            transaction.commit().await?;
        });
        Ok(())
    }

    /// What a user gave us, ready to be used, and when it was used last.
    pub async fn link_credentials(
        &self,
        link: &str,
        subject: &str,
    ) -> Result<Option<(Credentials, Option<Timestamp>)>, StoreError> {
        let row: Option<(Vec<u8>, Option<i64>)> = on!(&self.pool, |db| {
            sqlx::query_as("select sealed, last_used_at from link_tokens where link = $1 and subject = $2")
                .bind(link)
                .bind(subject)
                .fetch_optional(db)
                .await?
        });
        let Some((sealed, last_used_at)) = row else {
            return Ok(None);
        };
        let credentials = opened(&self.keyring, link, subject, &sealed)?;
        Ok(Some((credentials, last_used_at.map(Timestamp::from_seconds))))
    }

    /// Notes that it was used, to the minute: within one minute, the first call alone writes.
    pub async fn touch_link(&self, link: &str, subject: &str, at: Timestamp) -> Result<(), StoreError> {
        on!(write & self.pool, |db| {
            sqlx::query(
                "update link_tokens set last_used_at = $3 \
                 where link = $1 and subject = $2 and (last_used_at is null or last_used_at < $3)",
            )
            .bind(link)
            .bind(subject)
            .bind(at.bucket() * 60)
            .execute(db)
            .await?;
        });
        Ok(())
    }

    /// Forgets this very token, which the other side will not take any more: `problem` is what it says. `false`: another one
    /// is there by now, or none.
    pub async fn forget_link_token(
        &self,
        link: &str,
        subject: &str,
        token: &Token,
        problem: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut event = event(AuditKind::LinkLost, link, subject, now);
        event.detail = format!("{}: the other side says {problem}", event.detail);
        Ok(forget!(
            self,
            event,
            "digest = $3",
            link,
            subject,
            digest(token.as_str())
        ))
    }

    /// Forgets whatever a user gave us. `address`: where their browser is. `false`: there was nothing.
    pub async fn disconnect_link(
        &self,
        link: &str,
        subject: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let event = AuditEvent {
            address,
            ..event(AuditKind::LinkDisconnected, link, subject, now)
        };
        Ok(forget!(self, event, "true", link, subject))
    }

    /// Which links are connected: one user's, or everybody's.
    pub async fn link_connections(&self, subject: Option<&str>) -> Result<Vec<LinkConnection>, StoreError> {
        let rows: Vec<(String, String, i64, Option<i64>)> = on!(&self.pool, |db| {
            sqlx::query_as(
                "select link, subject, connected_at, last_used_at from link_tokens \
                 where ($1 is null or subject = $1) order by link, subject",
            )
            .bind(subject)
            .fetch_all(db)
            .await?
        });
        let connection = |(link, subject, connected_at, last_used_at): (String, String, i64, Option<i64>)| {
            LinkConnection {
                link,
                subject,
                connected_at: Timestamp::from_seconds(connected_at),
                last_used_at: last_used_at.map(Timestamp::from_seconds),
            }
        };
        Ok(rows.into_iter().map(connection).collect())
    }
}

fn event(kind: AuditKind, link: &str, subject: &str, now: Timestamp) -> AuditEvent {
    AuditEvent {
        subject: Some(subject.to_owned()),
        detail: format!("the link {link}"),
        ..AuditEvent::new(kind, now)
    }
}

/// Token and secret as they may touch the disk. They open for this link and user alone.
pub(super) fn sealed(keyring: &Keyring, link: &str, subject: &str, credentials: &Credentials) -> Vec<u8> {
    // A token has no control character, so the first line break ends it.
    let plain = Secret::new(format!(
        "{}\n{}",
        credentials.token.as_str(),
        credentials.secret.expose()
    ));
    keyring.seal(&plain, &owner(link, subject), &mut UnwrapErr(SysRng))
}

pub(super) fn opened(
    keyring: &Keyring,
    link: &str,
    subject: &str,
    sealed: &[u8],
) -> Result<Credentials, StoreError> {
    let plain = keyring.open(sealed, &owner(link, subject))?;
    let (token, secret) = plain.expose().split_once('\n').unzip();
    let token = token.and_then(Token::parse);
    let wrong = || StoreError::inconsistent("link_tokens", "what is sealed is no token with its secret");
    Ok(Credentials {
        token: token.ok_or_else(wrong)?,
        secret: Secret::new(secret.ok_or_else(wrong)?),
    })
}

/// A link's name has no slash, so no two owners look alike.
fn owner(link: &str, subject: &str) -> String {
    format!("link {link}/{subject}")
}

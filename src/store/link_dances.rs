//! Authorizations of users that are pending at remote applications.

use crate::model::PendingAuthorization;
use crate::oauth::{Timestamp, Token};

use super::link_tokens::{opened, sealed};
use super::{Store, StoreError, digest, on};

impl Store {
    /// Keeps a pending authorization until its user comes back. Of one user's at one link the newest few are kept, so that a second tab
    /// leaves the first alone.
    pub async fn add_pending_authorization(&self, pending: &PendingAuthorization) -> Result<(), StoreError> {
        let sealed = sealed(
            &self.keyring,
            &pending.link,
            &pending.subject,
            &pending.credentials,
        );
        on!(write & self.pool, |db| {
            sqlx::query(
                "insert into link_dances (digest, link, subject, sealed, return_to, expires_at) \
                 values ($1, $2, $3, $4, $5, $6) on conflict (digest) do update set link = excluded.link, \
                 subject = excluded.subject, sealed = excluded.sealed, return_to = excluded.return_to, \
                 expires_at = excluded.expires_at",
            )
            .bind(digest(pending.credentials.token.as_str()))
            .bind(&pending.link)
            .bind(&pending.subject)
            .bind(sealed)
            .bind(&pending.return_to)
            .bind(pending.expires_at.seconds())
            .execute(db)
            .await?;
        });
        on!(write & self.pool, |db| {
            sqlx::query(
                "delete from link_dances where digest in (select digest from link_dances \
                 where link = $1 and subject = $2 order by expires_at desc, digest limit 1000 offset $3)",
            )
            .bind(&pending.link)
            .bind(&pending.subject)
            .bind(MOST)
            .execute(db)
            .await?;
        });
        Ok(())
    }

    /// Takes a pending authorization out if it is this user's and not too late. Of two who come at once, one gets it.
    pub async fn take_pending_authorization(
        &self,
        link: &str,
        subject: &str,
        token: &Token,
        now: Timestamp,
    ) -> Result<Option<PendingAuthorization>, StoreError> {
        let rows: Vec<(Vec<u8>, String, i64)> = on!(write & self.pool, |db| {
            sqlx::query_as(
                "delete from link_dances where digest = $1 and link = $2 and subject = $3 and expires_at > $4 \
                 returning sealed, return_to, expires_at",
            )
            .bind(digest(token.as_str()))
            .bind(link)
            .bind(subject)
            .bind(now.seconds())
            .fetch_all(db)
            .await?
        });
        let Some((sealed, return_to, expires_at)) = rows.into_iter().next() else {
            return Ok(None);
        };
        Ok(Some(PendingAuthorization {
            link: link.to_owned(),
            subject: subject.to_owned(),
            credentials: opened(&self.keyring, link, subject, &sealed)?,
            return_to,
            expires_at: Timestamp::from_seconds(expires_at),
        }))
    }
}

/// Pending authorizations of one user at one link.
const MOST: i64 = 10;

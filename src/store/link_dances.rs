//! Dances that we began at another side.

use crate::model::Dance;
use crate::oauth::{Timestamp, Token};

use super::link_tokens::{opened, sealed};
use super::{Store, StoreError, digest, on};

impl Store {
    /// Keeps a dance until its user comes back. Of one user's at one link the newest few are kept, so that a second tab
    /// leaves the first alone.
    pub async fn add_link_dance(&self, dance: &Dance) -> Result<(), StoreError> {
        let sealed = sealed(&self.keyring, &dance.link, &dance.subject, &dance.credentials);
        on!(write & self.pool, |db| {
            sqlx::query(
                "insert into link_dances (digest, link, subject, sealed, return_to, expires_at) \
                 values ($1, $2, $3, $4, $5, $6) on conflict (digest) do update set link = excluded.link, \
                 subject = excluded.subject, sealed = excluded.sealed, return_to = excluded.return_to, \
                 expires_at = excluded.expires_at",
            )
            .bind(digest(dance.credentials.token.as_str()))
            .bind(&dance.link)
            .bind(&dance.subject)
            .bind(sealed)
            .bind(&dance.return_to)
            .bind(dance.expires_at.seconds())
            .execute(db)
            .await?;
        });
        on!(write & self.pool, |db| {
            sqlx::query(
                "delete from link_dances where digest in (select digest from link_dances \
                 where link = $1 and subject = $2 order by expires_at desc, digest limit 1000 offset $3)",
            )
            .bind(&dance.link)
            .bind(&dance.subject)
            .bind(MOST)
            .execute(db)
            .await?;
        });
        Ok(())
    }

    /// Takes a dance out, when it is this user's and not too late. Of two who come at once, one gets it.
    pub async fn take_link_dance(
        &self,
        link: &str,
        subject: &str,
        token: &Token,
        now: Timestamp,
    ) -> Result<Option<Dance>, StoreError> {
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
        Ok(Some(Dance {
            link: link.to_owned(),
            subject: subject.to_owned(),
            credentials: opened(&self.keyring, link, subject, &sealed)?,
            return_to,
            expires_at: Timestamp::from_seconds(expires_at),
        }))
    }
}

/// Dances of one user at one link.
const MOST: i64 = 10;

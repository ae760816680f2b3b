//! The outgoing direction: tokens of remote applications (sealed, not hashed: linkgate must show them), and how calls went.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::applinks::ApplicationId;
use crate::model::{AuditEvent, AuditKind, LinkConnection, LinkState, PendingAuthorization};
use crate::oauth::{Secret, Timestamp, Token, TokenCredentials};

use super::db::{Row, sql};
use super::{Keyring, Store, StoreError, digest};

impl Store {
    /// The id of this installation: `new` if it has none yet. Replicas that start together agree on one.
    pub async fn installation_id(&self, new: &ApplicationId) -> Result<ApplicationId, StoreError> {
        let insert = sql(["insert into installation (one, id) values (1, $1) on conflict do nothing"]);
        self.db.write(insert.bind([&new.as_str()])).await?;
        let select = sql(["select id from installation where one = 1"]);
        let rows = self.db.read(select).await?;
        let empty = || StoreError::inconsistent("installation", "it is empty");
        let parse = |id: &str| ApplicationId::parse(id).ok_or("it is not a UUID");
        rows.first().ok_or_else(empty)?.parse("installation", "id", parse)
    }

    /// Keeps the token that a user granted, in place of an earlier one. `address`: of their browser.
    pub async fn connect_link(
        &self,
        link: &str,
        subject: &str,
        credentials: &TokenCredentials,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let event = event(AuditKind::LinkConnected, link, subject, address, now);
        let insert = sql([
            "insert into link_tokens (link, subject, digest, sealed, key_id, connected_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict (link, subject) do update set \
             digest = excluded.digest, sealed = excluded.sealed, key_id = excluded.key_id, \
             connected_at = excluded.connected_at, last_used_at = null",
        ])
        .bind([
            &link,
            &subject,
            &digest(credentials.token.as_str()),
            &seal(&self.keyring, link, subject, credentials),
            &self.keyring.current().id_text(),
            &now,
        ]);
        self.change(insert, &event).await.map(drop)
    }

    /// The token that a user granted, and when it was last used.
    pub async fn link_credentials(
        &self,
        link: &str,
        subject: &str,
    ) -> Result<Option<(TokenCredentials, Option<Timestamp>)>, StoreError> {
        let select = sql(["select sealed, last_used_at from link_tokens where link = $1 and subject = $2"])
            .bind([&link, &subject]);
        let rows = self.db.read(select).await?;
        let used = |row: &Row| row.optional_time("last_used_at");
        let found = |row: &Row| Ok((open(&self.keyring, link, subject, row)?, used(row)?));
        rows.first().map(found).transpose()
    }

    /// Notes the use of a token, to the minute: within one minute, only the first call writes.
    pub async fn touch_link(&self, link: &str, subject: &str, at: Timestamp) -> Result<(), StoreError> {
        let update = sql(["update link_tokens set last_used_at = $3 \
             where link = $1 and subject = $2 and (last_used_at is null or last_used_at < $3)"])
        .bind([&link, &subject, &(at.minute() * 60)]);
        self.db.write(update).await.map(drop)
    }

    /// Deletes this very token, which the remote application no longer accepts. `false`: there is another one by now, or none.
    pub async fn forget_link_token(
        &self,
        link: &str,
        subject: &str,
        token: &Token,
        problem: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut event = event(AuditKind::LinkLost, link, subject, None, now);
        event.detail = format!("{}: the other side says {problem}", event.detail);
        let delete = sql(["delete from link_tokens where link = $1 and subject = $2 and digest = $3"])
            .bind([&link, &subject, &digest(token.as_str())]);
        self.change(delete, &event).await
    }

    /// Deletes the token that a user granted. `address`: of their browser. `false`: there was none.
    pub async fn disconnect_link(
        &self,
        link: &str,
        subject: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let event = event(AuditKind::LinkDisconnected, link, subject, address, now);
        let delete = sql(["delete from link_tokens where link = $1 and subject = $2"]);
        self.change(delete.bind([&link, &subject]), &event).await
    }

    /// Which links are connected: by one user, or by all.
    pub async fn link_connections(&self, subject: Option<&str>) -> Result<Vec<LinkConnection>, StoreError> {
        let select = sql([
            "select link, subject, connected_at, last_used_at from link_tokens \
             where ($1 is null or subject = $1) order by link, subject",
        ])
        .bind([&subject]);
        let connection = |row: &Row| {
            Ok(LinkConnection {
                link: row.get("link")?,
                subject: row.get("subject")?,
                connected_at: row.time("connected_at")?,
                last_used_at: row.optional_time("last_used_at")?,
            })
        };
        self.db.read(select).await?.iter().map(connection).collect()
    }

    /// Keeps a pending authorization, the newest few of a user at a link: a second tab does not end the first.
    pub async fn add_pending_authorization(&self, pending: &PendingAuthorization) -> Result<(), StoreError> {
        let (link, subject) = (&*pending.link, &*pending.subject);
        let credentials = &pending.credentials;
        let insert = sql([
            "insert into link_dances (digest, link, subject, sealed, key_id, return_to, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (digest) do update set link = excluded.link, \
             subject = excluded.subject, sealed = excluded.sealed, key_id = excluded.key_id, \
             return_to = excluded.return_to, expires_at = excluded.expires_at",
        ])
        .bind([
            &digest(credentials.token.as_str()),
            &link,
            &subject,
            &seal(&self.keyring, link, subject, credentials),
            &self.keyring.current().id_text(),
            &pending.return_to,
            &pending.expires_at,
        ]);
        self.db.write(insert).await?;
        let delete = sql([
            "delete from link_dances where digest in (select digest from link_dances \
             where link = $1 and subject = $2 order by expires_at desc, digest limit 1000 offset $3)",
        ])
        .bind([&link, &subject, &MAX_PENDING]);
        self.db.write(delete).await.map(drop)
    }

    /// Takes a pending authorization out if it is this user's and has not expired. Of two requests at once, one gets it.
    pub async fn take_pending_authorization(
        &self,
        link: &str,
        subject: &str,
        token: &Token,
        now: Timestamp,
    ) -> Result<Option<PendingAuthorization>, StoreError> {
        let delete = sql([
            "delete from link_dances where digest = $1 and link = $2 and subject = $3 and expires_at > $4 \
             returning sealed, return_to, expires_at",
        ])
        .bind([&digest(token.as_str()), &link, &subject, &now]);
        let mut transaction = self.db.begin().await?;
        let rows = transaction.on().fetch(delete).await?;
        transaction.commit().await?;
        let pending = |row: &Row| {
            Ok(PendingAuthorization {
                link: link.to_owned(),
                subject: subject.to_owned(),
                credentials: open(&self.keyring, link, subject, row)?,
                return_to: row.get("return_to")?,
                expires_at: row.time("expires_at")?,
            })
        };
        rows.first().map(pending).transpose()
    }

    /// Notes that a response came, the difference between the clocks, and success, at most once a minute.
    pub async fn note_link_answer(
        &self,
        link: &str,
        at: Timestamp,
        clock_difference: Option<i64>,
        success: bool,
    ) -> Result<(), StoreError> {
        let minute = at.minute() * 60;
        let insert = sql([
            "insert into link_states (link, reached_at, success_at, clock_difference) values ($1, $2, $3, $4) \
             on conflict (link) do update set reached_at = excluded.reached_at, \
             success_at = coalesce(excluded.success_at, link_states.success_at), \
             clock_difference = coalesce(excluded.clock_difference, link_states.clock_difference) \
             where link_states.reached_at is null or link_states.reached_at < excluded.reached_at \
             or (excluded.success_at is not null \
             and (link_states.success_at is null or link_states.success_at < excluded.success_at))",
        ])
        .bind([&link, &minute, &success.then_some(minute), &clock_difference]);
        self.db.write(insert).await.map(drop)
    }

    /// Notes why a call failed. The same problem within a minute is written once.
    pub async fn note_link_problem(
        &self,
        link: &str,
        at: Timestamp,
        problem: &str,
    ) -> Result<(), StoreError> {
        let insert = sql([
            "insert into link_states (link, problem_at, problem) values ($1, $2, $3) \
             on conflict (link) do update set problem_at = excluded.problem_at, problem = excluded.problem \
             where link_states.problem is null or link_states.problem <> excluded.problem \
             or link_states.problem_at < excluded.problem_at - 59",
        ])
        .bind([&link, &at, &problem]);
        self.db.write(insert).await.map(drop)
    }

    /// How the calls of each link went.
    pub async fn link_states(&self) -> Result<BTreeMap<String, LinkState>, StoreError> {
        let select = sql([
            "select link, reached_at, success_at, problem_at, problem, clock_difference from link_states",
        ]);
        let state = |row: &Row| {
            let state = LinkState {
                reached_at: row.optional_time("reached_at")?,
                success_at: row.optional_time("success_at")?,
                problem: row.optional_time("problem_at")?.zip(row.nullable("problem")?),
                clock_difference: row.nullable("clock_difference")?,
            };
            Ok((row.get("link")?, state))
        };
        self.db.read(select).await?.iter().map(state).collect()
    }
}

fn event(kind: AuditKind, link: &str, subject: &str, address: Option<IpAddr>, now: Timestamp) -> AuditEvent {
    let event = AuditEvent::new(kind, now).by(subject, address);
    AuditEvent {
        detail: format!("the link {link}"),
        ..event
    }
}

/// Seals token and secret; they open for this link and user alone.
fn seal(keyring: &Keyring, link: &str, subject: &str, credentials: &TokenCredentials) -> Vec<u8> {
    // A token has no control character, so the first line break ends it.
    let (token, secret) = (credentials.token.as_str(), credentials.secret.expose());
    let plain = Secret::new(format!("{token}\n{secret}"));
    keyring.seal(&plain, &owner(link, subject))
}

fn open(keyring: &Keyring, link: &str, subject: &str, row: &Row) -> Result<TokenCredentials, StoreError> {
    let sealed: Vec<u8> = row.get("sealed")?;
    let plain = keyring.open(&sealed, &owner(link, subject))?;
    let (token, secret) = plain.expose().split_once('\n').unzip();
    let token = token.and_then(Token::parse);
    let wrong = || StoreError::inconsistent("link_tokens", "what is sealed is no token with its secret");
    Ok(TokenCredentials {
        token: token.ok_or_else(wrong)?,
        secret: Secret::new(secret.ok_or_else(wrong)?),
    })
}

/// The owner that a sealed token is bound to. A link's name has no slash, so no two owners look alike.
fn owner(link: &str, subject: &str) -> String {
    format!("link {link}/{subject}")
}

const MAX_PENDING: i64 = 10;

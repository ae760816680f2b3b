//! What users have connected, all of them: `/oauth/admin/tokens`.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query};
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use crate::oauth::{ConsumerKey, encoding};
use crate::provider::{Revoke, Revoker, Search};

use super::super::form::{self, Purpose};
use super::super::pages::{Notice, RevokeForm, Tokens};
use super::super::session::Session;
use super::super::{ClientIp, Visit, login};
use super::{REVOKE, TOKENS, administrator, navigation};

/// What is looked for.
#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    user: String,
    #[serde(default)]
    consumer: String,
    /// From 1.
    page: Option<u32>,
}

/// The form of a button that revokes.
#[derive(Deserialize)]
pub(super) struct RevokeFields {
    token: String,
    form_token: String,
}

/// `GET /oauth/admin/tokens`
#[tracing::instrument(name = "tokens", skip_all, fields(user.subject))]
pub(super) async fn show(
    visit: Visit,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Response> {
    let wanted = wanted.map_or_else(|_| Wanted::default(), |Query(wanted)| wanted);
    let page = wanted.page.unwrap_or(1).clamp(1, LAST_PAGE);
    let here = wanted.address(page);
    let session = administrator(&visit, &headers, &here).await?;
    let refuse = |error| visit.refuse(error);
    let consumers = visit.provider.consumers().await.map_err(refuse)?;
    let mut found = visit
        .provider
        .search(&wanted.search(page))
        .await
        .map_err(refuse)?;
    let has_more = found.len() > PAGE as usize && page < LAST_PAGE;
    found.truncate(PAGE as usize);
    let forms = found.iter().map(|connection| RevokeForm {
        action: visit.path(REVOKE),
        token: connection.token.id.clone(),
        form_token: purpose(&session, &connection.token.id).token(&visit.keyring),
    });
    let page = Tokens {
        navigation: navigation(&visit),
        forms: forms.collect(),
        list: &found,
        consumers: &consumers,
        wanted_user: &wanted.user,
        wanted_consumer: &wanted.consumer,
        newer: (page > 1).then(|| visit.path(&wanted.address(page - 1))),
        older: has_more.then(|| visit.path(&wanted.address(page + 1))),
        now: visit.clock.now(),
        user: &session.user,
        sign_out: login::sign_out_form(&visit, &session, TOKENS.to_owned()),
    };
    Ok(page.respond(&visit.frame()))
}

/// `POST /oauth/admin/tokens/revoke`
#[tracing::instrument(name = "revoke", skip_all, fields(user.subject))]
pub(super) async fn revoke(
    visit: Visit,
    ClientIp(address): ClientIp,
    headers: HeaderMap,
    form: Result<Form<RevokeFields>, FormRejection>,
) -> Result<Response, Response> {
    form::sent_from_here(&headers).map_err(|notice| visit.refuse(notice))?;
    let Form(form) = form.map_err(|rejection| visit.refuse(form::unreadable(&rejection)))?;
    let session = administrator(&visit, &headers, TOKENS).await?;
    if !purpose(&session, &form.token).admits(&visit.keyring, &form.form_token) {
        let again = TOKENS.to_owned();
        return Err(visit.refuse(Notice::FormOutdated { again }));
    }
    let by = Revoker {
        name: &session.user.subject,
        address: Some(address),
    };
    let which = Revoke::One { id: &form.token };
    let revoked = visit.provider.revoke(which, by).await;
    revoked.map_err(|error| visit.refuse(error))?;
    Ok(visit.redirect(TOKENS))
}

impl Wanted {
    /// One more than a page holds, to learn whether there is another.
    fn search(&self, page: u32) -> Search {
        Search {
            consumer: ConsumerKey::parse(&self.consumer),
            user: self.user.trim().to_owned(),
            skip: (page - 1) * PAGE,
            limit: PAGE + 1,
        }
    }

    fn address(&self, page: u32) -> String {
        let (user, consumer) = (encoding::encode(&self.user), encoding::encode(&self.consumer));
        match (user.as_ref(), consumer.as_ref(), page) {
            ("", "", 1) => TOKENS.to_owned(),
            _ => format!("{TOKENS}?user={user}&consumer={consumer}&page={page}"),
        }
    }
}

const fn purpose<'a>(session: &'a Session, token: &'a str) -> Purpose<'a> {
    Purpose::RevokeOfAnybody {
        session: &session.id,
        token,
    }
}

/// Tokens on a page.
const PAGE: u32 = 50;
/// Nobody turns so many.
const LAST_PAGE: u32 = 10_000;

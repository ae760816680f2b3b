//! The access tokens of all users: `/oauth/admin/tokens`.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::model::{AccessToken, Consumer};
use crate::oauth::{ConsumerKey, Timestamp, encoding};
use crate::provider::{Actor, Grant, Revoke, Search};

use super::super::csrf::{FormPurpose, RevokeFields};
use super::super::error::PageError;
use super::super::extract::{ClientIp, PageForm};
use super::super::i18n::Messages;
use super::super::render::render_with_script;
use super::super::return_to::ReturnTo;
use super::super::session::Session;
use super::super::{App, Shared};
use super::{Admin, PAGES, REVOKE, TOKENS};

/// The search.
#[derive(Default, Deserialize)]
pub(super) struct TokensQuery {
    #[serde(default)]
    user: String,
    #[serde(default)]
    consumer: String,
    /// From 1.
    page: Option<u32>,
    /// The token that was just revoked.
    #[serde(default)]
    revoked: String,
}

#[derive(Template)]
#[template(path = "admin/tokens.html")]
struct TokensPage<'a> {
    t: Messages,
    app: &'a App,
    session: &'a Session,
    /// The path of this page.
    path: String,
    search: &'a TokensQuery,
    is_revoked: bool,
    list: &'a [Grant],
    consumers: &'a [Consumer],
    newer: Option<String>,
    older: Option<String>,
    now: Timestamp,
}

/// `GET /oauth/admin/tokens`
pub(super) async fn show(
    State(app): Shared,
    t: Messages,
    Admin(session): Admin,
    query: Result<Query<TokensQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let search = query.map_or_else(|_| TokensQuery::default(), |Query(query)| query);
    let number = search.page.unwrap_or(1).clamp(1, LAST_PAGE);
    let consumers = app.provider.consumers().await?;
    let mut list = app.provider.search(&search.search(number)).await?;
    let has_more = list.len() > PAGE as usize && number < LAST_PAGE;
    list.truncate(PAGE as usize);
    let page = TokensPage {
        t,
        app: &app,
        session: &session,
        path: search.path(number),
        search: &search,
        // The query is not trusted.
        is_revoked: list
            .iter()
            .any(|connection| connection.token.id == search.revoked && connection.token.revoked_at.is_some()),
        list: &list,
        consumers: &consumers,
        newer: (number > 1).then(|| app.path(&search.path(number - 1))),
        older: has_more.then(|| app.path(&search.path(number + 1))),
        now: app.clock.now(),
    };
    Ok(render_with_script(&page))
}

/// `POST /oauth/admin/tokens/revoke`
pub(super) async fn revoke(
    State(app): Shared,
    ClientIp(address): ClientIp,
    PageForm {
        form,
        session: Admin(session),
    }: PageForm<RevokeFields, Admin>,
) -> Result<Response, PageError> {
    let page = ReturnTo::or_login(form.return_to.as_deref());
    let page = if page.as_str().starts_with(TOKENS) {
        page.as_str()
    } else {
        TOKENS
    };
    FormPurpose::revoke_any(&session.id, &form.token).check(&app, &form.form_token, page)?;
    let by = Actor {
        name: &session.user.subject,
        address: Some(address),
    };
    app.provider.revoke(Revoke::One { id: &form.token }, by).await?;
    let separator = if page.contains('?') { '&' } else { '?' };
    Ok(app.redirect(&format!("{page}{separator}revoked={}", form.token)))
}

impl TokensQuery {
    /// One more than a page holds, to learn whether there is another.
    fn search(&self, page: u32) -> Search {
        Search {
            consumer: ConsumerKey::parse(&self.consumer),
            user: self.user.trim().to_owned(),
            skip: (page - 1) * PAGE,
            limit: PAGE + 1,
        }
    }

    fn path(&self, page: u32) -> String {
        let (user, consumer) = (encoding::encode(&self.user), encoding::encode(&self.consumer));
        match (user.as_ref(), consumer.as_ref(), page) {
            ("", "", 1) => TOKENS.to_owned(),
            _ => format!("{TOKENS}?user={user}&consumer={consumer}&page={page}"),
        }
    }
}

impl TokensPage<'_> {
    /// The message for the state of a token.
    fn state(&self, token: &AccessToken) -> &'static str {
        if token.revoked_at.is_some() {
            "admin-tokens.revoked"
        } else if token.expires_at > self.now {
            "admin-tokens.live"
        } else if token.ends_at() > self.now {
            "admin-tokens.renewable"
        } else {
            "admin-tokens.expired"
        }
    }

    fn is_live(&self, token: &AccessToken) -> bool {
        token.is_live(self.now)
    }

    fn form_token(&self, id: &str) -> String {
        FormPurpose::revoke_any(&self.session.id, id).token(self.app)
    }
}

/// Tokens on a page.
const PAGE: u32 = 50;
/// Higher numbers of pages are taken for this one.
const LAST_PAGE: u32 = 10_000;

//! The connected applications of a user, and how the user revokes them: `/oauth/connections`.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::links::{Link, Users};
use crate::model::LinkConnection;
use crate::provider::{Actor, Grant, Revoke, StoreError};

use super::csrf::{FormPurpose, RevokeFields};
use super::error::PageError;
use super::extract::{ClientIp, PageForm};
use super::i18n::Messages;
use super::render::render_with_script;
use super::session::Session;
use super::{App, CONNECTIONS, CONNECTIONS_REVOKE, Shared};

/// The query of the page.
#[derive(Deserialize)]
pub(super) struct ConnectionsQuery {
    /// The token that was just revoked, or [`ALL`].
    revoked: Option<String>,
}

#[derive(Template)]
#[template(path = "connections.html")]
struct ConnectionsPage<'a> {
    t: Messages,
    app: &'a App,
    session: &'a Session,
    list: &'a [Grant],
    is_revoked: bool,
    /// The links that use tokens of users, and this user's connection.
    outgoing: Vec<(&'a Link, Option<LinkConnection>)>,
}

/// `GET /oauth/connections`
pub(super) async fn show(
    State(app): Shared,
    t: Messages,
    session: Session,
    query: Result<Query<ConnectionsQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let mut list = app.provider.connections(&session.user.subject).await?;
    // The connections of a consumer stand together, where its newest one is.
    let first = list.iter().enumerate().rev();
    let first: BTreeMap<_, _> = first.map(|(at, one)| (one.token.consumer.clone(), at)).collect();
    list.sort_by_key(|one| first.get(&one.token.consumer).copied());
    let revoked = query.ok().and_then(|Query(query)| query.revoked);
    // The query is not trusted: the message is shown only if the token no longer exists.
    let is_revoked = revoked.is_some_and(|what| match what.as_str() {
        ALL => list.is_empty(),
        id => is_token_id(id) && list.iter().all(|connection| connection.token.id != id),
    });
    let page = ConnectionsPage {
        t,
        app: &app,
        session: &session,
        list: &list,
        is_revoked,
        outgoing: outgoing(&app, &session).await?,
    };
    Ok(render_with_script(&page))
}

/// `POST /oauth/connections/revoke`
pub(super) async fn revoke(
    State(app): Shared,
    ClientIp(address): ClientIp,
    PageForm { form, session }: PageForm<RevokeFields, Session>,
) -> Result<Response, PageError> {
    FormPurpose::revoke(&session.id, &form.token).check(&app, &form.form_token, CONNECTIONS)?;
    let subject = session.user.subject.as_str();
    if let Some(name) = form.token.strip_prefix(LINK) {
        // Deleted here; the remote application keeps it until the user revokes it there.
        if let Some(link) = app.links.get(name) {
            app.links.disconnect(link, subject, address).await?;
        }
        return Ok(app.redirect(CONNECTIONS));
    }
    let which = match form.token.as_str() {
        ALL => Revoke::AllOf { subject },
        id => Revoke::Own { id, subject },
    };
    let by = Actor {
        name: subject,
        address: Some(address),
    };
    app.provider.revoke(which, by).await?;
    Ok(app.redirect(&format!("{CONNECTIONS}?revoked={}", form.token)))
}

async fn outgoing<'a>(
    app: &'a App,
    session: &Session,
) -> Result<Vec<(&'a Link, Option<LinkConnection>)>, StoreError> {
    let connections = app.links.connections(&session.user.subject).await?.into_iter();
    let mut connections: BTreeMap<_, _> = connections.map(|(link, one)| (link.name(), one)).collect();
    let links = app.links.all.iter();
    let links = links.filter(|link| link.config.users == Users::Connect);
    Ok(links
        .map(|link| (link, connections.remove(link.name())))
        .collect())
}

impl ConnectionsPage<'_> {
    fn form_token(&self, what: &str) -> String {
        FormPurpose::revoke(&self.session.id, what).token(self.app)
    }
}

/// Whether a text can be the id of a token.
fn is_token_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Before the name of a link. No id of a token begins like this.
const LINK: &str = "link:";

/// All connections. No token has this id.
const ALL: &str = "all";

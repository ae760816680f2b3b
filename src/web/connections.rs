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
use super::render::{Layout, RevokeForm, SignOutForm, render_with_script};
use super::session::Session;
use super::{App, CONNECTIONS, CONNECTIONS_REVOKE, Shared, assets};

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
    layout: Layout,
    app: &'a App,
    session: &'a Session,
    list: &'a [Grant],
    is_revoked: bool,
    /// The links that use tokens of users, and this user's connection.
    outgoing: Vec<(&'a Link, Option<LinkConnection>)>,
    sign_out: SignOutForm,
    script: String,
}

/// `GET /oauth/connections`
pub(super) async fn show(
    State(app): Shared,
    layout: Layout,
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
        t: layout.messages(),
        layout,
        app: &app,
        session: &session,
        list: &list,
        is_revoked,
        outgoing: outgoing(&app, &session).await?,
        sign_out: session.sign_out_form(&app, CONNECTIONS),
        script: app.path(&assets::script()),
    };
    Ok(render_with_script(&page))
}

/// `POST /oauth/connections/revoke`
pub(super) async fn revoke(
    State(app): Shared,
    ClientIp(address): ClientIp,
    PageForm { form, session }: PageForm<RevokeFields, Session>,
) -> Result<Response, PageError> {
    FormPurpose::revoke(&session.id, &form.token).check(&app.keyring, &form.form_token, CONNECTIONS)?;
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
    let mut connections = app.links.connections(&session.user.subject).await?;
    let links = app.links.all().iter();
    let links = links.filter(|link| link.config().users == Users::Connect);
    let connected = links.map(|link| {
        let at = connections
            .iter()
            .position(|(other, _)| other.name() == link.name());
        (link, at.map(|at| connections.swap_remove(at).1))
    });
    Ok(connected.collect())
}

impl ConnectionsPage<'_> {
    fn revoke_form(&self, what: &str) -> RevokeForm {
        RevokeForm {
            action: self.app.path(CONNECTIONS_REVOKE),
            token: what.to_owned(),
            form_token: FormPurpose::revoke(&self.session.id, what).token(&self.app.keyring),
        }
    }

    fn disconnect_form(&self, link: &Link) -> RevokeForm {
        self.revoke_form(&format!("{LINK}{}", link.name()))
    }

    fn connect_path(&self, link: &Link) -> String {
        self.app.path(&format!("/oauth/links/{}/connect", link.name()))
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

//! What somebody has connected, and how they take it back: `/oauth/connections`.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query};
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use crate::links::Users;
use crate::provider::{Revoke, Revoker, StoreError};

use super::form::{self, Purpose};
use super::pages::{Connections, Notice, Outgoing, RevokeForm};
use super::session::Session;
use super::{CONNECTIONS, CONNECTIONS_REVOKE, ClientIp, Visit, login};

/// What the address of the page may say.
#[derive(Deserialize)]
pub(super) struct Address {
    /// What was just revoked.
    revoked: Option<String>,
}

/// The form of a button that revokes.
#[derive(Deserialize)]
pub(super) struct RevokeFields {
    /// The public name of a token, or [`ALL`].
    token: String,
    form_token: String,
}

/// `GET /oauth/connections`
#[tracing::instrument(name = "connections", skip_all, fields(user.subject))]
pub(super) async fn show(
    visit: Visit,
    headers: HeaderMap,
    address: Result<Query<Address>, QueryRejection>,
) -> Result<Response, Response> {
    let session = visit.user(&headers, CONNECTIONS).await?;
    let connections = visit.provider.connections(&session.user.subject).await;
    let connections = connections.map_err(|error| visit.refuse(error))?;
    let revoked = address.ok().and_then(|Query(address)| address.revoked);
    // The address is nobody's word: what it says was revoked must be gone.
    let is_gone = |what: &String| match what.as_str() {
        ALL => connections.is_empty(),
        id => is_id(id) && connections.iter().all(|connection| connection.token.id != id),
    };
    let form = |what: &str| RevokeForm {
        action: visit.path(CONNECTIONS_REVOKE),
        token: what.to_owned(),
        form_token: purpose(&session, what).token(&visit.keyring),
    };
    let outgoing = outgoing(&visit, &session)
        .await
        .map_err(|error| visit.refuse(error))?;
    let page = Connections {
        outgoing,
        forms: connections
            .iter()
            .map(|connection| form(&connection.token.id))
            .collect(),
        list: &connections,
        all: form(ALL),
        revoked: revoked.as_ref().is_some_and(is_gone),
        user: &session.user,
        sign_out: login::sign_out_form(&visit, &session, CONNECTIONS.to_owned()),
    };
    Ok(page.respond(&visit.frame()))
}

/// `POST /oauth/connections/revoke`
#[tracing::instrument(name = "revoke", skip_all, fields(user.subject))]
pub(super) async fn revoke(
    visit: Visit,
    ClientIp(address): ClientIp,
    headers: HeaderMap,
    form: Result<Form<RevokeFields>, FormRejection>,
) -> Result<Response, Response> {
    form::sent_from_here(&headers).map_err(|notice| visit.refuse(notice))?;
    let Form(form) = form.map_err(|rejection| visit.refuse(form::unreadable(&rejection)))?;
    let session = visit.user(&headers, CONNECTIONS).await?;
    if !purpose(&session, &form.token).admits(&visit.keyring, &form.form_token) {
        let again = CONNECTIONS.to_owned();
        return Err(visit.refuse(Notice::FormOutdated { again }));
    }
    let subject = session.user.subject.as_str();
    if let Some(name) = form.token.strip_prefix(LINK) {
        // It is ours to forget; at the other side it lives until it is revoked there.
        if let Some(link) = visit.links.get(name) {
            let done = visit.links.disconnect(link, subject, address).await;
            done.map_err(|error| visit.refuse(error))?;
        }
        return Ok(visit.redirect(CONNECTIONS));
    }
    let which = match form.token.as_str() {
        ALL => Revoke::AllOf { subject },
        id => Revoke::Own { id, subject },
    };
    let by = Revoker {
        name: subject,
        address: Some(address),
    };
    let revoked = visit.provider.revoke(which, by).await;
    revoked.map_err(|error| visit.refuse(error))?;
    Ok(visit.redirect(&format!("{CONNECTIONS}?revoked={}", form.token)))
}

/// The links that carry users' own tokens, and what this user gave us there.
async fn outgoing<'a>(visit: &'a Visit, session: &Session) -> Result<Vec<Outgoing<'a>>, StoreError> {
    let mut connections = visit.links.connections(&session.user.subject).await?;
    let links = visit.links.all().iter();
    let links = links.filter(|link| link.config().users == Users::Connect);
    Ok(links
        .map(|link| {
            let at = connections
                .iter()
                .position(|(other, _)| other.name() == link.name());
            let kept = at.map(|at| connections.swap_remove(at).1);
            let what = format!("{LINK}{}", link.name());
            let form_token = purpose(session, &what).token(&visit.keyring);
            Outgoing {
                link,
                connect: visit.path(&format!("/oauth/links/{}/connect", link.name())),
                kept: kept.map(|kept| {
                    let form = RevokeForm {
                        action: visit.path(CONNECTIONS_REVOKE),
                        token: what,
                        form_token,
                    };
                    (kept, form)
                }),
            }
        })
        .collect())
}

const fn purpose<'a>(session: &'a Session, what: &'a str) -> Purpose<'a> {
    Purpose::Revoke {
        session: &session.id,
        what,
    }
}

/// Whether this may be the public name of a token.
fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Begins the name of a link, which is no name of a token.
const LINK: &str = "link:";

/// Stands for every connection; no token has this name.
const ALL: &str = "all";

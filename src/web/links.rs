//! A user connects an outgoing link: `/oauth/links/{name}/connect`, and its callback.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tracing::Span;

use crate::links::{Link, LinkAuthorizationError};
use crate::oauth::{Token, encoding};

use super::error::{ErrorKind, PageError};
use super::extract::ClientIp;
use super::render::see_other;
use super::return_to::ReturnTo;
use super::session::Session;
use super::{CONNECTIONS, Shared};

/// The query of the page that starts the connection.
#[derive(Deserialize)]
pub(super) struct ConnectQuery {
    /// A path of the application, for afterwards.
    return_to: Option<String>,
}

/// The query of the callback.
#[derive(Deserialize)]
pub(super) struct CallbackQuery {
    #[serde(rename = "oauth_token")]
    token: Option<String>,
    #[serde(rename = "oauth_verifier")]
    verifier: Option<String>,
    #[serde(rename = "oauth_problem")]
    problem: Option<String>,
}

/// `GET /oauth/links/{name}/connect`: redirects to the approval page of the remote application.
pub(super) async fn connect(
    State(app): Shared,
    Path(name): Path<String>,
    session: Option<Session>,
    query: Result<Query<ConnectQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    Span::current().record("link", &name);
    let link = app.links.get(&name).ok_or_else(unknown)?;
    let return_to = query.ok().and_then(|Query(query)| query.return_to);
    let return_to = return_to.as_deref().and_then(ReturnTo::parse);
    let return_to = return_to.as_ref().map_or("", ReturnTo::as_str);
    let Some(session) = session else {
        let query = match return_to {
            "" => String::new(),
            path => format!("?return_to={}", encoding::encode(path)),
        };
        let here = format!("/oauth/links/{name}/connect{query}");
        return Ok(ReturnTo::or_login(Some(&here)).sign_in(&app, false, false));
    };
    let begun = app
        .links
        .begin_authorization(link, &session.user.subject, return_to);
    let url = begun.await.map_err(|error| page_error(link, error))?;
    Ok(see_other(&url))
}

/// `GET /oauth/links/{name}/callback`: the user has answered there.
pub(super) async fn callback(
    State(app): Shared,
    ClientIp(address): ClientIp,
    Path(name): Path<String>,
    session: Option<Session>,
    query: Result<Query<CallbackQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    Span::current().record("link", &name);
    let link = app.links.get(&name).ok_or_else(unknown)?;
    let not_pending = || page_error(link, LinkAuthorizationError::NotPending);
    let Query(query) = query.map_err(|_| not_pending())?;
    let token = query.token.as_deref().and_then(Token::parse);
    let token = token.ok_or_else(not_pending)?;
    // A denial is a problem, or with AppLinks a verifier of its own.
    let verifier = match (query.verifier, query.problem) {
        (Some(verifier), _) => verifier,
        (None, Some(_)) => "denied".to_owned(),
        (None, None) => return Err(not_pending()),
    };
    let Some(session) = session else {
        let (token, verifier) = (encoding::encode(token.as_str()), encoding::encode(&verifier));
        let here = format!("/oauth/links/{name}/callback?oauth_token={token}&oauth_verifier={verifier}");
        return Ok(ReturnTo::or_login(Some(&here)).sign_in(&app, false, false));
    };
    let finished = app
        .links
        .finish_authorization(link, &session.user.subject, address, &token, &verifier)
        .await;
    let return_to = finished.map_err(|error| page_error(link, error))?;
    Ok(match return_to.as_str() {
        "" => app.redirect(CONNECTIONS),
        // The application wrote it, whose own paths may be below `/oauth`.
        path => see_other(&app.below_public_url(app.public_url.relative(path))),
    })
}

fn unknown() -> PageError {
    ErrorKind::LinkUnknown.page()
}

fn page_error(link: &Link, error: LinkAuthorizationError) -> PageError {
    let page = match error {
        LinkAuthorizationError::NotPending => ErrorKind::LinkNotPending.page(),
        LinkAuthorizationError::Denied => ErrorKind::LinkDenied.page(),
        LinkAuthorizationError::Rejected(why) => ErrorKind::LinkRejected.page().because(why),
        LinkAuthorizationError::NoResponse(why) => ErrorKind::LinkNoResponse.page().because(why),
        LinkAuthorizationError::Store(error) => return error.into(),
    };
    let again = format!("/oauth/links/{}/connect", link.name());
    page.with("link", &link.config.title).retry(again)
}

pub(super) const CONNECT: &str = "/oauth/links/{name}/connect";
pub(super) const CALLBACK: &str = "/oauth/links/{name}/callback";

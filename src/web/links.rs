//! A user connects another side: `/oauth/links/{name}/connect`, and back at its callback.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use crate::links::{Link, LinkAuthorizationError};
use crate::oauth::{Token, encoding};

use super::pages::{LinkTrouble, Notice};
use super::return_address::ReturnAddress;
use super::{CONNECTIONS, ClientIp, Visit, headers};

/// What the address that begins a dance may say.
#[derive(Deserialize)]
pub(super) struct Begin {
    /// A path of the application, for afterwards.
    return_to: Option<String>,
}

/// What the other side sends the browser back with.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(rename = "oauth_token")]
    token: Option<String>,
    #[serde(rename = "oauth_verifier")]
    verifier: Option<String>,
    #[serde(rename = "oauth_problem")]
    problem: Option<String>,
}

/// `GET /oauth/links/{name}/connect`: sends the browser to the other side's question.
#[tracing::instrument(name = "connect", skip_all, fields(link = name, user.subject))]
pub(super) async fn connect(
    visit: Visit,
    Path(name): Path<String>,
    request_headers: HeaderMap,
    query: Result<Query<Begin>, QueryRejection>,
) -> Result<Response, Response> {
    let link = visit.links.get(&name);
    let link = link.ok_or_else(|| visit.refuse(trouble(LinkTrouble::Unknown)))?;
    let asked = query.ok().and_then(|Query(query)| query.return_to);
    let return_to = asked.as_deref().and_then(ReturnAddress::parse);
    let return_to = return_to.as_ref().map_or("", ReturnAddress::as_str);
    let here = match return_to {
        "" => format!("/oauth/links/{name}/connect"),
        there => format!(
            "/oauth/links/{name}/connect?return_to={}",
            encoding::encode(there)
        ),
    };
    let session = visit.user(&request_headers, &here).await?;
    let begun = visit
        .links
        .begin_authorization(link, &session.user.subject, return_to)
        .await;
    let there = begun.map_err(|error| visit.refuse(notice(link, error)))?;
    Ok(headers::see_other(&there))
}

/// `GET /oauth/links/{name}/callback`: the user was asked there, and comes back.
#[tracing::instrument(name = "callback", skip_all, fields(link = name, user.subject))]
pub(super) async fn back(
    visit: Visit,
    ClientIp(address): ClientIp,
    Path(name): Path<String>,
    request_headers: HeaderMap,
    query: Result<Query<Back>, QueryRejection>,
) -> Result<Response, Response> {
    let link = visit.links.get(&name);
    let link = link.ok_or_else(|| visit.refuse(trouble(LinkTrouble::Unknown)))?;
    let gone = |visit: &Visit| visit.refuse(notice(link, LinkAuthorizationError::NotPending));
    let Query(query) = query.map_err(|_| gone(&visit))?;
    let token = query.token.as_deref().and_then(Token::parse);
    let token = token.ok_or_else(|| gone(&visit))?;
    // Some say it with a problem, and AppLinks with a verifier of their own.
    let verifier = match (query.verifier, query.problem) {
        (Some(verifier), _) => verifier,
        (None, Some(_)) => "denied".to_owned(),
        (None, None) => return Err(gone(&visit)),
    };
    let here = format!(
        "/oauth/links/{name}/callback?oauth_token={}&oauth_verifier={}",
        encoding::encode(token.as_str()),
        encoding::encode(&verifier)
    );
    let session = visit.user(&request_headers, &here).await?;
    let finished = visit
        .links
        .finish_authorization(link, &session.user.subject, address, &token, &verifier)
        .await;
    let return_to = finished.map_err(|error| visit.refuse(notice(link, error)))?;
    let there = match return_to.as_str() {
        "" => CONNECTIONS,
        there => there,
    };
    Ok(visit.redirect(there))
}

fn notice(link: &Link, error: LinkAuthorizationError) -> Notice {
    let (trouble, why) = match error {
        LinkAuthorizationError::NotPending => (LinkTrouble::Lost, String::new()),
        LinkAuthorizationError::Denied => (LinkTrouble::Denied, String::new()),
        LinkAuthorizationError::Rejected(why) => (LinkTrouble::Refused, why),
        LinkAuthorizationError::NoResponse(why) => (LinkTrouble::Silent, why),
        LinkAuthorizationError::Store(error) => return Notice::StoreDown(error),
    };
    Notice::Link {
        trouble,
        link: link.title().to_owned(),
        why,
        again: Some(format!("/oauth/links/{}/connect", link.name())),
    }
}

/// A notice about no link in particular.
pub(super) fn trouble(trouble: LinkTrouble) -> Notice {
    Notice::Link {
        trouble,
        link: String::new(),
        why: String::new(),
        again: None,
    }
}

pub(super) const CONNECT: &str = "/oauth/links/{name}/connect";
pub(super) const BACK: &str = "/oauth/links/{name}/callback";

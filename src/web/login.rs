//! Sign in with name and password, and sign out: `/oauth/login`, `/oauth/logout`.

use std::net::IpAddr;

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query};
use axum::response::Response;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;

use crate::login::{Attempt, SignInError};
use crate::model::{AuditEvent, AuditKind};
use crate::oauth::{Callback, Secret};
use crate::provider::Question;
use crate::store::StoreError;

use super::form::{self, Purpose};
use super::pages::{Login, Notice, SignOutForm};
use super::return_address::ReturnAddress;
use super::session::{self, Browser, Session};
use super::{App, ClientAddress, LOGIN, LOGOUT, Visit};

/// What the address of the login page may say.
#[derive(Deserialize)]
pub(super) struct Address {
    return_to: Option<String>,
}

/// The login form.
#[derive(Deserialize)]
pub(super) struct SignInForm {
    username: String,
    password: String,
    form_token: String,
    return_to: Option<String>,
}

/// The form of a button that ends the session.
#[derive(Deserialize)]
pub(super) struct SignOut {
    form_token: String,
    return_to: Option<String>,
}

/// `GET /oauth/login`
#[tracing::instrument(name = "login", skip_all)]
pub(super) async fn show(
    visit: Visit,
    headers: HeaderMap,
    address: Result<Query<Address>, QueryRejection>,
) -> Response {
    let return_to = address.ok().and_then(|Query(address)| address.return_to);
    let answer = show_to(&visit, &headers, &ReturnAddress::or_login(return_to.as_deref())).await;
    answer.unwrap_or_else(|error| Notice::from(error).respond(&visit))
}

/// `POST /oauth/login`
#[tracing::instrument(name = "login", skip_all)]
pub(super) async fn sign_in(
    visit: Visit,
    address: ClientAddress,
    headers: HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Response {
    let answer = try_to_sign_in(&visit, address, &headers, form).await;
    answer.unwrap_or_else(|notice| notice.respond(&visit))
}

/// `POST /oauth/logout`
#[tracing::instrument(name = "logout", skip_all)]
pub(super) async fn sign_out(
    visit: Visit,
    address: ClientAddress,
    headers: HeaderMap,
    form: Result<Form<SignOut>, FormRejection>,
) -> Response {
    let answer = try_to_sign_out(&visit, address, &headers, form).await;
    answer.unwrap_or_else(|notice| notice.respond(&visit))
}

/// The form to sign out of a session.
pub(super) fn sign_out_form(app: &App, session: &Session, return_to: String) -> SignOutForm {
    SignOutForm {
        action: app.path(LOGOUT),
        return_to,
        form_token: Purpose::SignOut { session: &session.id }.token(&app.keyring),
    }
}

async fn show_to(visit: &Visit, headers: &HeaderMap, there: &ReturnAddress) -> Result<Response, StoreError> {
    match session::current(visit, headers).await? {
        Some(session) if there.as_str() == LOGIN => {
            let sign_out = sign_out_form(visit, &session, String::new());
            let notice = Notice::SignedIn {
                user: session.user.display_name,
                sign_out,
            };
            Ok(notice.respond(visit))
        }
        Some(_) => Ok(visit.redirect(there.as_str())),
        None => ask(visit, headers, there, None).await,
    }
}

async fn try_to_sign_in(
    visit: &Visit,
    ClientAddress(address): ClientAddress,
    headers: &HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Result<Response, Notice> {
    form::sent_from_here(headers)?;
    let Form(form) = form.map_err(|rejection| form::unreadable(&rejection))?;
    let there = ReturnAddress::or_login(form.return_to.as_deref());
    let Some(browser) = Browser::known(visit, headers) else {
        return Err(Notice::NoCookie { again: there.login() });
    };
    if !(Purpose::SignIn {
        browser: &browser.random,
    })
    .admits(&visit.keyring, &form.form_token)
    {
        return Err(Notice::FormOutdated { again: there.login() });
    }
    let attempt = Attempt {
        name: &form.username,
        password: Secret::new(form.password),
        address,
        at: visit.clock.now(),
    };
    match visit.login.sign_in(attempt).await {
        Ok(user) => {
            let subject = user.subject.clone();
            let cookies = session::begin(visit, headers, user).await?;
            note(visit, AuditKind::SignedIn, subject, address).await;
            Ok(with_cookies(visit.redirect(there.as_str()), cookies))
        }
        Err(SignInError::Wrong) => {
            tracing::info!(%address, "a wrong name or password");
            Ok(ask(visit, headers, &there, Some(&form.username)).await?)
        }
        Err(SignInError::TooMany(wait)) => Err(Notice::TooMany {
            wait,
            again: there.login(),
        }),
        Err(SignInError::Unavailable(why)) => Err(Notice::LoginUnavailable(why)),
    }
}

async fn try_to_sign_out(
    visit: &Visit,
    ClientAddress(address): ClientAddress,
    headers: &HeaderMap,
    form: Result<Form<SignOut>, FormRejection>,
) -> Result<Response, Notice> {
    form::sent_from_here(headers)?;
    let Form(form) = form.map_err(|rejection| form::unreadable(&rejection))?;
    let there = ReturnAddress::or_login(form.return_to.as_deref());
    let Some(session) = session::current(visit, headers).await? else {
        return Ok(visit.redirect(&there.login()));
    };
    if !(Purpose::SignOut { session: &session.id }).admits(&visit.keyring, &form.form_token) {
        return Err(Notice::FormOutdated {
            again: there.as_str().to_owned(),
        });
    }
    let cookie = session::finish(visit, &session.id).await?;
    note(visit, AuditKind::SignedOut, session.user.subject, address).await;
    let answer = match there.as_str() {
        LOGIN => Notice::SignedOut.respond(visit),
        _ => visit.redirect(&there.login()),
    };
    Ok(with_cookies(answer, [cookie]))
}

/// Shows the login form, with the consumer that waits for it, if one does.
async fn ask(
    visit: &Visit,
    headers: &HeaderMap,
    there: &ReturnAddress,
    tried: Option<&str>,
) -> Result<Response, StoreError> {
    let asked_by = asked_by(visit, there).await?;
    let (browser, cookie) = Browser::known_or_new(visit, headers);
    let page = Login {
        asked_by: asked_by
            .as_ref()
            .map(|(consumer, callback)| (consumer.as_str(), callback)),
        action: visit.path(LOGIN),
        return_to: there.as_str(),
        form_token: Purpose::SignIn {
            browser: &browser.random,
        }
        .token(&visit.keyring),
        tried,
    };
    Ok(with_cookies(page.respond(&visit.frame()), cookie))
}

/// Who waits at the return address, and where the browser may end up from there.
async fn asked_by(app: &App, there: &ReturnAddress) -> Result<Option<(String, Callback)>, StoreError> {
    let Some(token) = there.request_token() else {
        return Ok(None);
    };
    Ok(match app.provider.question(&token).await? {
        Question::Open {
            consumer, callback, ..
        }
        | Question::Approved {
            consumer, callback, ..
        } => Some((consumer.name.clone(), callback)),
        _ => None,
    })
}

/// Writes down that somebody came or left. A failed attempt is only logged: no stranger writes to the database.
async fn note(app: &App, kind: AuditKind, subject: String, address: IpAddr) {
    tracing::info!(user.subject = ?subject, %address, "{subject:?} {}", kind.name());
    let event = AuditEvent {
        at: app.clock.now(),
        kind,
        consumer: None,
        subject: Some(subject),
        address: Some(address),
        reference: None,
        detail: String::new(),
    };
    if let Err(error) = app.store.record(&event).await {
        tracing::error!(%error, ?kind, "the audit log could not be written");
    }
}

fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

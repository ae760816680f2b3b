//! Sign in with name and password, and sign out: `/oauth/login`, `/oauth/logout`.

use std::net::IpAddr;

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
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
use super::{App, ClientAddress, LOGIN, LOGOUT, Shared};

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
    State(app): Shared,
    headers: HeaderMap,
    address: Result<Query<Address>, QueryRejection>,
) -> Response {
    let return_to = address.ok().and_then(|Query(address)| address.return_to);
    let answer = show_to(&app, &headers, &ReturnAddress::or_login(return_to.as_deref())).await;
    answer.unwrap_or_else(|error| Notice::from(error).respond(&app))
}

/// `POST /oauth/login`
#[tracing::instrument(name = "login", skip_all)]
pub(super) async fn sign_in(
    State(app): Shared,
    address: ClientAddress,
    headers: HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Response {
    let answer = try_to_sign_in(&app, address, &headers, form).await;
    answer.unwrap_or_else(|notice| notice.respond(&app))
}

/// `POST /oauth/logout`
#[tracing::instrument(name = "logout", skip_all)]
pub(super) async fn sign_out(
    State(app): Shared,
    address: ClientAddress,
    headers: HeaderMap,
    form: Result<Form<SignOut>, FormRejection>,
) -> Response {
    let answer = try_to_sign_out(&app, address, &headers, form).await;
    answer.unwrap_or_else(|notice| notice.respond(&app))
}

/// The form to sign out of a session.
pub(super) fn sign_out_form(app: &App, session: &Session, return_to: String) -> SignOutForm {
    SignOutForm {
        action: app.path(LOGOUT),
        return_to,
        form_token: Purpose::SignOut { session: &session.id }.token(&app.keyring),
    }
}

async fn show_to(app: &App, headers: &HeaderMap, there: &ReturnAddress) -> Result<Response, StoreError> {
    match session::current(app, headers).await? {
        Some(session) if there.as_str() == LOGIN => {
            let sign_out = sign_out_form(app, &session, String::new());
            let notice = Notice::SignedIn {
                user: session.user.display_name,
                sign_out,
            };
            Ok(notice.respond(app))
        }
        Some(_) => Ok(app.redirect(there.as_str())),
        None => ask(app, headers, there, None).await,
    }
}

async fn try_to_sign_in(
    app: &App,
    ClientAddress(address): ClientAddress,
    headers: &HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Result<Response, Notice> {
    form::sent_from_here(headers)?;
    let Form(form) = form.map_err(|rejection| form::unreadable(&rejection))?;
    let there = ReturnAddress::or_login(form.return_to.as_deref());
    let Some(browser) = Browser::known(app, headers) else {
        return Err(Notice::NoCookie { again: there.login() });
    };
    if !(Purpose::SignIn {
        browser: &browser.random,
    })
    .admits(&app.keyring, &form.form_token)
    {
        return Err(Notice::FormOutdated { again: there.login() });
    }
    let attempt = Attempt {
        name: &form.username,
        password: Secret::new(form.password),
        address,
        at: app.clock.now(),
    };
    match app.login.sign_in(attempt).await {
        Ok(user) => {
            let subject = user.subject.clone();
            let cookies = session::begin(app, headers, user).await?;
            note(app, AuditKind::SignedIn, subject, address).await;
            Ok(with_cookies(app.redirect(there.as_str()), cookies))
        }
        Err(SignInError::Wrong) => {
            tracing::info!(%address, "a wrong name or password");
            Ok(ask(app, headers, &there, Some(&form.username)).await?)
        }
        Err(SignInError::TooMany(wait)) => Err(Notice::TooMany {
            wait,
            again: there.login(),
        }),
        Err(SignInError::Unavailable(why)) => Err(Notice::LoginUnavailable(why)),
    }
}

async fn try_to_sign_out(
    app: &App,
    ClientAddress(address): ClientAddress,
    headers: &HeaderMap,
    form: Result<Form<SignOut>, FormRejection>,
) -> Result<Response, Notice> {
    form::sent_from_here(headers)?;
    let Form(form) = form.map_err(|rejection| form::unreadable(&rejection))?;
    let there = ReturnAddress::or_login(form.return_to.as_deref());
    let Some(session) = session::current(app, headers).await? else {
        return Ok(app.redirect(&there.login()));
    };
    if !(Purpose::SignOut { session: &session.id }).admits(&app.keyring, &form.form_token) {
        return Err(Notice::FormOutdated {
            again: there.as_str().to_owned(),
        });
    }
    let cookie = session::finish(app, &session.id).await?;
    note(app, AuditKind::SignedOut, session.user.subject, address).await;
    let answer = match there.as_str() {
        LOGIN => Notice::SignedOut.respond(app),
        _ => app.redirect(&there.login()),
    };
    Ok(with_cookies(answer, [cookie]))
}

/// Shows the login form, with the consumer that waits for it, if one does.
async fn ask(
    app: &App,
    headers: &HeaderMap,
    there: &ReturnAddress,
    tried: Option<&str>,
) -> Result<Response, StoreError> {
    let asked_by = asked_by(app, there).await?;
    let (browser, cookie) = Browser::known_or_new(app, headers);
    let page = Login {
        asked_by: asked_by
            .as_ref()
            .map(|(consumer, callback)| (consumer.as_str(), callback)),
        action: app.path(LOGIN),
        return_to: there.as_str(),
        form_token: Purpose::SignIn {
            browser: &browser.random,
        }
        .token(&app.keyring),
        tried,
    };
    Ok(with_cookies(page.respond(&app.frame()), cookie))
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

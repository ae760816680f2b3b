//! Sign in and out: `/oauth/login`, `/oauth/logout`.
//!
//! The login page is a form, or the way to whoever knows who is there: what the request says is believed at once
//! (`recognised`), and for the rest `trip` sends the browser away.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query};
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use crate::login::{Attempt, Door, SignInError};
use crate::oauth::{Callback, Secret};
use crate::provider::Question;
use crate::provider::StoreError;

use super::form::{self, Purpose};
use super::pages::{Login, Notice, SignOutForm, SigningIn};
use super::return_address::ReturnAddress;
use super::session::{self, Browser, Session};
use super::visit::SignIn;
use super::{App, ClientIp, LOGIN, LOGOUT, Visit, headers, trip};

/// What the address of the login page may say.
#[derive(Default, Deserialize)]
pub(super) struct Address {
    return_to: Option<String>,
    /// A new proof is wanted, although there is a session.
    fresh: Option<String>,
    /// A form led here: no further than this without a click.
    pause: Option<String>,
    /// The browser was at the application's sign-in.
    back: Option<String>,
    /// The browser was given a cookie.
    cookie: Option<String>,
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

/// Why the form is shown.
struct Asking<'a> {
    fresh: bool,
    tried: Option<&'a str>,
}

/// `GET /oauth/login`
#[tracing::instrument(name = "login", skip_all)]
pub(super) async fn show(
    visit: Visit,
    client: ClientIp,
    headers: HeaderMap,
    address: Result<Query<Address>, QueryRejection>,
) -> Response {
    let address = address.map(|Query(address)| address).unwrap_or_default();
    let answer = show_to(&visit, client, &headers, &address).await;
    answer.unwrap_or_else(|notice| notice.respond(&visit))
}

/// `POST /oauth/login`
#[tracing::instrument(name = "login", skip_all)]
pub(super) async fn sign_in(
    visit: Visit,
    address: ClientIp,
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
    address: ClientIp,
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

async fn show_to(
    visit: &Visit,
    client: ClientIp,
    headers: &HeaderMap,
    address: &Address,
) -> Result<Response, Notice> {
    let there = ReturnAddress::or_login(address.return_to.as_deref());
    let fresh = address.fresh.is_some();
    match session::current(visit, headers).await? {
        Some(session) if !fresh && there.as_str() == LOGIN => {
            let sign_out = sign_out_form(visit, &session, String::new());
            let user = session.user.display_name;
            return Err(Notice::SignedIn { user, sign_out });
        }
        Some(_) if !fresh => return Ok(visit.redirect(there.as_str())),
        _ => {}
    }
    let also: &[&str] = if fresh { &["fresh"] } else { &[] };
    match visit.login.door() {
        Door::Form => Ok(ask(visit, headers, &there, Asking { fresh, tried: None }).await?),
        _ if address.pause.is_some() => Err(SigningIn::Pause {
            again: there.login_and(also),
        }
        .into()),
        Door::Request => recognised(visit, client, headers, &there, address).await,
        Door::RoundTrip => trip::leave(visit, &there, fresh).await,
    }
}

/// Believes what the request says; sends a browser that is nobody's to the application's sign-in, once.
async fn recognised(
    visit: &Visit,
    ClientIp(client): ClientIp,
    headers: &HeaderMap,
    there: &ReturnAddress,
    address: &Address,
) -> Result<Response, Notice> {
    let again = || there.login();
    let said = match visit.recognise(headers).await {
        Some(said) => said?,
        None => None,
    };
    let Some(user) = said else {
        let back = visit.absolute(&there.login_and(&["back"]));
        return match visit.login.sign_in_at(&back) {
            Some(elsewhere) if address.back.is_none() => Ok(headers::see_other(&elsewhere)),
            Some(_) => Err(SigningIn::StillNobody { again: again() }.into()),
            None => Err(SigningIn::NotNamed {
                why: "the request has no name in it".to_owned(),
                again: again(),
            }
            .into()),
        };
    };
    // Without a cookie this would never end: the page asks for a session, and comes here again.
    match (Browser::known_or_new(visit, headers), &address.cookie) {
        ((_, None), _) => {
            let cookies = session::begin(visit, headers, user, client).await?;
            Ok(headers::with_cookies(visit.redirect(there.as_str()), cookies))
        }
        ((_, Some(_)), Some(_)) => Err(Notice::NoCookie { again: again() }),
        ((_, cookie), None) => {
            let once_more = visit.redirect(&there.login_and(&["cookie"]));
            Ok(headers::with_cookies(once_more, cookie))
        }
    }
}

async fn try_to_sign_in(
    visit: &Visit,
    ClientIp(address): ClientIp,
    headers: &HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Result<Response, Notice> {
    if visit.login.door() != Door::Form {
        return Err(Notice::MethodNotAllowed);
    }
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
    if let Some(wait) = visit
        .provider
        .count_sign_in(address, Some(&form.username))
        .await?
    {
        return Err(Notice::TooMany {
            wait,
            again: there.login(),
        });
    }
    let attempt = Attempt {
        name: &form.username,
        password: Secret::new(form.password),
        at: visit.clock.now(),
    };
    match visit.login.sign_in(attempt).await {
        Ok(user) => {
            let cookies = session::begin(visit, headers, user, address).await?;
            Ok(headers::with_cookies(visit.redirect(there.as_str()), cookies))
        }
        Err(SignInError::Wrong) => {
            tracing::info!(%address, "a wrong name or password");
            let asking = Asking {
                fresh: false,
                tried: Some(&form.username),
            };
            Ok(ask(visit, headers, &there, asking).await?)
        }
        Err(SignInError::Unavailable(why)) => Err(Notice::LoginUnavailable(why)),
    }
}

async fn try_to_sign_out(
    visit: &Visit,
    ClientIp(address): ClientIp,
    headers: &HeaderMap,
    form: Result<Form<SignOut>, FormRejection>,
) -> Result<Response, Notice> {
    form::sent_from_here(headers)?;
    let Form(form) = form.map_err(|rejection| form::unreadable(&rejection))?;
    let there = ReturnAddress::or_login(form.return_to.as_deref());
    let Some(session) = session::current(visit, headers).await? else {
        return Ok(visit.sign_in(&there, SignIn::AsSomebody));
    };
    if !(Purpose::SignOut { session: &session.id }).admits(&visit.keyring, &form.form_token) {
        return Err(Notice::FormOutdated {
            again: there.as_str().to_owned(),
        });
    }
    let cookie = session::finish(visit, &session, address).await?;
    let answer = match visit.login.door() {
        // Who is there is not ours to forget: the next request would say it again.
        Door::Request => Notice::from(SigningIn::AnotherAccount {
            leave: visit.login.sign_out_at().map(str::to_owned),
            again: there.login(),
        })
        .respond(visit),
        _ if there.as_str() == LOGIN => Notice::SignedOut.respond(visit),
        Door::Form => visit.sign_in(&there, SignIn::AsSomebody),
        // Whoever wants another account must be asked which.
        Door::RoundTrip => visit.sign_in(&there, SignIn::Anew),
    };
    Ok(headers::with_cookies(answer, [cookie]))
}

/// Shows the login form, with the consumer that waits for it, if one does.
async fn ask(
    visit: &Visit,
    headers: &HeaderMap,
    there: &ReturnAddress,
    asking: Asking<'_>,
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
        fresh: asking.fresh,
        tried: asking.tried,
    };
    Ok(headers::with_cookies(page.respond(&visit.frame()), cookie))
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

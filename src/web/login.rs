//! Signing in and out: `/oauth/login`, `/oauth/logout`.
//!
//! The sign-in page shows a form, signs in the user whom the request names, or redirects to a login service
//! ([`super::login_redirect`]).

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::login::{FormLogin, Login, RequestLogin, SignInError};
use crate::model::RequestTokenState;
use crate::oauth::{Callback, Secret};
use crate::provider::{AuthorizationRequest, StoreError};

use super::cookies::Browser;
use super::csrf::FormPurpose;
use super::error::{ErrorKind, PageError};
use super::extract::{ClientIp, PageForm};
use super::i18n::Messages;
use super::render::{render_with_callback, see_other, with_cookies};
use super::return_to::ReturnTo;
use super::session::{Session, identify};
use super::{App, LOGIN, Shared, login_redirect};

/// The query of the sign-in page.
#[derive(Default, Deserialize)]
pub(super) struct LoginQuery {
    return_to: Option<String>,
    /// The user must sign in again, although there is a session.
    fresh: Option<String>,
    /// A form led here: the user must follow a link to continue.
    pause: Option<String>,
    /// The application's sign-in page led here.
    back: Option<String>,
    /// The browser was given a cookie.
    cookie: Option<String>,
}

/// The sign-in form.
#[derive(Deserialize)]
pub(super) struct SignInFields {
    username: String,
    password: String,
    form_token: String,
    return_to: Option<String>,
}

/// The form of a button that ends the session.
#[derive(Deserialize)]
pub(super) struct SignOutFields {
    form_token: String,
    return_to: Option<String>,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    t: Messages,
    /// The consumer whose access request waits.
    consumer: Option<&'a str>,
    action: String,
    return_to: &'a ReturnTo,
    form_token: String,
    /// The session is too old for an answer.
    fresh: bool,
    /// A username that is wrong, or whose password is.
    wrong: Option<&'a str>,
}

/// `GET /oauth/login`
pub(super) async fn show(
    State(app): Shared,
    t: Messages,
    client: ClientIp,
    session: Option<Session>,
    query: Result<Query<LoginQuery>, QueryRejection>,
    parts: Parts,
) -> Result<Response, PageError> {
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let return_to = ReturnTo::or_login(query.return_to.as_deref());
    let fresh = query.fresh.is_some();
    match session {
        Some(session) if !fresh && return_to.as_str() == LOGIN => {
            let sign_out = session.sign_out_form(&app, "");
            let page = ErrorKind::SignedIn.page().sign_out(sign_out);
            return Err(page.with("user", session.user.display_name));
        }
        Some(_) if !fresh => return Ok(app.redirect(return_to.as_str())),
        _ => {}
    }
    match &*app.login {
        Login::Form(_) => Ok(login_form(&app, t, &parts.headers, &return_to, fresh, None).await?),
        _ if query.pause.is_some() => {
            let path = return_to.login_with([("fresh", fresh)]);
            Err(ErrorKind::Pause.page().sign_in_again(path))
        }
        Login::Request(login) => sign_in_by_request(&app, login, client, &parts, &return_to, &query).await,
        Login::Redirect(login) => login_redirect::start(&app, login, &parts.headers, &return_to, fresh).await,
    }
}

/// Signs in the user whom the request names, or redirects once to the application's sign-in page.
async fn sign_in_by_request(
    app: &App,
    login: &RequestLogin,
    ClientIp(client): ClientIp,
    parts: &Parts,
    return_to: &ReturnTo,
    query: &LoginQuery,
) -> Result<Response, PageError> {
    let Some(user) = identify(app, login, parts).await? else {
        let back = app.absolute(&return_to.login_with([("back", true)]));
        return match login.login_url(&back) {
            Some(url) if query.back.is_none() => Ok(see_other(&url)),
            Some(_) => Err(ErrorKind::StillAnonymous.page().sign_in_again(return_to.login())),
            None => {
                let page = ErrorKind::UserMissing.page().sign_in_again(return_to.login());
                Err(page.because("the request does not name a user"))
            }
        };
    };
    // Without a cookie the redirects would never end: the page needs a session, and leads here again.
    match (Browser::known_or_new(app, &parts.headers), &query.cookie) {
        ((_, None), _) => {
            let cookies = Session::begin(app, &parts.headers, user, client).await?;
            Ok(with_cookies(app.redirect(return_to.as_str()), cookies))
        }
        ((_, Some(_)), Some(_)) => Err(ErrorKind::NoCookie.page().retry(return_to.login())),
        ((_, cookie), None) => {
            let again = app.redirect(&return_to.login_with([("cookie", true)]));
            Ok(with_cookies(again, cookie))
        }
    }
}

/// `POST /oauth/login`, where users sign in with a password.
pub(super) async fn sign_in(
    State(app): Shared,
    t: Messages,
    ClientIp(address): ClientIp,
    headers: HeaderMap,
    form: Result<PageForm<SignInFields>, Response>,
) -> Result<Response, Response> {
    let Login::Form(login) = &*app.login else {
        return Err(ErrorKind::MethodNotAllowed.page().into_response());
    };
    let signed_in = check_password(&app, login, t, address, &headers, form?.form).await;
    signed_in.map_err(PageError::into_response)
}

async fn check_password(
    app: &App,
    login: &FormLogin,
    t: Messages,
    address: std::net::IpAddr,
    headers: &HeaderMap,
    form: SignInFields,
) -> Result<Response, PageError> {
    let return_to = ReturnTo::or_login(form.return_to.as_deref());
    let again = return_to.login();
    let Some(browser) = Browser::known(app, headers) else {
        return Err(ErrorKind::NoCookie.page().retry(again));
    };
    FormPurpose::sign_in(&browser.random).check(app, &form.form_token, &again)?;
    // Counted before the password is checked: guesses that run in parallel count, too.
    if let Some(wait) = app.provider.count_sign_in(address, Some(&form.username)).await? {
        return Err(ErrorKind::TooMany.page().wait(wait).retry(again));
    }
    let password = Secret::new(form.password);
    match login.verify(&form.username, password, app.clock.now()).await {
        Ok(user) => {
            let cookies = Session::begin(app, headers, user, address).await?;
            Ok(with_cookies(app.redirect(return_to.as_str()), cookies))
        }
        Err(SignInError::Rejected(_)) => {
            tracing::info!(%address, "sign-in failed: wrong username or password");
            let wrong = Some(&*form.username);
            let page = login_form(app, t, headers, &return_to, false, wrong).await?;
            Ok((StatusCode::FORBIDDEN, page).into_response())
        }
        Err(SignInError::Unavailable(why)) => Err(ErrorKind::LoginUnavailable.page().because(why)),
    }
}

/// `POST /oauth/logout`
pub(super) async fn sign_out(
    State(app): Shared,
    ClientIp(address): ClientIp,
    PageForm { form, session }: PageForm<SignOutFields, Option<Session>>,
) -> Result<Response, PageError> {
    let return_to = ReturnTo::or_login(form.return_to.as_deref());
    let Some(session) = session else {
        return Ok(return_to.sign_in(&app, true, false));
    };
    FormPurpose::sign_out(&session.id).check(&app, &form.form_token, return_to.as_str())?;
    let cookie = session.end(&app, address).await?;
    let response = match &*app.login {
        // The next request would name the same user: only the application or the proxy can sign out.
        Login::Request(login) => {
            let page = ErrorKind::AnotherAccount.page().leave(login.logout_url());
            page.sign_in_again(return_to.login()).into_response()
        }
        _ if return_to.as_str() == LOGIN => ErrorKind::SignedOut.page().into_response(),
        Login::Form(_) => return_to.sign_in(&app, true, false),
        // The login service must ask for the account.
        Login::Redirect(_) => return_to.sign_in(&app, true, true),
    };
    Ok(with_cookies(response, [cookie]))
}

/// The sign-in form. It may end at a callback: an access request that was answered before leads there at once.
async fn login_form(
    app: &App,
    t: Messages,
    headers: &HeaderMap,
    return_to: &ReturnTo,
    fresh: bool,
    wrong: Option<&str>,
) -> Result<Response, StoreError> {
    let waiting = waiting_consumer(app, return_to).await?;
    let (browser, cookie) = Browser::known_or_new(app, headers);
    let page = LoginPage {
        t,
        consumer: waiting.as_ref().map(|(consumer, _)| consumer.as_str()),
        action: app.path(LOGIN),
        return_to,
        form_token: FormPurpose::sign_in(&browser.random).token(app),
        fresh,
        wrong,
    };
    let page = render_with_callback(&page, waiting.as_ref().map(|(_, callback)| callback));
    Ok(with_cookies(page, cookie))
}

/// The consumer whose access request waits at the return path, and its callback.
async fn waiting_consumer(app: &App, return_to: &ReturnTo) -> Result<Option<(String, Callback)>, StoreError> {
    let Some(token) = return_to.request_token() else {
        return Ok(None);
    };
    Ok(match app.provider.authorization_request(&token).await? {
        AuthorizationRequest::Found(consumer, kept)
            if matches!(
                kept.state,
                RequestTokenState::Pending | RequestTokenState::Authorized { .. }
            ) =>
        {
            Some((consumer.name.clone(), kept.callback))
        }
        _ => None,
    })
}

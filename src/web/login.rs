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

use crate::login::{Attempt, Door, SignInError};
use crate::oauth::{Callback, Secret};
use crate::provider::{AuthorizationRequest, StoreError};

use super::cookies::Browser;
use super::csrf::FormPurpose;
use super::error::{ErrorKind, PageError};
use super::extract::{ClientIp, PageForm};
use super::i18n::Messages;
use super::render::{Layout, render_with_callback, see_other, with_cookies};
use super::return_to::ReturnTo;
use super::session::{Session, recognise};
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
pub(super) struct LoginPage<'a> {
    pub(super) t: Messages,
    pub(super) layout: Layout,
    /// The consumer whose access request waits.
    pub(super) consumer: Option<&'a str>,
    pub(super) action: String,
    pub(super) return_to: &'a ReturnTo,
    pub(super) form_token: String,
    pub(super) reason: LoginReason<'a>,
}

/// Why the form is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum LoginReason<'a> {
    SignedOut,
    /// The session is too old for an answer.
    Fresh,
    /// The username, or its password, is wrong.
    Wrong(&'a str),
}

/// `GET /oauth/login`
pub(super) async fn show(
    State(app): Shared,
    layout: Layout,
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
    let flags: &[&str] = if fresh { &["fresh"] } else { &[] };
    match app.login.door() {
        Door::Form => {
            let reason = if fresh {
                LoginReason::Fresh
            } else {
                LoginReason::SignedOut
            };
            Ok(login_form(&app, layout, &parts.headers, &return_to, reason).await?)
        }
        _ if query.pause.is_some() => {
            let path = return_to.login_with(flags);
            Err(ErrorKind::Pause.page().sign_in_again(path))
        }
        Door::Request => sign_in_recognised(&app, client, &parts, &return_to, &query).await,
        Door::RoundTrip => login_redirect::start(&app, &return_to, fresh).await,
    }
}

/// Signs in the user whom the request names, or redirects once to the application's sign-in page.
async fn sign_in_recognised(
    app: &App,
    ClientIp(client): ClientIp,
    parts: &Parts,
    return_to: &ReturnTo,
    query: &LoginQuery,
) -> Result<Response, PageError> {
    let Some(user) = recognise(app, parts).await.transpose()?.flatten() else {
        let back = app.absolute(&return_to.login_with(&["back"]));
        return match app.login.sign_in_at(&back) {
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
            let again = app.redirect(&return_to.login_with(&["cookie"]));
            Ok(with_cookies(again, cookie))
        }
    }
}

/// `POST /oauth/login`
pub(super) async fn sign_in(
    State(app): Shared,
    layout: Layout,
    ClientIp(address): ClientIp,
    headers: HeaderMap,
    form: Result<PageForm<SignInFields>, Response>,
) -> Result<Response, Response> {
    if app.login.door() != Door::Form {
        return Err(ErrorKind::MethodNotAllowed.page().into_response());
    }
    let signed_in = check_password(&app, layout, address, &headers, form?.form).await;
    signed_in.map_err(PageError::into_response)
}

async fn check_password(
    app: &App,
    layout: Layout,
    address: std::net::IpAddr,
    headers: &HeaderMap,
    form: SignInFields,
) -> Result<Response, PageError> {
    let return_to = ReturnTo::or_login(form.return_to.as_deref());
    let again = return_to.login();
    let Some(browser) = Browser::known(app, headers) else {
        return Err(ErrorKind::NoCookie.page().retry(again));
    };
    FormPurpose::sign_in(&browser.random).check(&app.keyring, &form.form_token, &again)?;
    // Counted before the password is checked: guesses that run in parallel count, too.
    if let Some(wait) = app.provider.count_sign_in(address, Some(&form.username)).await? {
        return Err(ErrorKind::TooMany.page().wait(wait).retry(again));
    }
    let attempt = Attempt {
        name: &form.username,
        password: Secret::new(form.password),
        at: app.clock.now(),
    };
    match app.login.sign_in(attempt).await {
        Ok(user) => {
            let cookies = Session::begin(app, headers, user, address).await?;
            Ok(with_cookies(app.redirect(return_to.as_str()), cookies))
        }
        Err(SignInError::Wrong) => {
            tracing::info!(%address, "sign-in failed: wrong username or password");
            let reason = LoginReason::Wrong(&form.username);
            Ok(login_form(app, layout, headers, &return_to, reason).await?)
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
    FormPurpose::sign_out(&session.id).check(&app.keyring, &form.form_token, return_to.as_str())?;
    let cookie = session.end(&app, address).await?;
    let response = match app.login.door() {
        // The next request would name the same user: only the application or the proxy can sign out.
        Door::Request => {
            let page = ErrorKind::AnotherAccount.page().leave(app.login.sign_out_at());
            page.sign_in_again(return_to.login()).into_response()
        }
        _ if return_to.as_str() == LOGIN => ErrorKind::SignedOut.page().into_response(),
        Door::Form => return_to.sign_in(&app, true, false),
        // The login service must ask for the account.
        Door::RoundTrip => return_to.sign_in(&app, true, true),
    };
    Ok(with_cookies(response, [cookie]))
}

/// The sign-in form. It may end at a callback: an access request that was answered before leads there at once.
async fn login_form(
    app: &App,
    layout: Layout,
    headers: &HeaderMap,
    return_to: &ReturnTo,
    reason: LoginReason<'_>,
) -> Result<Response, StoreError> {
    let waiting = waiting_consumer(app, return_to).await?;
    let (browser, cookie) = Browser::known_or_new(app, headers);
    let page = LoginPage {
        t: layout.messages(),
        layout,
        consumer: waiting.as_ref().map(|(consumer, _)| consumer.as_str()),
        action: app.path(LOGIN),
        return_to,
        form_token: FormPurpose::sign_in(&browser.random).token(&app.keyring),
        reason,
    };
    let page = page.render_for(waiting.as_ref().map(|(_, callback)| callback));
    Ok(with_cookies(page, cookie))
}

/// The consumer whose access request waits at the return path, and its callback.
async fn waiting_consumer(app: &App, return_to: &ReturnTo) -> Result<Option<(String, Callback)>, StoreError> {
    let Some(token) = return_to.request_token() else {
        return Ok(None);
    };
    Ok(match app.provider.authorization_request(&token).await? {
        AuthorizationRequest::Pending {
            consumer, callback, ..
        }
        | AuthorizationRequest::Approved {
            consumer, callback, ..
        } => Some((consumer.name.clone(), callback)),
        _ => None,
    })
}

impl LoginPage<'_> {
    pub(super) fn render_for(&self, callback: Option<&Callback>) -> Response {
        let page = render_with_callback(self, callback);
        if self.reason.is_wrong() {
            return (StatusCode::FORBIDDEN, page).into_response();
        }
        page
    }
}

impl LoginReason<'_> {
    const fn is_wrong(&self) -> bool {
        matches!(self, Self::Wrong(_))
    }

    const fn username(&self) -> &str {
        match self {
            Self::Wrong(username) => username,
            Self::SignedOut | Self::Fresh => "",
        }
    }
}

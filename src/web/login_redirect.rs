//! Signing in with a redirect to a login service and back: `/oauth/login/handoff`, `/oauth/login/oidc`.
//!
//! The state of an attempt is in a cookie of the browser, signed by linkgate: any replica can read it, and starting attempts
//! writes nothing to the database. An attempt is completed in the store, once, after its response was verified.

use std::net::IpAddr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;

use crate::login::{Login, LoginFlow, RedirectLogin, SignInError};
use crate::model::User;
use crate::oauth::{Secret, Timestamp, Token};

#[cfg(feature = "oidc")]
use super::OIDC;
use super::cookies::Cookie;
use super::error::{ErrorKind, PageError};
use super::extract::ClientIp;
use super::render::{see_other, with_cookies};
use super::return_to::ReturnTo;
use super::session::Session;
use super::{App, HANDOFF, LOGIN, Shared, randomness};

/// The response of the application.
#[derive(Deserialize)]
pub(super) struct HandoffQuery {
    lg_answer: String,
    lg_sig: String,
}

/// The response of an identity provider (OpenID Connect Core, sections 3.1.2.5 and 3.1.2.6; RFC 9207).
#[cfg(feature = "oidc")]
#[derive(Deserialize)]
pub(super) struct OidcQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// Redirects a browser to the login service.
#[cfg_attr(
    not(feature = "oidc"),
    expect(clippy::unused_async, reason = "an identity provider is asked first")
)]
pub(super) async fn start(
    app: &App,
    login: &RedirectLogin,
    headers: &HeaderMap,
    return_to: &ReturnTo,
    fresh: bool,
) -> Result<Response, PageError> {
    let pending = PendingLogin {
        id: Token::generate("", &mut randomness()),
        expires_at: app.clock.now().plus(LoginFlow::MAX_SECONDS),
        fresh,
        return_to: return_to.clone(),
    };
    let location = match login {
        RedirectLogin::Handoff(handoff) => Ok(handoff.request_url(&pending.flow(app, HANDOFF))),
        #[cfg(feature = "oidc")]
        RedirectLogin::Oidc(oidc) => oidc.authorization_url(&pending.flow(app, OIDC)).await,
    };
    let location = location.map_err(|error| rejected(&error, return_to.login()))?;
    let mut cookies = PendingLogin::drop_oldest(app, headers);
    cookies.push(pending.cookie(app));
    Ok(with_cookies(see_other(&location), cookies))
}

/// `GET /oauth/login/handoff`
pub(super) async fn handoff(
    State(app): Shared,
    ClientIp(address): ClientIp,
    session: Option<Session>,
    headers: HeaderMap,
    query: Result<Query<HandoffQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let Login::Redirect(RedirectLogin::Handoff(handoff)) = &*app.login else {
        return Err(unknown());
    };
    let Query(query) = query.map_err(|_| incomplete("lg_answer and lg_sig"))?;
    let answer = handoff
        .verify(&query.lg_answer, &query.lg_sig)
        .map_err(|error| rejected(&error, LOGIN.to_owned()))?;
    let pending = PendingLogin::find(&app, &headers, &answer.jti, session.is_some())?;
    let user = handoff
        .accept(answer, &pending.flow(&app, HANDOFF), app.clock.now())
        .map_err(|error| rejected(&error, pending.return_to.login()))?;
    pending.finish(&app, &headers, address, user).await
}

/// `GET /oauth/login/oidc`
#[cfg(feature = "oidc")]
pub(super) async fn oidc(
    State(app): Shared,
    ClientIp(address): ClientIp,
    session: Option<Session>,
    headers: HeaderMap,
    query: Result<Query<OidcQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let Login::Redirect(RedirectLogin::Oidc(oidc)) = &*app.login else {
        return Err(unknown());
    };
    let Query(query) = query.map_err(|_| incomplete("state, and code or error, each once"))?;
    let state = query.state.ok_or_else(|| incomplete("state"))?;
    let pending = PendingLogin::find(&app, &headers, &state, session.is_some())?;
    let again = || pending.return_to.login();
    if let Some(error) = query.error {
        let page = ErrorKind::SignInCancelled.page().sign_in_again(again());
        return Err(page.because(format!("the provider returned {error:?}")));
    }
    let code = query.code.ok_or_else(|| incomplete("code"))?;
    if let Some(wait) = app.provider.count_sign_in(address, None).await? {
        return Err(ErrorKind::TooMany.page().wait(wait).retry(again()));
    }
    let flow = pending.flow(&app, OIDC);
    let user = oidc.authenticate(&flow, &code, query.iss.as_deref()).await;
    let user = user.map_err(|error| rejected(&error, again()))?;
    pending.finish(&app, &headers, address, user).await
}

/// A sign-in attempt, as it is kept in the cookie of its browser.
struct PendingLogin {
    id: Token,
    expires_at: Timestamp,
    /// Whether the user must authenticate again.
    fresh: bool,
    return_to: ReturnTo,
}

impl PendingLogin {
    /// Finds the attempt of a response in the cookies of the browser.
    fn find(app: &App, headers: &HeaderMap, id: &str, is_signed_in: bool) -> Result<Self, PageError> {
        let Some(found) = Self::read(app, headers, id) else {
            // A user who has just signed in and went back, or followed a link twice.
            return Err(if is_signed_in {
                ErrorKind::SignInUsed.page().sign_in_again(LOGIN)
            } else {
                unknown()
            });
        };
        if found.expires_at <= app.clock.now() {
            let page = ErrorKind::SignInExpired.page();
            return Err(page.sign_in_again(found.return_to.login()));
        }
        Ok(found)
    }

    /// Starts the session, once. The only place where an attempt becomes a session.
    async fn finish(
        &self,
        app: &App,
        headers: &HeaderMap,
        address: IpAddr,
        user: User,
    ) -> Result<Response, PageError> {
        let expires_at = self.expires_at.plus(CLOCK_TOLERANCE);
        if !app.provider.finish_login(&self.id, expires_at).await? {
            let page = ErrorKind::SignInUsed.page();
            return Err(page.sign_in_again(self.return_to.login()));
        }
        let cookies = Session::begin(app, headers, user, address).await?;
        let done = Cookie::PendingLogin(self.id.as_str()).clear(app);
        let response = app.redirect(self.return_to.as_str());
        Ok(with_cookies(response, cookies.into_iter().chain([done])))
    }

    fn read(app: &App, headers: &HeaderMap, id: &str) -> Option<Self> {
        let id = Token::parse(id).filter(|id| id.as_str().len() == Token::LENGTH)?;
        let mut parts = Cookie::PendingLogin(id.as_str()).get(app, headers)?.split('.');
        let (expires_at, fresh) = (parts.next()?, parts.next()?);
        let (return_to, mac) = (parts.next()?, parts.next()?);
        let signed = [id.as_str(), expires_at, fresh, return_to];
        if parts.next().is_some() || !app.mac_matches(PURPOSE, &signed, mac) {
            return None;
        }
        let return_to = String::from_utf8(URL_SAFE_NO_PAD.decode(return_to).ok()?).ok()?;
        Some(Self {
            expires_at: Timestamp::from_seconds(expires_at.parse().ok()?),
            fresh: fresh.parse().ok()?,
            return_to: ReturnTo::parse(&return_to)?,
            id,
        })
    }

    /// Clears the cookies of the oldest attempts, so that a browser keeps [`MAX_PENDING`] with the next one: it sends all of
    /// them with each request.
    fn drop_oldest(app: &App, headers: &HeaderMap) -> Vec<HeaderValue> {
        let mut pending = Cookie::pending_logins(app, headers);
        pending.sort_by_key(|(_, value)| value.split('.').next().and_then(|at| at.parse::<i64>().ok()));
        let excess = (pending.len() + 1).saturating_sub(MAX_PENDING);
        let oldest = pending.iter().take(excess);
        oldest
            .map(|(id, _)| Cookie::PendingLogin(id).clear(app))
            .collect()
    }

    fn cookie(&self, app: &App) -> HeaderValue {
        let expires_at = self.expires_at.seconds().to_string();
        let return_to = URL_SAFE_NO_PAD.encode(self.return_to.as_str());
        let fresh = self.fresh.to_string();
        let mac = app.mac(PURPOSE, &[self.id.as_str(), &expires_at, &fresh, &return_to]);
        let value = format!("{expires_at}.{fresh}.{return_to}.{mac}");
        Cookie::PendingLogin(self.id.as_str()).set(app, &value)
    }

    fn flow(&self, app: &App, path: &str) -> LoginFlow {
        let derived = |purpose| Secret::new(app.mac(purpose, &[self.id.as_str()]));
        LoginFlow {
            id: self.id.clone(),
            return_to: app.absolute(path),
            force_login: self.fresh,
            nonce: derived("login-nonce"),
            verifier: derived("login-verifier"),
            at: self.expires_at.plus(-LoginFlow::MAX_SECONDS),
        }
    }
}

/// The page for an error. A login service that is down or wrongly configured is for the administrator; anything else may be
/// an attack.
fn rejected(error: &SignInError, again: String) -> PageError {
    let kind = match error {
        SignInError::Unavailable(_) => ErrorKind::SourceFailed,
        SignInError::Rejected(_) => ErrorKind::SignInInvalid,
    };
    kind.page().because(error.to_string()).sign_in_again(again)
}

fn unknown() -> PageError {
    ErrorKind::SignInUnknown.page().sign_in_again(LOGIN)
}

fn incomplete(expected: &str) -> PageError {
    let page = ErrorKind::SignInInvalid.page().sign_in_again(LOGIN);
    page.because(format!("the response does not have exactly {expected}"))
}

const PURPOSE: &str = "cookie-trip";

/// Attempts of one browser at the same time.
const MAX_PENDING: usize = 5;

/// Seconds that a completed attempt is kept after its end, because the clocks of replicas differ a little.
const CLOCK_TOLERANCE: i64 = 60;

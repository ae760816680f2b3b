//! The browser session: a cookie, and a row of the provider.
//!
//! A row is inserted only after a user has proved their identity. Before that the browser has a signed random cookie
//! ([`super::cookies::Browser`]), which needs no row.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use tracing::Span;

use crate::login::{Login, RequestLogin, SignInError};
use crate::model::{SessionId, User};
use crate::oauth::Token;
use crate::provider::StoreError;

use super::cookies::Cookie;
use super::csrf::FormPurpose;
use super::error::{ErrorKind, PageError};
use super::render::SignOutForm;
use super::return_to::ReturnTo;
use super::{App, LOGIN, LOGOUT};

/// The session of a user who is signed in. As an extractor it redirects others to the sign-in page, and from there back;
/// `Option<Session>` does not.
#[derive(Debug)]
pub(super) struct Session {
    /// The value of the cookie: a secret.
    pub(super) id: SessionId,
    pub(super) user: User,
}

/// The session of a request. An extractor.
#[derive(Debug)]
pub(super) enum SessionState {
    /// No session.
    None,
    /// A live session.
    Active(Session),
    /// A live session, while the request itself names another user.
    UserChanged(User),
}

impl Session {
    /// Whether the user must sign in again before giving access.
    pub(super) fn is_stale(&self, app: &App) -> bool {
        app.provider.must_sign_in_again(&self.user)
    }

    /// The form that ends this session.
    pub(super) fn sign_out_form(&self, app: &App, return_to: &str) -> SignOutForm {
        SignOutForm {
            action: app.path(LOGOUT),
            return_to: return_to.to_owned(),
            form_token: FormPurpose::sign_out(&self.id).token(app),
        }
    }

    /// Starts a session with a new id, and ends the browser's previous one. Returns the cookies to set.
    pub(super) async fn begin(
        app: &App,
        headers: &HeaderMap,
        user: User,
        address: IpAddr,
    ) -> Result<[HeaderValue; 2], StoreError> {
        let before = session_id(app, headers);
        let id = app.provider.begin_session(before.as_ref(), user, address).await?;
        Ok([Cookie::Session.set(app, id.as_str()), Cookie::Browser.clear(app)])
    }

    /// Ends the session. Returns the cookie to set.
    pub(super) async fn end(&self, app: &App, address: IpAddr) -> Result<HeaderValue, StoreError> {
        app.provider.end_session(&self.id, address).await?;
        Ok(Cookie::Session.clear(app))
    }
}

impl SessionState {
    /// Loads the session. Where every request names its user, that user is compared, so that a session never outlives the
    /// application's own.
    async fn load(parts: &Parts, app: &App) -> Result<Self, PageError> {
        let Some(id) = session_id(app, &parts.headers) else {
            return Ok(Self::None);
        };
        let Some(user) = app.provider.session_user(&id).await? else {
            return Ok(Self::None);
        };
        let Login::Request(login) = &*app.login else {
            return Ok(Self::Active(Session { id, user }));
        };
        Ok(match identify(app, login, parts).await? {
            Some(named) if named.subject == user.subject => Self::Active(Session { id, user: named }),
            Some(named) => Self::UserChanged(named),
            None => Self::None,
        })
    }
}

impl FromRequestParts<Arc<App>> for SessionState {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        let state = Self::load(parts, app).await?;
        if let Self::Active(session) = &state {
            Span::current().record("user.subject", &session.user.subject);
        }
        Ok(state)
    }
}

impl OptionalFromRequestParts<Arc<App>> for Session {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Option<Self>, PageError> {
        let state = SessionState::from_request_parts(parts, app).await?;
        Ok(match state {
            SessionState::Active(session) => Some(session),
            SessionState::None | SessionState::UserChanged(_) => None,
        })
    }
}

impl FromRequestParts<Arc<App>> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let session = Option::<Self>::from_request_parts(parts, app).await;
        let session = session.map_err(PageError::into_response)?;
        let by_form = parts.method == Method::POST;
        session.ok_or_else(|| ReturnTo::page_of(parts).sign_in(app, by_form, false))
    }
}

/// The user whom the request itself names; `None` if it is anonymous.
pub(super) async fn identify(
    app: &App,
    login: &RequestLogin,
    parts: &Parts,
) -> Result<Option<User>, PageError> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|peer| peer.0.ip());
    let identified = login.identify(&parts.headers, peer, app.clock.now()).await;
    identified.map_err(|error| {
        let kind = match &error {
            SignInError::Rejected(_) => ErrorKind::UserMissing,
            SignInError::Unavailable(_) => ErrorKind::SourceFailed,
        };
        kind.page().because(error.to_string()).sign_in_again(LOGIN)
    })
}

/// The id in the cookie of a browser, if it has the length of one.
pub(super) fn session_id(app: &App, headers: &HeaderMap) -> Option<SessionId> {
    let id = SessionId::parse(Cookie::Session.get(app, headers)?)?;
    (id.as_str().len() == Token::LENGTH).then_some(id)
}

//! The browser session: a cookie, and its row in the store.
//!
//! A row is made only after somebody has proved who they are. Before that the browser has a signed random cookie, which
//! proves to the login form that it was shown to this browser, and needs no row.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};

use crate::model::{SessionId, User};
use crate::oauth::Token;
use crate::provider::StoreError;

use super::cookie::Cookie;
use super::form::Purpose;
use super::pages::Notice;
use super::{App, Visit, randomness};

/// Somebody who is signed in.
#[derive(Debug)]
pub(super) struct Session {
    /// What the cookie holds. Never shown, never logged.
    pub(super) id: SessionId,
    /// Who it is.
    pub(super) user: User,
}

/// Whom a browser's session belongs to.
#[derive(Debug)]
pub(super) enum Who {
    /// There is none.
    Nobody,
    /// A live session.
    Somebody(Session),
    /// A live session, and the request itself says that somebody else is here by now.
    Another(User),
}

impl Session {
    /// Whether its user proved who they are so long ago that they must do so again before they decide.
    pub(super) fn is_stale(&self, app: &App) -> bool {
        app.provider.must_sign_in_again(&self.user)
    }
}

/// Finds out who is signed in: a live session, of a user who still exists and is still the one here.
pub(super) async fn current(visit: &Visit, headers: &HeaderMap) -> Result<Option<Session>, Notice> {
    Ok(match who(visit, headers).await? {
        Who::Somebody(session) => Some(session),
        Who::Nobody | Who::Another(_) => None,
    })
}

/// As [`current`], and tells nobody from somebody else. Where every request says who is there, it is asked every time: a
/// session never outlives the application's own.
pub(super) async fn who(visit: &Visit, headers: &HeaderMap) -> Result<Who, Notice> {
    let Some(session) = kept(visit, headers).await? else {
        return Ok(Who::Nobody);
    };
    let Some(said) = visit.recognise(headers).await else {
        return Ok(Who::Somebody(session));
    };
    Ok(match said? {
        Some(user) if user.subject == session.user.subject => Who::Somebody(Session { user, ..session }),
        Some(user) => Who::Another(user),
        None => Who::Nobody,
    })
}

async fn kept(app: &App, headers: &HeaderMap) -> Result<Option<Session>, StoreError> {
    let Some(id) = session_id(app, headers) else {
        return Ok(None);
    };
    let user = app.provider.session_user(&id).await?;
    Ok(user.map(|user| Session { id, user }))
}

/// Begins a session with a new id; one that the browser had before is over. Returns the cookies to set.
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

/// Ends a session, as its user wants. Returns the cookie to set.
pub(super) async fn finish(app: &App, session: &Session, address: IpAddr) -> Result<HeaderValue, StoreError> {
    app.provider.end_session(&session.id, address).await?;
    Ok(Cookie::Session.clear(app))
}

/// A browser that is not signed in, recognised by a cookie that we signed.
#[derive(Debug)]
pub(super) struct Browser {
    /// The random part of the cookie.
    pub(super) random: String,
}

impl Browser {
    /// Recognises a browser.
    pub(super) fn known(app: &App, headers: &HeaderMap) -> Option<Self> {
        let (random, mac) = Cookie::Browser.of(app, headers)?.split_once('.')?;
        let ours = Purpose::Browser { browser: random }.admits(&app.keyring, mac);
        ours.then(|| Self {
            random: random.to_owned(),
        })
    }

    /// Recognises a browser, or gives it a cookie to be recognised by.
    pub(super) fn known_or_new(app: &App, headers: &HeaderMap) -> (Self, Option<HeaderValue>) {
        if let Some(known) = Self::known(app, headers) {
            return (known, None);
        }
        let random = Token::generate("", &mut randomness()).as_str().to_owned();
        let mac = Purpose::Browser { browser: &random }.token(&app.keyring);
        let set = Cookie::Browser.set(app, &format!("{random}.{mac}"));
        (Self { random }, Some(set))
    }
}

fn session_id(app: &App, headers: &HeaderMap) -> Option<SessionId> {
    let id = SessionId::parse(Cookie::Session.of(app, headers)?)?;
    (id.as_str().len() == Token::LENGTH).then_some(id)
}

//! The browser session: a cookie, and its row in the store.
//!
//! A row is made only after a correct password. Before that the browser has a signed random cookie, which proves to the
//! login form that it was shown to this browser, and needs no row.

use http::{HeaderMap, HeaderValue};

use crate::login::Standing;
use crate::model::{BrowserSession, SessionId, User};
use crate::oauth::{Timestamp, Token};
use crate::store::StoreError;

use super::form::Purpose;
use super::headers::cookie;
use super::{App, randomness};

/// Somebody who is signed in.
#[derive(Debug)]
pub(super) struct Session {
    /// What the cookie holds. Never shown, never logged.
    pub(super) id: SessionId,
    /// Who it is.
    pub(super) user: User,
}

/// Finds out who is signed in: a live session, of a user who still exists.
pub(super) async fn current(app: &App, headers: &HeaderMap) -> Result<Option<Session>, StoreError> {
    let Some(id) = session_id(app, headers) else {
        return Ok(None);
    };
    let now = app.clock.now();
    let Some(kept) = app.store.session(&id, now).await? else {
        return Ok(None);
    };
    let mut user = kept.user;
    match app.login.standing(&user.subject).await {
        Standing::Known { display_name } => user.display_name = display_name,
        Standing::CannotSay => {}
        Standing::Gone => {
            app.store.remove_session(&id).await?;
            return Ok(None);
        }
    }
    if kept.seen_at.plus(TOUCH_EVERY) <= now {
        app.store
            .touch_session(&id, now, end(kept.created_at, now))
            .await?;
    }
    Ok(Some(Session { id, user }))
}

/// Begins a session with a new id; one that the browser had before is over. Returns the cookies to set.
pub(super) async fn begin(
    app: &App,
    headers: &HeaderMap,
    user: User,
) -> Result<[HeaderValue; 2], StoreError> {
    if let Some(id) = session_id(app, headers) {
        app.store.remove_session(&id).await?;
    }
    let id = SessionId::new(app.keyring.new_token(&mut randomness()));
    let now = app.clock.now();
    let session = BrowserSession {
        user,
        created_at: now,
        seen_at: now,
        expires_at: end(now, now),
    };
    app.store.add_session(&id, &session).await?;
    app.store.remember_user(&session.user).await?;
    Ok([Cookie::Session.set(app, id.as_str()), Cookie::Browser.clear(app)])
}

/// Ends a session. Returns the cookie to set.
pub(super) async fn finish(app: &App, id: &SessionId) -> Result<HeaderValue, StoreError> {
    app.store.remove_session(id).await?;
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
        let (random, mac) = cookie(headers, Cookie::Browser.name(app))?.split_once('.')?;
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
    let id = SessionId::parse(cookie(headers, Cookie::Session.name(app))?)?;
    (id.as_str().len() == Token::LENGTH).then_some(id)
}

/// When a session that is in use now will be over.
fn end(created_at: Timestamp, now: Timestamp) -> Timestamp {
    now.plus(IDLE).min(created_at.plus(LONGEST))
}

/// The cookies that we set.
#[derive(Clone, Copy)]
enum Cookie {
    Session,
    Browser,
}

impl Cookie {
    /// Behind https a cookie has a prefix that only this very host, over https, can set.
    fn name(self, app: &App) -> &'static str {
        match (self, app.public_url.is_secure()) {
            (Self::Session, true) => "__Host-linkgate-session",
            (Self::Session, false) => "linkgate-session",
            (Self::Browser, true) => "__Host-linkgate-browser",
            (Self::Browser, false) => "linkgate-browser",
        }
    }

    /// `SameSite=Lax`: the popup is opened from the consumer's site, and must still know who is signed in.
    fn set(self, app: &App, value: &str) -> HeaderValue {
        let secure = if app.public_url.is_secure() {
            "; Secure"
        } else {
            ""
        };
        let cookie = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}",
            self.name(app)
        );
        let mut cookie = HeaderValue::try_from(cookie).expect("a cookie is letters, digits and punctuation");
        cookie.set_sensitive(true);
        cookie
    }

    fn clear(self, app: &App) -> HeaderValue {
        let mut cookie = self.set(app, "").as_bytes().to_vec();
        cookie.extend_from_slice(b"; Max-Age=0");
        HeaderValue::try_from(cookie).expect("a cookie is letters, digits and punctuation")
    }
}

/// Seconds without a request after which a session is over.
const IDLE: i64 = 12 * 3600;
/// Seconds after which a session is over in any case.
const LONGEST: i64 = 7 * 24 * 3600;
/// Seconds between two notes that a session is in use.
const TOUCH_EVERY: i64 = 60;

//! The browser session: a cookie, and its row in the store.
//!
//! A row is made only after somebody has proved who they are. Before that the browser has a signed random cookie, which
//! proves to the login form that it was shown to this browser, and needs no row.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};

use crate::login::{Door, Standing};
use crate::model::{AuditKind, BrowserSession, SessionId, User};
use crate::oauth::{Timestamp, Token};
use crate::store::StoreError;

use super::cookie::Cookie;
use super::form::Purpose;
use super::pages::Notice;
use super::{App, Visit, randomness};

/// How long a browser stays signed in, and how often somebody may try.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    /// Seconds without a visit after which a session is over.
    pub idle: i64,
    /// Seconds after which a session is over in any case.
    pub longest: i64,
    /// Seconds after which a user signs in anew before approving.
    pub recheck_after: i64,
    /// Attempts in a minute for one name, from wherever.
    pub attempts_per_account: u32,
    /// Attempts in a minute from one address, for whichever name.
    pub attempts_per_address: u32,
}

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
        self.user.proved_at.plus(app.sessions.recheck_after) <= app.clock.now()
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
    let now = app.clock.now();
    let Some(kept) = app.store.session(&id, now).await? else {
        return Ok(None);
    };
    let mut user = kept.user;
    // A name of another method may be another person's here.
    if user.proved_by != app.login.name() {
        app.store.remove_session(&id).await?;
        return Ok(None);
    }
    match app.login.standing(&user.subject).await {
        // Where the request itself names the user, it says it better than a look-up by the other name.
        Standing::Known { display_name } if app.login.door() == Door::Form => {
            user.display_name = display_name;
        }
        Standing::Known { .. } | Standing::CannotSay => {}
        Standing::Gone => {
            app.store.remove_session(&id).await?;
            return Ok(None);
        }
    }
    if kept.seen_at.plus(TOUCH_EVERY) <= now {
        app.store
            .touch_session(&id, now, end(app, kept.created_at, now))
            .await?;
    }
    Ok(Some(Session { id, user }))
}

/// Begins a session with a new id; one that the browser had before is over. Returns the cookies to set.
pub(super) async fn begin(
    app: &App,
    headers: &HeaderMap,
    user: User,
    address: IpAddr,
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
        expires_at: end(app, now, now),
    };
    app.store.remember_user(&session.user).await?;
    app.store.add_session(&id, &session, Some(address)).await?;
    say(AuditKind::SignedIn, &session.user.subject, address);
    Ok([Cookie::Session.set(app, id.as_str()), Cookie::Browser.clear(app)])
}

/// Ends a session, as its user wants. Returns the cookie to set.
pub(super) async fn finish(app: &App, session: &Session, address: IpAddr) -> Result<HeaderValue, StoreError> {
    let now = app.clock.now();
    if app.store.sign_out(&session.id, Some(address), now).await? {
        say(AuditKind::SignedOut, &session.user.subject, address);
    }
    Ok(Cookie::Session.clear(app))
}

/// Says in the log that somebody came or left. The store has written it down for people; a failed attempt is only logged,
/// since no stranger writes to the database.
fn say(kind: AuditKind, subject: &str, address: IpAddr) {
    tracing::info!(user.subject = ?subject, %address, "{subject:?} {}", kind.name());
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

/// When a session that is in use now will be over.
fn end(app: &App, created_at: Timestamp, now: Timestamp) -> Timestamp {
    let rules = &app.sessions;
    now.plus(rules.idle).min(created_at.plus(rules.longest))
}

/// Seconds between two notes that a session is in use.
const TOUCH_EVERY: i64 = 60;

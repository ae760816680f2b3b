//! A sign-in that leads the browser away and back: `/oauth/login/handoff`, `/oauth/login/oidc`.
//!
//! What must be remembered meanwhile is in a cookie of that browser, signed by us: any replica reads it, and a stranger
//! who begins trips writes nothing to the database. A trip ends in the store, once, after its answer was found to be true.

use std::net::IpAddr;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde::Deserialize;

use crate::login::oidc::{Arrived, OidcFault};
use crate::login::trip::TRIP_SECONDS;
use crate::login::{Login, Trip, TripFault};
use crate::model::User;
use crate::oauth::{Secret, Timestamp, Token};

use super::cookie::Cookie;
use super::pages::{Notice, SigningIn};
use super::return_address::ReturnAddress;
use super::{App, ClientIp, HANDOFF, LOGIN, OIDC, Visit, headers, randomness, session};

/// What the application sends back.
#[derive(Deserialize)]
pub(super) struct HandoffAnswer {
    lg_answer: String,
    lg_sig: String,
}

/// What an identity provider sends back (OpenID Connect Core, sections 3.1.2.5 and 3.1.2.6; RFC 9207).
#[derive(Deserialize)]
pub(super) struct OidcAnswer {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// Sends a browser on its way.
pub(super) async fn leave(visit: &Visit, there: &ReturnAddress, fresh: bool) -> Result<Response, Notice> {
    let again = || there.login();
    let now = visit.clock.now();
    let under_way = UnderWay {
        id: Token::generate("", &mut randomness()),
        expires_at: now.plus(TRIP_SECONDS),
        there: there.clone(),
    };
    let trip = under_way.trip(visit, fresh);
    match visit.login.leave(&trip).await {
        Some(Ok(location)) => {
            let answer = headers::see_other(&location);
            Ok(headers::with_cookies(answer, [under_way.cookie(visit)]))
        }
        Some(Err(fault)) => Err(refused(&fault, again())),
        None => Err(Notice::MethodNotAllowed),
    }
}

/// `GET /oauth/login/handoff`
#[tracing::instrument(name = "handoff", skip_all)]
pub(super) async fn handoff(
    visit: Visit,
    ClientIp(address): ClientIp,
    headers: HeaderMap,
    answer: Result<Query<HandoffAnswer>, QueryRejection>,
) -> Response {
    let answer = end_handoff(&visit, address, &headers, answer).await;
    answer.unwrap_or_else(|notice| notice.respond(&visit))
}

/// `GET /oauth/login/oidc`
#[tracing::instrument(name = "oidc", skip_all)]
pub(super) async fn oidc(
    visit: Visit,
    ClientIp(address): ClientIp,
    headers: HeaderMap,
    answer: Result<Query<OidcAnswer>, QueryRejection>,
) -> Response {
    let answer = end_oidc(&visit, address, &headers, answer).await;
    answer.unwrap_or_else(|notice| notice.respond(&visit))
}

async fn end_handoff(
    visit: &Visit,
    address: IpAddr,
    headers: &HeaderMap,
    answer: Result<Query<HandoffAnswer>, QueryRejection>,
) -> Result<Response, Notice> {
    let Login::Handoff(handoff) = &*visit.login else {
        return Err(unknown());
    };
    let wrong = |fault| refused(&TripFault::Handoff(fault), LOGIN.to_owned());
    let Query(answer) = answer.map_err(|_| incomplete("lg_answer and lg_sig"))?;
    let said = handoff.read(&answer.lg_answer, &answer.lg_sig).map_err(wrong)?;
    let under_way = UnderWay::find(visit, headers, &said.jti).await?;
    let again = || under_way.there.login();
    let user = handoff
        .accept(said, under_way.id.as_str(), visit.clock.now())
        .map_err(|fault| refused(&TripFault::Handoff(fault), again()))?;
    finish(visit, headers, address, &under_way, user).await
}

async fn end_oidc(
    visit: &Visit,
    address: IpAddr,
    headers: &HeaderMap,
    answer: Result<Query<OidcAnswer>, QueryRejection>,
) -> Result<Response, Notice> {
    let Login::Oidc(oidc) = &*visit.login else {
        return Err(unknown());
    };
    let Query(answer) = answer.map_err(|_| incomplete("state, and code or error, each once"))?;
    let state = answer.state.ok_or_else(|| incomplete("state"))?;
    let under_way = UnderWay::find(visit, headers, &state).await?;
    let again = || under_way.there.login();
    if let Some(said) = answer.error {
        return Err(SigningIn::TripRefused { said, again: again() }.into());
    }
    let code = answer.code.ok_or_else(|| incomplete("code"))?;
    if let Some(wait) = visit.provider.count_sign_in(address, None).await? {
        return Err(Notice::TooMany { wait, again: again() });
    }
    let arrived = Arrived {
        code: &code,
        issuer: answer.iss.as_deref(),
    };
    let user = oidc.arrive(&under_way.trip(visit, false), arrived).await;
    let user = user.map_err(|fault| refused(&fault, again()))?;
    finish(visit, headers, address, &under_way, user).await
}

/// The one place where a trip becomes a session.
async fn finish(
    visit: &Visit,
    headers: &HeaderMap,
    address: IpAddr,
    under_way: &UnderWay,
    user: User,
) -> Result<Response, Notice> {
    let expires_at = under_way.expires_at.plus(SPARED);
    if !visit.provider.finish_login(&under_way.id, expires_at).await? {
        return Err(SigningIn::TripUsed {
            again: under_way.there.login(),
        }
        .into());
    }
    let cookies = session::begin(visit, headers, user, address).await?;
    let answer = visit.redirect(under_way.there.as_str());
    let done = Cookie::Trip(under_way.id.as_str()).clear(visit);
    Ok(headers::with_cookies(answer, cookies.into_iter().chain([done])))
}

/// A trip, as its browser's cookie has it.
struct UnderWay {
    id: Token,
    expires_at: Timestamp,
    there: ReturnAddress,
}

impl UnderWay {
    /// Finds the trip of an answer in the cookies of the browser that brings it.
    async fn find(visit: &Visit, headers: &HeaderMap, id: &str) -> Result<Self, Notice> {
        let Some(found) = Self::read(visit, headers, id) else {
            // Somebody who has just signed in and went back, or pressed a link twice.
            let is_in = session::current(visit, headers).await?.is_some();
            let again = LOGIN.to_owned();
            return Err(if is_in {
                SigningIn::TripUsed { again }.into()
            } else {
                unknown()
            });
        };
        if found.expires_at <= visit.clock.now() {
            let again = found.there.login();
            return Err(SigningIn::TripLate { again }.into());
        }
        Ok(found)
    }

    fn read(app: &App, headers: &HeaderMap, id: &str) -> Option<Self> {
        let id = Token::parse(id).filter(|id| id.as_str().len() == Token::LENGTH)?;
        let mut parts = Cookie::Trip(id.as_str()).of(app, headers)?.split('.');
        let (expires_at, there, mac) = (parts.next()?, parts.next()?, parts.next()?);
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let signed = [id.as_str().as_bytes(), expires_at.as_bytes(), there.as_bytes()];
        if parts.next().is_some() || !app.keyring.mac_matches(PURPOSE, &signed, &mac) {
            return None;
        }
        let there = String::from_utf8(URL_SAFE_NO_PAD.decode(there).ok()?).ok()?;
        Some(Self {
            expires_at: Timestamp::from_seconds(expires_at.parse().ok()?),
            there: ReturnAddress::parse(&there)?,
            id,
        })
    }

    fn cookie(&self, app: &App) -> http::HeaderValue {
        let expires_at = self.expires_at.seconds().to_string();
        let there = URL_SAFE_NO_PAD.encode(self.there.as_str());
        let signed = [
            self.id.as_str().as_bytes(),
            expires_at.as_bytes(),
            there.as_bytes(),
        ];
        let mac = URL_SAFE_NO_PAD.encode(app.keyring.mac(PURPOSE, &signed));
        Cookie::Trip(self.id.as_str()).set(app, &format!("{expires_at}.{there}.{mac}"))
    }

    fn trip(&self, app: &App, fresh: bool) -> Trip {
        let derived = |purpose| {
            let mac = app.keyring.mac(purpose, &[self.id.as_str().as_bytes()]);
            Secret::new(URL_SAFE_NO_PAD.encode(mac))
        };
        let path = match &*app.login {
            Login::Handoff(_) => HANDOFF,
            _ => OIDC,
        };
        Trip {
            id: self.id.clone(),
            back: app.absolute(path),
            fresh,
            nonce: derived("trip-nonce"),
            verifier: derived("trip-verifier"),
            at: self.expires_at.plus(-TRIP_SECONDS),
        }
    }
}

/// The page for a fault. A source that is down, or wrongly configured, is the administrator's; everything else may be an
/// attack.
fn refused(fault: &TripFault, again: String) -> Notice {
    let why = fault.to_string();
    match fault {
        TripFault::Unavailable(_) | TripFault::Oidc(OidcFault::Discovery(_)) => {
            SigningIn::SourceFailed { why, again }.into()
        }
        TripFault::Handoff(_) | TripFault::Oidc(_) => SigningIn::TripWrong { why, again }.into(),
    }
}

fn unknown() -> Notice {
    let again = LOGIN.to_owned();
    SigningIn::TripUnknown { again }.into()
}

fn incomplete(wanted: &str) -> Notice {
    SigningIn::TripWrong {
        why: format!("the answer has not exactly what it should have: {wanted}"),
        again: LOGIN.to_owned(),
    }
    .into()
}

const PURPOSE: &str = "cookie-trip";

/// Seconds that a trip is remembered after its end: the clocks of replicas differ a little.
const SPARED: i64 = 60;

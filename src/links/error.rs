//! Every answer of ours to the application: a code for the program, a sentence for whoever reads its log.
//!
//! `X-Linkgate-Error` carries the code and stands on no answer of the other side, so that the two are never confused.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::gateway::GatewayError;
use crate::oauth::header;
use crate::oauth::sign::SignError;
use crate::store::StoreError;

use super::client::Unanswered;
use super::oauth_report::OAuthProblem;
use super::sending::Failed;

/// Why a call is not made, or its answer not handed on.
#[derive(Debug)]
pub(super) enum LinkError {
    /// The application does not show the token of the private listener.
    WrongToken,
    /// No link has this name.
    UnknownLink,
    /// The user is named twice, or in a way that cannot be read.
    BadUser,
    /// A user is named, and this link makes no such calls.
    UserNotAllowed,
    /// No user is named, and this link makes no such calls.
    UserMissing,
    /// The user has not connected the link, or what they gave us does not work any more.
    NotConnected {
        /// Who.
        subject: String,
        /// Where they can connect.
        connect_url: String,
        /// What the other side said about their token.
        told: Option<OAuthProblem>,
    },
    /// The call has parameters that only we may write.
    OwnParameters,
    /// The call's query or form cannot be signed.
    Unsignable(SignError),
    /// The call's body cannot be held.
    Body(GatewayError),
    /// The other side refuses us; the user's token is not at fault.
    Refused(OAuthProblem),
    /// The other side finds our clock wrong.
    Clock {
        /// By how many seconds theirs is ahead.
        difference: Option<i64>,
    },
    /// No answer.
    Unanswered(Unanswered),
    /// Our database does not answer.
    Store(StoreError),
}

impl LinkError {
    fn status(&self) -> StatusCode {
        match self {
            Self::WrongToken | Self::NotConnected { .. } => StatusCode::UNAUTHORIZED,
            Self::UnknownLink => StatusCode::NOT_FOUND,
            Self::BadUser
            | Self::OwnParameters
            | Self::Unsignable(_)
            | Self::Unanswered(Unanswered::BrokenBody) => StatusCode::BAD_REQUEST,
            Self::UserNotAllowed | Self::UserMissing => StatusCode::FORBIDDEN,
            Self::Body(fault) => fault.status(),
            Self::Unanswered(Unanswered::Late(_)) => StatusCode::GATEWAY_TIMEOUT,
            Self::Refused(_) | Self::Clock { .. } | Self::Unanswered(_) => StatusCode::BAD_GATEWAY,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// For the program.
    const fn code(&self) -> &'static str {
        match self {
            Self::WrongToken => "wrong_token",
            Self::UnknownLink => "unknown_link",
            Self::BadUser => "bad_user",
            Self::UserNotAllowed => "user_not_allowed",
            Self::UserMissing => "user_missing",
            Self::NotConnected { .. } => "not_connected",
            Self::OwnParameters | Self::Unsignable(_) => "bad_request",
            Self::Body(_) | Self::Unanswered(Unanswered::BrokenBody) => "bad_body",
            Self::Refused(_) => "refused",
            Self::Clock { .. } => "clock",
            Self::Unanswered(Unanswered::Late(_)) => "late",
            Self::Unanswered(_) => "unreachable",
            Self::Store(_) => "unavailable",
        }
    }

    /// For people.
    fn advice(&self) -> String {
        match self {
            Self::WrongToken => "Send Authorization: Bearer with the token of [applinks].".to_owned(),
            Self::UnknownLink => {
                "No [[links]] entry has this name: the path begins with a link's name.".to_owned()
            }
            Self::BadUser => "Send X-Linkgate-User once, percent-encoded where it is not ASCII.".to_owned(),
            Self::UserNotAllowed => "This link makes no calls for users: its users = \"none\".".to_owned(),
            Self::UserMissing => {
                "Name the user in X-Linkgate-User: this link makes no calls as linkgate itself.".to_owned()
            }
            Self::NotConnected { told: None, .. } => {
                "Send the user's browser to connect_url: they have not connected this link.".to_owned()
            }
            Self::NotConnected { told: Some(told), .. } => format!(
                "Send the user's browser to connect_url: {}",
                told.sentence().replacen("The", "the", 1)
            ),
            Self::OwnParameters => {
                "Leave oauth_ parameters and xoauth_requestor_id out: linkgate writes them.".to_owned()
            }
            Self::Unsignable(error) => format!("This call cannot be signed: {error}."),
            Self::Body(fault) => format!("This form cannot be signed: {fault}."),
            Self::Refused(told) => told.sentence(),
            Self::Clock { difference } => clock_advice(*difference),
            Self::Unanswered(why) => why.to_string(),
            Self::Store(_) => "linkgate's database does not answer: try again.".to_owned(),
        }
    }

    fn challenge(&self) -> Option<String> {
        match self {
            Self::WrongToken => Some("Bearer realm=\"linkgate links\"".to_owned()),
            Self::NotConnected { connect_url, .. } => {
                let pairs = [("error", self.code()), ("connect_url", connect_url)];
                Some(header::authorization(pairs, Some("linkgate links")).replacen("OAuth", "Linkgate", 1))
            }
            _ => None,
        }
    }
}

impl IntoResponse for LinkError {
    fn into_response(self) -> Response {
        let (status, code, advice) = (self.status(), self.code(), self.advice());
        if let Self::Store(error) = &self {
            tracing::error!(%error, "a call of the application failed");
        } else {
            tracing::info!(code, "a call of the application was not answered: {advice}");
        }
        let mut body = json!({ "error": code, "advice": advice });
        match &self {
            Self::NotConnected {
                subject, connect_url, ..
            } => {
                body["user"] = json!(subject);
                body["connect_url"] = json!(connect_url);
            }
            Self::Refused(told) => body["oauth_problem"] = json!(told.problem),
            Self::Clock {
                difference: Some(difference),
            } => body["clock_difference"] = json!(difference),
            _ => {}
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_LINKGATE_ERROR, HeaderValue::from_static(code));
        if let Some(challenge) = self.challenge().and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<StoreError> for LinkError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failed> for LinkError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unsignable(error) => Self::Unsignable(error),
            Failed::Unanswered(why) => Self::Unanswered(why),
        }
    }
}

/// What to do about two clocks that disagree.
pub(super) fn clock_advice(difference: Option<i64>) -> String {
    let by = match difference {
        None | Some(0) => String::new(),
        Some(ahead @ 1..) => format!(" Its clock is {ahead} s ahead of ours."),
        Some(behind) => format!(" Its clock is {} s behind ours.", behind.unsigned_abs()),
    };
    format!("The other side refuses our timestamp.{by} Run NTP on both machines.")
}

const X_LINKGATE_ERROR: HeaderName = HeaderName::from_static("x-linkgate-error");

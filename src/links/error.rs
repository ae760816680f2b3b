//! Every response to the application that does not come from the remote application.
//!
//! `X-Linkgate-Error` carries the error code. It is removed from responses of the remote application, so that the two
//! can be told apart.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::gateway::GatewayError;
use crate::http::client::HttpClientError;
use crate::oauth::SignError;
use crate::oauth::authorization_header;
use crate::store::StoreError;

use super::oauth_report::OAuthProblem;

/// Why a call is not made, or its response not relayed. `Display` is a sentence for the administrator of the application.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("Send Authorization: Bearer with the token of [applinks].")]
    WrongToken,
    #[error("No [[links]] entry has this name: the path begins with a link's name.")]
    UnknownLink,
    #[error("Send X-Linkgate-User once, percent-encoded where it is not ASCII.")]
    BadUser,
    #[error("This link makes no calls for users: its users = \"none\".")]
    UserNotAllowed,
    #[error("Name the user in X-Linkgate-User: this link makes no calls as linkgate itself.")]
    UserMissing,
    #[error("Send the user's browser to connect_url: {}", reason_to_connect(.problem.as_ref()))]
    NotConnected {
        subject: String,
        connect_url: String,
        problem: Option<OAuthProblem>,
    },
    #[error("Leave oauth_ parameters and xoauth_requestor_id out: linkgate writes them.")]
    OwnParameters,
    #[error("This form cannot be signed: {0}.")]
    Body(GatewayError),
    #[error("This call cannot be signed: {0}.")]
    Unsignable(SignError),
    #[error("linkgate signs too many calls at the moment: try again.")]
    Busy,
    #[error("The body did not arrive as a whole.")]
    BrokenBody,
    #[error("The other side cannot be reached: {0}.")]
    NoResponse(HttpClientError),
    #[error("{0}")]
    Rejected(OAuthProblem),
    #[error("{}", clock_advice(*.0))]
    Clock(Option<i64>),
    #[error("linkgate's database does not answer: try again.")]
    Store(#[from] StoreError),
}

impl LinkError {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::WrongToken => (StatusCode::UNAUTHORIZED, "wrong_token"),
            Self::UnknownLink => (StatusCode::NOT_FOUND, "unknown_link"),
            Self::BadUser => (StatusCode::BAD_REQUEST, "bad_user"),
            Self::UserNotAllowed => (StatusCode::FORBIDDEN, "user_not_allowed"),
            Self::UserMissing => (StatusCode::FORBIDDEN, "user_missing"),
            Self::NotConnected { .. } => (StatusCode::UNAUTHORIZED, "not_connected"),
            Self::OwnParameters | Self::Unsignable(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Body(error) => (error.status_and_code().0, "bad_body"),
            Self::BrokenBody => (StatusCode::BAD_REQUEST, "bad_body"),
            Self::NoResponse(HttpClientError::Timeout(_)) => (StatusCode::GATEWAY_TIMEOUT, "late"),
            Self::NoResponse(_) => (StatusCode::BAD_GATEWAY, "unreachable"),
            Self::Rejected(_) => (StatusCode::BAD_GATEWAY, "refused"),
            Self::Clock(_) => (StatusCode::BAD_GATEWAY, "clock"),
            Self::Busy | Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    fn challenge(&self) -> Option<String> {
        match self {
            Self::WrongToken => Some("Bearer realm=\"linkgate links\"".to_owned()),
            Self::NotConnected { connect_url, .. } => {
                let parameters = [("error", "not_connected"), ("connect_url", connect_url)];
                let challenge = authorization_header::authorization(parameters, Some("linkgate links"));
                Some(challenge.replacen("OAuth", "Linkgate", 1))
            }
            _ => None,
        }
    }
}

impl IntoResponse for LinkError {
    fn into_response(self) -> Response {
        let ((status, code), advice) = (self.status_and_code(), self.to_string());
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
            Self::Rejected(problem) => body["oauth_problem"] = json!(problem.name),
            Self::Clock(Some(skew)) => body["clock_difference"] = json!(skew),
            _ => {}
        }
        let headers = [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-store"),
            (X_LINKGATE_ERROR, code),
        ];
        let mut response = (status, headers, body.to_string()).into_response();
        let challenge = self.challenge().map(HeaderValue::try_from);
        if let Some(Ok(challenge)) = challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn reason_to_connect(problem: Option<&OAuthProblem>) -> String {
    match problem {
        None => "they have not connected this link.".to_owned(),
        Some(problem) => problem.to_string().replacen("The", "the", 1),
    }
}

/// Advice about two clocks that disagree by this many seconds.
pub(super) fn clock_advice(skew: Option<i64>) -> String {
    let by = match skew {
        None | Some(0) => String::new(),
        Some(ahead @ 1..) => format!(" Its clock is {ahead} s ahead of ours."),
        Some(behind) => format!(" Its clock is {} s behind ours.", behind.unsigned_abs()),
    };
    format!("The other side refuses our timestamp.{by} Run NTP on both machines.")
}

const X_LINKGATE_ERROR: HeaderName = HeaderName::from_static("x-linkgate-error");

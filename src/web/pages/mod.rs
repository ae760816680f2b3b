//! The pages: what the templates show, and how a page becomes a response.
//!
//! 1. [`approve`](self): the question; `verifier`: the code to copy; `login`: name and password;
//! 2. `connections`: what somebody has connected, in the other direction too (`outgoing`); `account`: who is signed in there;
//! 3. `admin`: the pages for administrators;
//! 4. `notice`: every other state, each with a title, a reason, a next step and a reference
//!    (`signing_in`: those of a sign-in by way of others; `link_trouble`: those of links);
//! 5. `frame`: what they all share; `sentence`: a text with names in it, which may be hostile.

mod account;
mod admin;
mod approve;
mod connections;
mod frame;
mod link_trouble;
mod login;
mod notice;
mod outgoing;
mod sentence;
mod signing_in;
mod verifier;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use crate::oauth::Callback;

use super::headers::{content_security_policy, with_script};
use super::texts::Texts;

pub(super) use account::SignOutForm;
pub(super) use admin::{
    Endpoints, Link, LinkKey, Links, Navigation, OtherSide, OtherSides, Refusals, SecretPlace, Tokens,
};
pub(super) use approve::{AnswerForm, Approve};
pub(super) use connections::Connections;
pub(super) use frame::{Frame, Picture};
pub(super) use link_trouble::LinkTrouble;
pub(super) use login::Login;
pub(super) use notice::{Notice, method_not_allowed};
pub(super) use outgoing::{Outgoing, RevokeForm};
pub(super) use signing_in::SigningIn;
pub(super) use verifier::Verifier;

use sentence::{Html, Sentence, visible};

/// Renders a page whose forms stay with us, or end at a callback.
fn respond(status: StatusCode, page: &impl Template, callback: Option<&Callback>) -> Response {
    respond_under(content_security_policy(callback), status, page)
}

fn respond_under(policy: HeaderValue, status: StatusCode, page: &impl Template) -> Response {
    let Ok(html) = page.render() else {
        tracing::error!("a page could not be rendered");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, policy),
    ];
    (status, headers, html).into_response()
}

#[cfg(test)]
mod tests;

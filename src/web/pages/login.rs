//! Name and password.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::oauth::Callback;

use super::{Frame, Html, respond};

/// What the login page is made of.
#[derive(Debug)]
pub(in crate::web) struct Login<'a> {
    /// The consumer that asks, and where it wants the answer; `None` when nobody asks.
    pub(in crate::web) asked_by: Option<(&'a str, &'a Callback)>,
    /// Where the form goes.
    pub(in crate::web) action: String,
    /// Where to go on afterwards.
    pub(in crate::web) return_to: &'a str,
    /// The token that binds the form to the browser.
    pub(in crate::web) form_token: String,
    /// Whether somebody is signed in, and is asked to prove it again.
    pub(in crate::web) fresh: bool,
    /// The name that was tried in vain.
    pub(in crate::web) tried: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "login.html")]
struct Page<'a> {
    frame: Frame,
    heading: Html,
    why: Option<(Html, Html)>,
    login: &'a Login<'a>,
}

impl Login<'_> {
    /// Renders the page. Its form may end at the callback too: a question that was answered before leads there at once.
    pub(in crate::web) fn respond(&self, frame: &Frame) -> Response {
        let status = if self.tried.is_some() {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::OK
        };
        respond(
            status,
            &self.page(frame),
            self.asked_by.map(|(_, callback)| callback),
        )
    }

    fn page(&self, frame: &Frame) -> Page<'_> {
        let texts = &frame.texts.login;
        Page {
            heading: frame.html(texts.heading, &[]),
            why: self.asked_by.map(|(consumer, _)| {
                let names = [("consumer", consumer)];
                (
                    frame.html(texts.why, &names),
                    frame.html(texts.consumer_never, &names),
                )
            }),
            login: self,
            frame: frame.titled(texts.title, &[]),
        }
    }
}

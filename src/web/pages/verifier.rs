//! The code that somebody carries to a consumer without a callback.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::{Frame, Html, respond};

/// What the page with the code is made of.
#[derive(Debug)]
pub(in crate::web) struct Verifier<'a> {
    /// The consumer's name.
    pub(in crate::web) consumer: &'a str,
    /// The code: in the page's text only, never in its title or its address.
    pub(in crate::web) code: &'a crate::oauth::Verifier,
}

#[derive(Template)]
#[template(path = "verifier.html")]
struct Page<'a> {
    frame: Frame,
    heading: Html,
    next: Html,
    code: &'a str,
}

impl Verifier<'_> {
    /// Renders the page.
    pub(in crate::web) fn respond(&self, frame: &Frame) -> Response {
        respond(StatusCode::OK, &self.page(frame), None)
    }

    fn page(&self, frame: &Frame) -> Page<'_> {
        let texts = &frame.texts.verifier;
        let names = [("consumer", self.consumer)];
        Page {
            heading: frame.html(texts.heading, &names),
            next: frame.html(texts.next, &names),
            code: self.code.expose(),
            frame: frame.titled(texts.title, &names),
        }
    }
}

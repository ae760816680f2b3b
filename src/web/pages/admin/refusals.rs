//! What was refused lately.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::model::{Consumer, User};
use crate::oauth::Timestamp;

use super::super::super::refusals::Refused;
use super::super::account::{Account, SignOutForm};
use super::super::{Frame, Html, respond, visible};
use super::Navigation;

/// What the page is made of.
#[derive(Debug)]
pub(in crate::web) struct Refusals<'a> {
    /// The ways to the other pages.
    pub(in crate::web) navigation: Navigation,
    /// What was refused, the newest first.
    pub(in crate::web) list: Vec<Refused>,
    /// From when on it was remembered.
    pub(in crate::web) since: Timestamp,
    /// Those that we know.
    pub(in crate::web) consumers: &'a [Consumer],
    /// Who is signed in.
    pub(in crate::web) user: &'a User,
    /// Where signing out goes, and what it holds.
    pub(in crate::web) sign_out: SignOutForm,
}

#[derive(Template)]
#[template(path = "admin/refusals.html")]
struct Page<'a> {
    frame: Frame,
    navigation: &'a Navigation,
    memory: Html,
    rows: Vec<Row<'a>>,
    account: Account<'a>,
}

struct Row<'a> {
    consumer: Option<String>,
    is_known: bool,
    key: Option<String>,
    problem: &'static str,
    advice: &'a str,
    request: String,
    client: String,
    at: Html,
    times: Option<String>,
    reference: &'a str,
}

impl Refusals<'_> {
    /// Renders the page.
    pub(in crate::web) fn respond(&self, frame: &Frame) -> Response {
        respond(StatusCode::OK, &self.page(frame), None)
    }

    fn page(&self, frame: &Frame) -> Page<'_> {
        let texts = &frame.texts.admin.refusals;
        Page {
            navigation: &self.navigation,
            memory: frame.html_with(texts.memory, "time", &frame.moment(self.since)),
            rows: self.list.iter().map(|refused| self.row(frame, refused)).collect(),
            account: Account::new(frame, self.user, &self.sign_out),
            frame: frame.titled(texts.title, &[]),
        }
    }

    fn row<'a>(&'a self, frame: &Frame, refused: &'a Refused) -> Row<'a> {
        let claimed = refused.consumer.as_ref();
        let known = self
            .consumers
            .iter()
            .find(|consumer| Some(&consumer.key) == claimed);
        let key = claimed.map(|key| visible(key.as_str()));
        Row {
            consumer: known
                .map(|consumer| visible(&consumer.name))
                .or_else(|| key.clone()),
            is_known: known.is_some(),
            key: key.filter(|_| known.is_some()),
            problem: refused.problem,
            advice: &refused.advice,
            request: visible(&refused.request),
            client: refused.client.to_string(),
            at: frame.moment(refused.at),
            times: (refused.times > 1).then(|| frame.texts.admin.refusals.times.of(refused.times)),
            reference: &refused.reference,
        }
    }
}

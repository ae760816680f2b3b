//! What somebody has connected.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::model::User;
use crate::provider::Connection;

use super::account::{Account, SignOutForm};
use super::outgoing::{Outgoing, OutgoingRow, RevokeForm};
use super::{Frame, Html, respond, visible};

/// What the page is made of.
#[derive(Debug)]
pub(in crate::web) struct Connections<'a> {
    /// What is connected.
    pub(in crate::web) list: &'a [Connection],
    /// The form that revokes each of them.
    pub(in crate::web) forms: Vec<RevokeForm>,
    /// The form that revokes all.
    pub(in crate::web) all: RevokeForm,
    /// Whether something was just revoked.
    pub(in crate::web) revoked: bool,
    /// Whose they are.
    pub(in crate::web) user: &'a User,
    /// The links of the other direction.
    pub(in crate::web) outgoing: Vec<Outgoing<'a>>,
    /// Where signing out goes, and what it holds.
    pub(in crate::web) sign_out: SignOutForm,
}

#[derive(Template)]
#[template(path = "connections.html")]
struct Page<'a> {
    frame: Frame,
    lead: Html,
    none_next: Html,
    rows: Vec<Row<'a>>,
    all: &'a RevokeForm,
    all_meaning: Html,
    revoked: bool,
    outgoing_lead: Html,
    outgoing: Vec<OutgoingRow<'a>>,
    account: Account<'a>,
}

struct Row<'a> {
    consumer: String,
    host: Option<String>,
    connected: Html,
    last_used: Option<(Html, Option<Html>)>,
    expires: Html,
    meaning: Html,
    form: &'a RevokeForm,
}

impl Connections<'_> {
    /// Renders the page.
    pub(in crate::web) fn respond(&self, frame: &Frame) -> Response {
        respond(StatusCode::OK, &self.page(frame), None)
    }

    fn page(&self, frame: &Frame) -> Page<'_> {
        let texts = &frame.texts.connections;
        let rows = self.list.iter().zip(&self.forms);
        Page {
            lead: frame.html(texts.lead, &[]),
            none_next: frame.html(texts.none_next, &[]),
            rows: rows
                .map(|(connection, form)| row(frame, connection, form))
                .collect(),
            all: &self.all,
            all_meaning: frame.html(texts.revoke_all_meaning, &[]),
            revoked: self.revoked,
            outgoing_lead: frame.html(frame.texts.outgoing.lead, &[]),
            outgoing: self.outgoing.iter().map(|link| link.row(frame)).collect(),
            account: Account::new(frame, self.user, &self.sign_out),
            frame: frame.titled(texts.title, &[]),
        }
    }
}

fn row<'a>(frame: &Frame, connection: &Connection, form: &'a RevokeForm) -> Row<'a> {
    let (texts, token) = (&frame.texts.connections, &connection.token);
    let from = |address: std::net::IpAddr| {
        let address = address.to_string();
        frame.html(texts.from, &[("address", address.as_str())])
    };
    let last_used = token.last_used.as_ref();
    Row {
        consumer: visible(connection.consumer_name()),
        host: token.host.as_deref().map(visible),
        connected: frame.moment(token.connected_at),
        last_used: last_used.map(|(at, address)| (frame.moment(*at), address.map(from))),
        expires: frame.moment(token.ends_at()),
        meaning: frame.html(texts.revoke_meaning, &[("consumer", connection.consumer_name())]),
        form,
    }
}

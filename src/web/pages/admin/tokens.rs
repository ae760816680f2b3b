//! What users have connected, all of them.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::model::{AccessToken, Consumer, User};
use crate::oauth::Timestamp;
use crate::provider::Connection;

use super::super::account::{Account, SignOutForm};
use super::super::{Frame, Html, RevokeForm, respond, visible};
use super::Navigation;

/// What the page is made of.
#[derive(Debug)]
pub(in crate::web) struct Tokens<'a> {
    /// The ways to the other pages.
    pub(in crate::web) navigation: Navigation,
    /// What was found.
    pub(in crate::web) list: &'a [Connection],
    /// The form that revokes each of them.
    pub(in crate::web) forms: Vec<RevokeForm>,
    /// Those to choose from.
    pub(in crate::web) consumers: &'a [Consumer],
    /// Whose were looked for.
    pub(in crate::web) wanted_user: &'a str,
    /// Which consumer's were looked for.
    pub(in crate::web) wanted_consumer: &'a str,
    /// The page before.
    pub(in crate::web) newer: Option<String>,
    /// The page after.
    pub(in crate::web) older: Option<String>,
    /// The time.
    pub(in crate::web) now: Timestamp,
    /// Who is signed in.
    pub(in crate::web) user: &'a User,
    /// Where signing out goes, and what it holds.
    pub(in crate::web) sign_out: SignOutForm,
}

#[derive(Template)]
#[template(path = "admin/tokens.html")]
struct Page<'a> {
    frame: Frame,
    tokens: &'a Tokens<'a>,
    navigation: &'a Navigation,
    choices: Vec<(&'a str, String, bool)>,
    rows: Vec<Row<'a>>,
    account: Account<'a>,
}

struct Row<'a> {
    id: &'a str,
    user: String,
    subject: String,
    consumer: String,
    connected: Html,
    last_used: Option<(Html, Option<String>)>,
    expires: Html,
    state: &'static str,
    revoke: Option<(&'a RevokeForm, Html)>,
}

impl Tokens<'_> {
    /// Renders the page.
    pub(in crate::web) fn respond(&self, frame: &Frame) -> Response {
        respond(StatusCode::OK, &self.page(frame), None)
    }

    fn page(&self, frame: &Frame) -> Page<'_> {
        let choice = |consumer: &'_ Consumer| visible(&consumer.name);
        let choices = self.consumers.iter().map(|consumer| {
            let key = consumer.key.as_str();
            (key, choice(consumer), key == self.wanted_consumer)
        });
        let rows = self.list.iter().zip(&self.forms);
        Page {
            tokens: self,
            navigation: &self.navigation,
            choices: choices.collect(),
            rows: rows
                .map(|(connection, form)| self.row(frame, connection, form))
                .collect(),
            account: Account::new(frame, self.user, &self.sign_out),
            frame: frame.titled(frame.texts.admin.tokens.title, &[]),
        }
    }

    fn row<'a>(&self, frame: &Frame, connection: &'a Connection, form: &'a RevokeForm) -> Row<'a> {
        let token = &connection.token;
        let meaning = || {
            let names = [
                ("consumer", connection.consumer_name()),
                ("user", token.user.display_name.as_str()),
            ];
            frame.html(frame.texts.admin.tokens.revoke_meaning, &names)
        };
        let last_used = token.last_used.as_ref();
        Row {
            id: &token.id,
            user: visible(&token.user.display_name),
            subject: visible(&token.user.subject),
            consumer: visible(connection.consumer_name()),
            connected: frame.moment(token.connected_at),
            last_used: last_used.map(|(at, address)| {
                let address = address.map(|address| address.to_string());
                (frame.moment(*at), address)
            }),
            expires: frame.moment(token.ends_at()),
            state: state(frame, token, self.now),
            revoke: token.is_live(self.now).then(|| (form, meaning())),
        }
    }
}

fn state(frame: &Frame, token: &AccessToken, now: Timestamp) -> &'static str {
    let texts = &frame.texts.admin.tokens;
    if token.revoked_at.is_some() {
        texts.revoked
    } else if token.expires_at > now {
        texts.live
    } else if token.ends_at() > now {
        texts.renewable
    } else {
        texts.expired
    }
}

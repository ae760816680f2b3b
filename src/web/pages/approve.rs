//! The question: may this consumer act as you?

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::model::User;
use crate::oauth::Callback;

use super::account::SignOutForm;
use super::{Frame, Html, respond, visible};

/// What the approval page is made of.
#[derive(Debug)]
pub(in crate::web) struct Approve<'a> {
    /// The consumer's name.
    pub(in crate::web) consumer: &'a str,
    /// Who is asked.
    pub(in crate::web) user: &'a User,
    /// Where the answer goes.
    pub(in crate::web) callback: &'a Callback,
    /// Where the form goes, and what it holds.
    pub(in crate::web) form: AnswerForm<'a>,
    /// Where "use another account" goes, and what it holds.
    pub(in crate::web) sign_out: SignOutForm,
}

/// The form with the two buttons.
#[derive(Debug)]
pub(in crate::web) struct AnswerForm<'a> {
    /// Its path.
    pub(in crate::web) action: String,
    /// The request token.
    pub(in crate::web) oauth_token: &'a str,
    /// The token that binds it to session, request token and user.
    pub(in crate::web) form_token: String,
}

#[derive(Template)]
#[template(path = "approve.html")]
struct Page<'a> {
    frame: Frame,
    heading: Html,
    initial: String,
    display_name: String,
    subject: &'a str,
    shown_subject: String,
    through: Html,
    abilities: Html,
    ability: [Html; 3],
    password: Html,
    returns: Html,
    form: &'a AnswerForm<'a>,
    sign_out: &'a SignOutForm,
}

impl Approve<'_> {
    /// Renders the page.
    pub(in crate::web) fn respond(&self, frame: &Frame) -> Response {
        respond(StatusCode::OK, &self.page(frame), Some(self.callback))
    }

    fn page(&self, frame: &Frame) -> Page<'_> {
        let texts = &frame.texts.approve;
        let host = match self.callback {
            Callback::Url(url) => url.host(),
            Callback::OutOfBand => "",
        };
        let names = [
            ("consumer", self.consumer),
            ("user", self.user.display_name.as_str()),
            ("host", host),
        ];
        let html = |text| frame.html(text, &names);
        Page {
            heading: html(texts.heading),
            initial: initial(&self.user.display_name),
            display_name: visible(&self.user.display_name),
            subject: &self.user.subject,
            shown_subject: visible(&self.user.subject),
            through: html(match self.user.proved_by.as_str() {
                "file" | "ldap" => texts.through_password,
                "probe" | "handoff" => texts.through_application,
                _ => texts.through_provider,
            }),
            abilities: html(texts.abilities),
            ability: texts.ability.map(html),
            password: html(texts.password),
            returns: html(match self.callback {
                Callback::Url(_) => texts.returns,
                Callback::OutOfBand => texts.returns_with_code,
            }),
            form: &self.form,
            sign_out: &self.sign_out,
            frame: frame.titled(texts.title, &names),
        }
    }
}

/// The letter that stands for somebody without a picture.
fn initial(name: &str) -> String {
    name.chars()
        .find(|c| c.is_alphanumeric())
        .map_or_else(|| "?".to_owned(), |c| c.to_uppercase().collect())
}

//! The other direction on the page of what somebody has connected: where the application acts as them.

use crate::links::Link;
use crate::model::LinkConnection;

use super::{Frame, Html, visible};

/// The form of a button that revokes.
#[derive(Clone, Debug)]
pub(in crate::web) struct RevokeForm {
    /// Its path.
    pub(in crate::web) action: String,
    /// What is revoked.
    pub(in crate::web) token: String,
    /// The token that binds it to session and what is revoked.
    pub(in crate::web) form_token: String,
}

/// A link, and what this user gave us there.
#[derive(Debug)]
pub(in crate::web) struct Outgoing<'a> {
    /// The other side.
    pub(in crate::web) link: &'a Link,
    /// What the user gave us, and the form that takes it back.
    pub(in crate::web) kept: Option<(LinkConnection, RevokeForm)>,
    /// The path where they connect.
    pub(in crate::web) connect: String,
}

pub(super) struct OutgoingRow<'a> {
    pub(super) title: String,
    pub(super) host: String,
    pub(super) connect: &'a str,
    pub(super) kept: Option<Kept<'a>>,
}

pub(super) struct Kept<'a> {
    pub(super) connected: Html,
    pub(super) last_used: Option<Html>,
    pub(super) meaning: Html,
    pub(super) form: &'a RevokeForm,
}

impl Outgoing<'_> {
    pub(super) fn row(&self, frame: &Frame) -> OutgoingRow<'_> {
        let title = self.link.title();
        let names = [("link", title)];
        OutgoingRow {
            title: visible(title),
            host: visible(self.link.url().authority()),
            connect: &self.connect,
            kept: self.kept.as_ref().map(|(kept, form)| Kept {
                connected: frame.moment(kept.connected_at),
                last_used: kept.last_used_at.map(|at| frame.moment(at)),
                meaning: frame.html(frame.texts.outgoing.disconnect_meaning, &names),
                form,
            }),
        }
    }
}

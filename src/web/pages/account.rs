//! Who is signed in, on the pages that are theirs, and the way out.

use crate::model::User;

use super::{Frame, Html, visible};

/// The form of a button that ends the session.
#[derive(Debug)]
pub(in crate::web) struct SignOutForm {
    /// Its path.
    pub(in crate::web) action: String,
    /// Where to go on after signing in again.
    pub(in crate::web) return_to: String,
    /// The token that binds it to the session.
    pub(in crate::web) form_token: String,
}

/// What stands at the foot of such a page.
#[derive(Debug)]
pub(super) struct Account<'a> {
    pub(super) who: Html,
    pub(super) subject: String,
    pub(super) sign_out: &'a SignOutForm,
}

impl<'a> Account<'a> {
    pub(super) fn new(frame: &Frame, user: &User, sign_out: &'a SignOutForm) -> Self {
        let names = [("user", user.display_name.as_str())];
        Self {
            who: frame.html(frame.texts.connections.signed_in_as, &names),
            subject: visible(&user.subject),
            sign_out,
        }
    }
}

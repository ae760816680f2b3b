//! What proves that a form is ours, was shown to this browser, and was sent from our page.

use axum::extract::rejection::FormRejection;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::model::{SessionId, User};
use crate::oauth::Token;
use crate::provider::Keyring;

use super::pages::Notice;

/// What a form was made for. Its token is good for nothing else.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a> {
    /// Answering a question as the user to whom it was shown.
    Answer {
        /// The browser session.
        session: &'a SessionId,
        /// The request token.
        question: &'a Token,
        /// Who saw it.
        user: &'a User,
    },
    /// Signing out of a browser session.
    SignOut {
        /// The browser session.
        session: &'a SessionId,
    },
    /// Taking back access that the session's user gave.
    Revoke {
        /// The browser session.
        session: &'a SessionId,
        /// The public name of a token, or all of them.
        what: &'a str,
    },
    /// Taking back access that any user gave, as an administrator.
    RevokeOfAnybody {
        /// The browser session.
        session: &'a SessionId,
        /// The public name of a token.
        token: &'a str,
    },
    /// Signing in: there is no session yet, only a cookie of the same browser.
    SignIn {
        /// The cookie's random part.
        browser: &'a str,
    },
    /// The signature of that cookie itself.
    Browser {
        /// The cookie's random part.
        browser: &'a str,
    },
}

impl Purpose<'_> {
    /// The token to put into the form.
    pub(super) fn token(self, keyring: &Keyring) -> String {
        let (purpose, parts) = self.parts();
        URL_SAFE_NO_PAD.encode(keyring.mac(purpose, &parts))
    }

    /// Whether a form's token is the one that was put there. Takes the same time for every wrong one.
    pub(super) fn admits(self, keyring: &Keyring, token: &str) -> bool {
        let (purpose, parts) = self.parts();
        URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|mac| keyring.mac_matches(purpose, &parts, &mac))
    }

    fn parts(&self) -> (&'static str, Vec<&[u8]>) {
        match self {
            Self::Answer {
                session,
                question,
                user,
            } => (
                "form-answer",
                vec![
                    session.as_str().as_bytes(),
                    question.as_str().as_bytes(),
                    user.subject.as_bytes(),
                ],
            ),
            Self::SignOut { session } => ("form-sign-out", vec![session.as_str().as_bytes()]),
            Self::Revoke { session, what } => {
                ("form-revoke", vec![session.as_str().as_bytes(), what.as_bytes()])
            }
            Self::RevokeOfAnybody { session, token } => (
                "form-revoke-of-anybody",
                vec![session.as_str().as_bytes(), token.as_bytes()],
            ),
            Self::SignIn { browser } => ("form-sign-in", vec![browser.as_bytes()]),
            Self::Browser { browser } => ("cookie-browser", vec![browser.as_bytes()]),
        }
    }
}

/// Refuses a form that another site sent. Browsers that do not say where a form comes from have the token to pass.
pub(super) fn sent_from_here(headers: &HeaderMap) -> Result<(), Notice> {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Notice::CrossSite),
    }
}

/// Says what is wrong with a form that cannot be read.
pub(super) fn unreadable(rejection: &FormRejection) -> Notice {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Notice::FormTooLarge,
        _ => Notice::BadForm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_send_our_forms() {
        let from = |site: &'static str| {
            let headers =
                HeaderMap::from_iter([("sec-fetch-site".parse().unwrap(), HeaderValue::from_static(site))]);
            sent_from_here(&headers).is_ok()
        };
        assert!(sent_from_here(&HeaderMap::new()).is_ok());
        assert!(from("same-origin"));
        assert!(from("none"));
        assert!(!from("same-site"));
        assert!(!from("cross-site"));
        assert!(!from("SAME-ORIGIN, same-origin"));
    }
}

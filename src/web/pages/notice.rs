//! Every state that is not a question: what happened, why, what to do next, and a reference to find it in the log.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use crate::provider::StoreError;

use super::super::texts::{Texts, Words};
use super::super::{CONNECTIONS, Visit};
use super::account::SignOutForm;
use super::link_trouble::LinkTrouble;
use super::signing_in::SigningIn;
use super::{Frame, Html, respond};

/// What to tell somebody who cannot go on, or need not.
#[derive(Debug)]
pub(in crate::web) enum Notice {
    /// The address has no request token, or two.
    MissingToken,
    /// No such request token.
    Unknown,
    /// The address has an access token where a request token belongs.
    AccessToken,
    /// The request token's time is over.
    Expired,
    /// It was exchanged for an access token.
    Used,
    /// Another user approved.
    Answered {
        /// Who asked.
        consumer: String,
    },
    /// The same user approved, and saw the code.
    CodeShown {
        /// Who asked.
        consumer: String,
    },
    /// Somebody denied.
    Denied {
        /// Who asked.
        consumer: String,
    },
    /// An administrator switched the consumer off.
    ConsumerDisabled {
        /// Who asked.
        consumer: String,
    },
    /// Another user is signed in than the one to whom the question was shown.
    UserChanged {
        /// Who is signed in.
        user: String,
        /// The path of the question.
        again: String,
    },
    /// A form token does not fit the session.
    FormOutdated {
        /// The path of the page with the form.
        again: String,
    },
    /// The browser did not send back the cookie that belongs to the form.
    NoCookie {
        /// The path of the page with the form.
        again: String,
    },
    /// Another site sent the form.
    CrossSite,
    /// A form with missing or repeated parts.
    BadForm,
    /// A form longer than any of ours.
    FormTooLarge,
    /// An answer in the address.
    NotByLink {
        /// The path of the question.
        again: Option<String>,
    },
    /// A method that the page does not have.
    MethodNotAllowed,
    /// Too many attempts to sign in.
    TooMany {
        /// How long to wait.
        wait: Duration,
        /// The path of the login page.
        again: String,
    },
    /// The login source does not answer.
    LoginUnavailable(String),
    /// Others take part in the sign-in.
    SigningIn(SigningIn),
    /// The database does not answer.
    StoreDown(StoreError),
    /// Somebody who may not see the pages for administrators.
    NotAdmin {
        /// Who.
        user: String,
        /// The button to sign out.
        sign_out: SignOutForm,
    },
    /// Somebody signed out.
    SignedOut,
    /// Somebody is signed in and asked for nothing else.
    SignedIn {
        /// Who.
        user: String,
        /// The button to sign out.
        sign_out: SignOutForm,
    },
    /// Something about a link to another side.
    Link {
        /// What.
        trouble: LinkTrouble,
        /// The link's name; empty when there is none.
        link: String,
        /// What the other side says; empty when it says nothing.
        why: String,
        /// The path where the dance begins anew.
        again: Option<String>,
    },
}

#[derive(Template)]
#[template(path = "error.html")]
pub(super) struct Page<'a> {
    frame: Frame,
    heading: Html,
    reason: Html,
    next: Html,
    again: Option<String>,
    again_label: &'static str,
    leave: Option<(&'a str, Html)>,
    connections: Option<String>,
    sign_out: Option<&'a SignOutForm>,
    reference: Option<String>,
}

/// Answers a method that a page does not have; the router adds `Allow`.
pub(in crate::web) async fn method_not_allowed(visit: Visit) -> Response {
    Notice::MethodNotAllowed.respond(&visit)
}

impl Notice {
    /// Renders the page, and writes the log line with the same reference.
    pub(in crate::web) fn respond(&self, visit: &Visit) -> Response {
        let reference = self.is_of_note().then(|| visit.request_id.to_string());
        let page = self.page(&visit.frame(), reference, &|path| visit.path(path));
        if let Some(reference) = &page.reference {
            self.log(reference, &page.frame.title);
        }
        let mut response = respond(self.status(), &page, None);
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Self::NotByLink { .. } = self {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }

    pub(super) fn page(
        &self,
        frame: &Frame,
        reference: Option<String>,
        path: &dyn Fn(&str) -> String,
    ) -> Page<'_> {
        let words = self.words(frame.texts);
        let wait = self.wait(frame);
        let (consumer, user) = self.people();
        let (link, why) = match self {
            Self::Link { link, why, .. } => (link.as_str(), why.as_str()),
            _ => ("", ""),
        };
        let names = [
            ("consumer", consumer),
            ("user", user),
            ("wait", wait.as_str()),
            ("link", link),
            ("why", why),
        ];
        let again = match self {
            Self::UserChanged { again, .. }
            | Self::FormOutdated { again }
            | Self::NoCookie { again }
            | Self::TooMany { again, .. } => Some(again),
            Self::NotByLink { again } | Self::Link { again, .. } => again.as_ref(),
            Self::SigningIn(state) => Some(state.again()),
            _ => None,
        };
        let sign_out = match self {
            Self::SignedIn { sign_out, .. } | Self::NotAdmin { sign_out, .. } => Some(sign_out),
            _ => None,
        };
        let (again_label, leave) = match self {
            Self::SigningIn(state) => (frame.texts.signing_in.again, state.leave()),
            _ => (frame.texts.again, None),
        };
        let leave_label = frame.texts.signing_in.leave;
        Page {
            again_label,
            leave: leave.map(|leave| (leave, frame.html(leave_label, &[]))),
            heading: frame.html(words.title, &names),
            reason: frame.html(words.reason, &names),
            next: frame.html(words.next, &names),
            again: again.map(|again| path(again)),
            connections: sign_out.map(|_| path(CONNECTIONS)),
            sign_out,
            reference,
            frame: frame.titled(words.title, &names),
        }
    }

    pub(super) const fn words<'t>(&self, all: &'t Texts) -> &'t Words {
        let texts = &all.notices;
        match self {
            Self::SigningIn(state) => state.words(&all.signing_in),
            Self::MissingToken => &texts.missing_token,
            Self::Unknown => &texts.unknown,
            Self::AccessToken => &texts.access_token,
            Self::Expired => &texts.expired,
            Self::Used => &texts.used,
            Self::Answered { .. } => &texts.answered,
            Self::CodeShown { .. } => &texts.code_shown,
            Self::Denied { .. } => &texts.denied,
            Self::ConsumerDisabled { .. } => &texts.consumer_disabled,
            Self::UserChanged { .. } => &texts.user_changed,
            Self::FormOutdated { .. } => &texts.form_outdated,
            Self::NoCookie { .. } => &texts.no_cookie,
            Self::CrossSite => &texts.cross_site,
            Self::BadForm => &texts.bad_form,
            Self::FormTooLarge => &texts.form_too_large,
            Self::NotByLink { .. } => &texts.not_by_link,
            Self::MethodNotAllowed => &texts.method_not_allowed,
            Self::TooMany { .. } => &texts.too_many,
            Self::LoginUnavailable(_) => &texts.login_unavailable,
            Self::StoreDown(_) => &texts.store_down,
            Self::SignedOut => &texts.signed_out,
            Self::SignedIn { .. } => &texts.signed_in,
            Self::NotAdmin { .. } => &texts.not_admin,
            Self::Link { trouble, .. } => trouble.words(texts),
        }
    }

    /// What a program learns from the page.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::SigningIn(state) => state.status(),
            Self::Denied { .. } | Self::SignedOut | Self::SignedIn { .. } => StatusCode::OK,
            Self::MissingToken | Self::AccessToken | Self::BadForm => StatusCode::BAD_REQUEST,
            Self::ConsumerDisabled { .. }
            | Self::FormOutdated { .. }
            | Self::NoCookie { .. }
            | Self::CrossSite
            | Self::NotAdmin { .. } => StatusCode::FORBIDDEN,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::NotByLink { .. } | Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Answered { .. } | Self::CodeShown { .. } | Self::UserChanged { .. } => StatusCode::CONFLICT,
            Self::Expired | Self::Used => StatusCode::GONE,
            Self::FormTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::LoginUnavailable(_) | Self::StoreDown(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Link { trouble, .. } => trouble.status(),
        }
    }

    fn people(&self) -> (&str, &str) {
        match self {
            Self::Answered { consumer }
            | Self::CodeShown { consumer }
            | Self::Denied { consumer }
            | Self::ConsumerDisabled { consumer } => (consumer, ""),
            Self::UserChanged { user, .. } | Self::SignedIn { user, .. } | Self::NotAdmin { user, .. } => {
                ("", user)
            }
            _ => ("", ""),
        }
    }

    fn wait(&self, frame: &Frame) -> String {
        match self {
            Self::TooMany { wait, .. } => frame.texts.duration(*wait),
            _ => String::new(),
        }
    }

    const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { wait, .. } => Some(wait.as_secs()),
            Self::LoginUnavailable(_)
            | Self::StoreDown(_)
            | Self::SigningIn(SigningIn::SourceFailed { .. }) => Some(RETRY_AFTER_SECONDS),
            _ => None,
        }
    }

    /// Whether somebody may come and ask why they saw this.
    pub(super) const fn is_of_note(&self) -> bool {
        match self {
            Self::SigningIn(state) => state.is_of_note(),
            state => !matches!(state, Self::SignedIn { .. } | Self::SignedOut),
        }
    }

    /// One line; the request token and the user stand in the span around it.
    pub(super) fn log(&self, reference: &str, title: &str) {
        match self {
            Self::StoreDown(error) => {
                tracing::error!(reference, %error, "page {reference}: the store failed");
            }
            Self::SigningIn(state) => state.log(reference, title),
            Self::LoginUnavailable(why) => tracing::error!(reference, why, "page {reference}: {why}"),
            Self::TooMany { .. } | Self::CrossSite | Self::UserChanged { .. } | Self::FormOutdated { .. } => {
                tracing::warn!(reference, "page {reference}: {title}");
            }
            Self::Link { why, .. } => tracing::warn!(reference, why, "page {reference}: {title}"),
            _ => tracing::info!(reference, "page {reference}: {title}"),
        }
    }
}

impl From<StoreError> for Notice {
    fn from(error: StoreError) -> Self {
        Self::StoreDown(error)
    }
}

const RETRY_AFTER_SECONDS: u64 = 10;

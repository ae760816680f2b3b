//! The pages that are not what the user asked for: one table of message, status and log level, rendered in one place.

use std::time::Duration;

use askama::Template;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use tracing::field::Empty;
use tracing::{Instrument as _, Level, info_span};

use crate::http::RequestId;
use crate::provider::StoreError;

use super::i18n::Messages;
use super::render::{SignOutForm, page_headers, render};
use super::{CONNECTIONS, Shared};

/// Declares [`ErrorKind`] and its table: the name of the message `error-*`, the status, and the level of the log line.
macro_rules! error_kinds {
    ($($(#[$about:meta])* $kind:ident: $id:literal, $status:ident, $level:ident;)+) => {
        /// What a page tells the user.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum ErrorKind {
            $($(#[$about])* $kind,)+
        }

        impl ErrorKind {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$kind),+];

            pub(super) const fn row(self) -> (&'static str, StatusCode, Option<Level>) {
                match self {
                    $(Self::$kind => ($id, StatusCode::$status, $level),)+
                }
            }
        }
    };
}

const INFO: Option<Level> = Some(Level::INFO);
const WARN: Option<Level> = Some(Level::WARN);
const ERROR: Option<Level> = Some(Level::ERROR);
/// Neither a log line nor a reference: a page in the course of things.
const NONE: Option<Level> = None;

error_kinds! {
    // An access request.
    /// The address has no request token, or two.
    MissingToken: "missing-token", BAD_REQUEST, INFO;
    /// No such request token.
    Unknown: "unknown", NOT_FOUND, INFO;
    /// An access token instead of a request token.
    AccessToken: "access-token", BAD_REQUEST, INFO;
    Expired: "expired", GONE, INFO;
    /// Exchanged for an access token.
    Used: "used", GONE, INFO;
    /// Approved by another user. `$consumer`.
    Answered: "answered", CONFLICT, INFO;
    /// Approved by the same user, who saw the code. `$consumer`.
    CodeShown: "code-shown", CONFLICT, INFO;
    /// `$consumer`.
    Denied: "denied", OK, INFO;
    /// `$consumer`.
    ConsumerDisabled: "consumer-disabled", FORBIDDEN, INFO;

    // Forms.
    /// Another user is signed in than the one who opened the form. `$user`.
    UserChanged: "user-changed", CONFLICT, WARN;
    /// The form token does not match the session.
    FormOutdated: "form-outdated", FORBIDDEN, WARN;
    /// The browser did not send the cookie of the form.
    NoCookie: "no-cookie", FORBIDDEN, INFO;
    CrossSite: "cross-site", FORBIDDEN, WARN;
    BadForm: "bad-form", BAD_REQUEST, INFO;
    FormTooLarge: "form-too-large", PAYLOAD_TOO_LARGE, INFO;
    /// An answer in the address.
    NotByLink: "not-by-link", METHOD_NOT_ALLOWED, INFO;
    MethodNotAllowed: "method-not-allowed", METHOD_NOT_ALLOWED, INFO;

    // Signing in and out.
    TooMany: "too-many", TOO_MANY_REQUESTS, WARN;
    LoginUnavailable: "login-unavailable", SERVICE_UNAVAILABLE, ERROR;
    StoreDown: "store-down", SERVICE_UNAVAILABLE, ERROR;
    /// `$user`.
    NotAdmin: "not-admin", FORBIDDEN, INFO;
    SignedOut: "signed-out", OK, NONE;
    /// `$user`.
    SignedIn: "signed-in", OK, NONE;
    /// The login service does not respond, or its response is invalid.
    SourceFailed: "source-failed", SERVICE_UNAVAILABLE, ERROR;
    /// Back from the application's sign-in page, and not signed in.
    StillAnonymous: "still-anonymous", FORBIDDEN, INFO;
    /// The front proxy names no user, or the request did not come from it.
    UserMissing: "user-missing", FORBIDDEN, WARN;
    /// A sign-in response without the cookie of its attempt.
    SignInUnknown: "sign-in-unknown", FORBIDDEN, INFO;
    SignInUsed: "sign-in-used", CONFLICT, INFO;
    SignInExpired: "sign-in-expired", GONE, INFO;
    #[cfg_attr(not(feature = "oidc"), expect(dead_code, reason = "only an identity provider says so"))]
    SignInCancelled: "sign-in-cancelled", FORBIDDEN, INFO;
    SignInInvalid: "sign-in-invalid", FORBIDDEN, WARN;
    /// Only the application can change the account.
    AnotherAccount: "another-account", OK, NONE;
    /// A form must not lead to another site, so the user follows a link.
    Pause: "pause", OK, NONE;

    // Outgoing links. `$link`.
    LinkUnknown: "link-unknown", NOT_FOUND, WARN;
    /// Started by another user, complete, or too slow.
    LinkNotPending: "link-not-pending", GONE, WARN;
    LinkDenied: "link-denied", OK, WARN;
    LinkRejected: "link-rejected", BAD_GATEWAY, WARN;
    LinkNoResponse: "link-no-response", SERVICE_UNAVAILABLE, WARN;
    /// The return address is not one of a configured link.
    LinkReturnUnknown: "link-return-unknown", FORBIDDEN, WARN;
}

/// A page with a title, a reason, a next step, and mostly a reference. The middleware [`pages`] renders it.
#[derive(Clone, Debug)]
pub(super) struct PageError(Box<Details>);

#[derive(Clone, Debug)]
struct Details {
    kind: ErrorKind,
    /// The names in its text.
    values: Vec<(&'static str, String)>,
    /// The cause, for the log. Only the pages of links show it.
    why: Option<String>,
    /// When to try again.
    wait: Option<Duration>,
    /// The label and the path of the button.
    retry: Option<(&'static str, String)>,
    /// Where the user signs out of the application.
    leave: Option<String>,
    sign_out: Option<SignOutForm>,
}

impl ErrorKind {
    /// The page without names and buttons.
    pub(super) fn page(self) -> PageError {
        PageError(Box::new(Details {
            kind: self,
            values: Vec::new(),
            why: None,
            wait: None,
            retry: None,
            leave: None,
            sign_out: None,
        }))
    }
}

impl PageError {
    /// Adds a name.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.values.push((name, value.into()));
        self
    }

    /// Adds the cause for the log. It holds no code, no token and no signature.
    pub(super) fn because(mut self, why: impl Into<String>) -> Self {
        self.0.why = Some(why.into());
        self
    }

    /// Adds the time after which the user may try again.
    pub(super) fn wait(mut self, wait: Duration) -> Self {
        self.0.wait = Some(wait);
        self
    }

    /// Adds a button that opens a page of linkgate.
    pub(super) fn retry(mut self, path: impl Into<String>) -> Self {
        self.0.retry = Some(("common.again", path.into()));
        self
    }

    /// Adds a button that opens the sign-in page.
    pub(super) fn sign_in_again(mut self, path: impl Into<String>) -> Self {
        self.0.retry = Some(("common.sign-in", path.into()));
        self
    }

    /// Adds a button that signs out of the application, at its own URL.
    pub(super) fn leave(mut self, url: Option<&str>) -> Self {
        self.0.leave = url.map(str::to_owned);
        self
    }

    /// Adds a button that ends the session, and a link to the connections.
    pub(super) fn sign_out(mut self, form: SignOutForm) -> Self {
        self.0.sign_out = Some(form);
        self
    }

    /// Renders the page and writes its log line, both with the id of the request.
    pub(super) fn render(&self, t: Messages, id: RequestId, path: impl Fn(&str) -> String) -> Response {
        let error = &*self.0;
        let t = error.messages(t);
        let (_, status, level) = error.kind.row();
        if let Some(level) = level {
            error.log(level, id, &t.in_english());
        }
        let page = ErrorPage {
            t,
            error,
            retry: error.retry.as_ref().map(|(label, to)| (*label, path(to))),
            connections: path(CONNECTIONS),
            reference: id.to_string(),
        };
        let mut response = (status, render(&page)).into_response();
        if let Some(seconds) = error.retry_after() {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl Details {
    fn id(&self, part: &str) -> String {
        format!("error-{}.{part}", self.kind.row().0)
    }

    fn messages(&self, messages: Messages) -> Messages {
        let mut messages = self
            .values
            .iter()
            .fold(messages, |messages, (name, value)| messages.with(name, value));
        if let Some(why) = &self.why {
            messages = messages.with_reason(why);
        }
        if let Some(wait) = self.wait {
            messages = messages.with("wait", messages.wait(wait));
        }
        messages
    }

    const fn has_reference(&self) -> bool {
        self.kind.row().2.is_some()
    }

    /// The class of the page: a sign and a colour besides the words.
    const fn tone(&self) -> &'static str {
        match self.kind {
            ErrorKind::Used | ErrorKind::SignedIn | ErrorKind::SignedOut => "success",
            ErrorKind::Denied | ErrorKind::LinkDenied => "denied",
            ErrorKind::AnotherAccount | ErrorKind::Pause => "neutral",
            _ => "failed",
        }
    }

    /// Seconds.
    const fn retry_after(&self) -> Option<u64> {
        match (self.wait, self.kind) {
            (Some(wait), _) => Some(wait.as_secs()),
            (None, ErrorKind::LoginUnavailable | ErrorKind::StoreDown | ErrorKind::SourceFailed) => {
                Some(UNAVAILABLE_SECONDS)
            }
            _ => None,
        }
    }

    /// The request token and the user are fields of the span.
    fn log(&self, level: Level, reference: RequestId, english: &Messages) {
        let title = english.text(self.id("title"));
        let why = self.why.as_deref();
        match level {
            Level::ERROR => tracing::error!(%reference, why, "page {reference}: {title}"),
            Level::WARN => tracing::warn!(%reference, why, "page {reference}: {title}"),
            _ => tracing::info!(%reference, why, "page {reference}: {title}"),
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        ErrorKind::StoreDown.page().because(error.to_string())
    }
}

/// A response without content, which [`pages`] replaces. Header fields that are set on it stay.
impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.0.kind.row().1.into_response();
        if self.0.kind == ErrorKind::NotByLink {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    t: Messages,
    error: &'a Details,
    /// The label and the path of a button.
    retry: Option<(&'static str, String)>,
    connections: String,
    reference: String,
}

/// Middleware of every page: its span, the page of an error, and the header fields.
pub(super) async fn pages(State(app): Shared, t: Messages, request: Request, next: Next) -> Response {
    let id = RequestId::of(request.extensions());
    let path = request.extensions().get::<MatchedPath>();
    let span = info_span!(
        "page",
        path = path.map(MatchedPath::as_str),
        link = Empty,
        token.prefix = Empty,
        user.subject = Empty,
    );
    let answered = async move {
        let mut response = next.run(request).await;
        if let Some(error) = response.extensions_mut().remove::<PageError>() {
            let mut page = error.render(t, id, |path| app.path(path));
            page.headers_mut().extend(response.headers().clone());
            response = page;
        }
        page_headers(response)
    };
    answered.instrument(span).await
}

/// When a client may try again while linkgate or a login service is down.
const UNAVAILABLE_SECONDS: u64 = 10;

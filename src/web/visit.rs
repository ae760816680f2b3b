//! One visit of a browser: the parts of the server, in the language of whoever sits there.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method};
use tracing::Span;

use crate::http::RequestId;
use crate::login::{Arriving, Door, Unrecognised};
use crate::model::User;

use super::pages::{Frame, Notice, Picture, SigningIn};
use super::return_address::ReturnAddress;
use super::session::{self, Session};
use super::texts::Language;
use super::{App, LOGIN, assets};

/// The [`App`], as one browser meets it. Every page is answered by a handler that asks for this.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    app: Arc<App>,
    language: Language,
    /// The other end of the connection, whatever a header says of it.
    peer: Option<IpAddr>,
    /// Whether a form was sent: where the answer leads is bound by the page's `form-action`.
    by_form: bool,
    /// The reference of the page and its log lines.
    pub(super) request_id: RequestId,
}

impl Visit {
    /// The frame around every page.
    pub(super) fn frame(&self) -> Frame {
        let dress = self.look.now();
        let [stylesheet, icon] = [dress.stylesheet.path(), assets::icon()].map(|path| self.path(&path));
        let frame = Frame::new(self.language.texts(), &dress.name, stylesheet, icon);
        frame.with_logo(dress.logo.as_ref().map(|logo| Picture {
            path: self.path(&logo.asset.path()),
            size: logo.size,
        }))
    }
}

impl Visit {
    /// Who is signed in. Otherwise the answer: the way to the login page, and from there back here.
    pub(super) async fn user(&self, headers: &HeaderMap, here: &str) -> Result<Session, Response> {
        let session = session::current(self, headers).await;
        let session = session.map_err(|error| self.refuse(error))?;
        let session =
            session.ok_or_else(|| self.sign_in(&ReturnAddress::or_login(Some(here)), SignIn::AsSomebody))?;
        Span::current().record("user.subject", &session.user.subject);
        Ok(session)
    }

    /// The way to the login page, and from there to an address.
    ///
    /// It may lead on to another site. Chromium applies `form-action` to all of a way that a form began, so after a form
    /// there is a page in between, and a link on it.
    pub(super) fn sign_in(&self, there: &ReturnAddress, how: SignIn) -> Response {
        let mut also = Vec::new();
        if matches!(how, SignIn::Anew) {
            also.push("fresh");
        }
        if self.by_form && self.login.door() != Door::Form {
            also.push("pause");
        }
        self.redirect(&there.login_and(&also))
    }

    /// What the request itself says of who is there; `None`: with this login method, nothing.
    pub(super) async fn recognise(&self, headers: &HeaderMap) -> Option<Result<Option<User>, Notice>> {
        let arriving = Arriving {
            headers,
            peer: self.peer,
            at: self.clock.now(),
        };
        let said = self.login.recognise(arriving).await?;
        Some(said.map_err(|fault| {
            let (why, again) = (fault.to_string(), LOGIN.to_owned());
            match fault {
                Unrecognised::Probe(_) => SigningIn::SourceFailed { why, again }.into(),
                Unrecognised::Header(_) => SigningIn::NotNamed { why, again }.into(),
            }
        }))
    }

    /// The page that says why not.
    pub(super) fn refuse(&self, notice: impl Into<Notice>) -> Response {
        notice.into().respond(self)
    }
}

/// How somebody is to sign in.
#[derive(Clone, Copy, Debug)]
pub(super) enum SignIn {
    /// As whoever they are.
    AsSomebody,
    /// With a new proof, although there is a session.
    Anew,
}

impl Deref for Visit {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self {
            app: Arc::clone(app),
            language: Language::of(&parts.headers),
            peer: parts
                .extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|peer| peer.0.ip()),
            by_form: parts.method == Method::POST,
            request_id: RequestId::of(&parts.extensions),
        })
    }
}

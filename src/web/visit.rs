//! One visit of a browser: the parts of the server, in the language of whoever sits there.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::HeaderMap;
use http::request::Parts;
use tracing::Span;

use super::pages::{Frame, Notice};
use super::return_address::ReturnAddress;
use super::session::{self, Session};
use super::texts::Language;
use super::{App, assets};

/// The [`App`], as one browser meets it. Every page is answered by a handler that asks for this.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    app: Arc<App>,
    language: Language,
}

impl Visit {
    /// The frame around every page.
    pub(super) fn frame(&self) -> Frame {
        let [stylesheet, icon] = [assets::stylesheet(), assets::icon()].map(|path| self.path(&path));
        Frame::new(self.language.texts(), &self.application_name, stylesheet, icon)
    }
}

impl Visit {
    /// Who is signed in. Otherwise the answer: the way to the login page, and from there back here.
    pub(super) async fn user(&self, headers: &HeaderMap, here: &str) -> Result<Session, Response> {
        let session = session::current(self, headers).await;
        let session = session.map_err(|error| self.refuse(error))?;
        let session = session.ok_or_else(|| {
            let there = ReturnAddress::or_login(Some(here));
            self.redirect(&there.login())
        })?;
        Span::current().record("user.subject", &session.user.subject);
        Ok(session)
    }

    /// The page that says why not.
    pub(super) fn refuse(&self, notice: impl Into<Notice>) -> Response {
        notice.into().respond(self)
    }
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
        })
    }
}

//! One visit of a browser: the parts of the server, in the language of whoever sits there.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::pages::Frame;
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

//! What every page shares.

use crate::clock::rfc3339;
use crate::oauth::Timestamp;

use super::{Html, Sentence, Texts, visible};

/// What the layout shows, and what every sentence may name.
#[derive(Clone, Debug)]
pub(in crate::web) struct Frame {
    /// The catalogue.
    pub(super) texts: &'static Texts,
    /// The application's name.
    pub(super) application: String,
    /// The path of the stylesheet.
    pub(super) stylesheet: String,
    /// The path of the icon.
    pub(super) icon: String,
    /// What stands in the place of the application's name, above everything.
    pub(super) logo: Option<Picture>,
    /// What the title of the window says before the application's name.
    pub(super) title: String,
}

/// A picture, and the room that is kept for it until it is there.
#[derive(Clone, Debug)]
pub(in crate::web) struct Picture {
    /// Where it is.
    pub(in crate::web) path: String,
    /// Width and height, in CSS pixels.
    pub(in crate::web) size: (u32, u32),
}

impl Frame {
    /// The frame of an installation's pages; each page gives it its title.
    pub(in crate::web) fn new(
        texts: &'static Texts,
        application: &str,
        stylesheet: String,
        icon: String,
    ) -> Self {
        Self {
            texts,
            application: visible(application),
            stylesheet,
            icon,
            logo: None,
            title: String::new(),
        }
    }

    /// Shows a logo in the place of the name.
    pub(in crate::web) fn with_logo(self, logo: Option<Picture>) -> Self {
        Self { logo, ..self }
    }

    /// Gives the page its title.
    pub(super) fn titled(&self, text: &'static str, names: &[(&'static str, &str)]) -> Self {
        let title = self.sentence(text, names, |sentence| sentence.plain());
        Self {
            title,
            ..self.clone()
        }
    }

    /// Fills names into a text.
    pub(super) fn html(&self, text: &'static str, names: &[(&'static str, &str)]) -> Html {
        self.sentence(text, names, |sentence| sentence.html())
    }

    /// Puts one part, which is HTML already, into a text without names.
    pub(super) fn html_with(&self, text: &'static str, name: &str, part: &Html) -> Html {
        let place = format!("{{{name}}}");
        let (before, after) = text.split_once(place.as_str()).unwrap_or((text, ""));
        let [before, after] = [before, after].map(|half| self.html(half, &[]));
        Html::joined([&before, part, &after])
    }

    /// A moment, for people and for machines.
    pub(super) fn moment(&self, at: Timestamp) -> Html {
        Html::time(&rfc3339(at), &self.texts.moment(at))
    }

    fn sentence<T>(
        &self,
        text: &'static str,
        names: &[(&'static str, &str)],
        render: impl Fn(Sentence<'_>) -> T,
    ) -> T {
        let mut all = vec![("application", self.application.as_str())];
        all.extend_from_slice(names);
        render(Sentence { text, names: &all })
    }
}

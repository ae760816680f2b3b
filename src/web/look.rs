//! What the pages of this installation look like: the name, the logo, and the stylesheet with its colours.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use crate::branding::{Branding, Palette};

use super::assets::{Asset, IMAGE_POLICY};

/// What the pages look like now.
#[derive(Debug)]
pub struct Look(RwLock<Arc<Dress>>);

/// One branding, made ready to serve.
#[derive(Debug)]
pub(super) struct Dress {
    pub(super) name: String,
    pub(super) stylesheet: Asset,
    pub(super) logo: Option<Logo>,
}

/// The picture above every page.
#[derive(Debug)]
pub(super) struct Logo {
    pub(super) asset: Asset,
    /// Width and height, in CSS pixels.
    pub(super) size: (u32, u32),
}

impl Look {
    /// Takes the branding of a configuration.
    pub fn new(branding: &Branding) -> Self {
        Self(RwLock::new(Arc::new(Dress::new(branding))))
    }

    /// Takes that of a configuration that was read again.
    pub fn replace(&self, branding: &Branding) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Dress::new(branding));
    }

    /// What they look like now.
    pub(super) fn now(&self) -> Arc<Dress> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Dress {
    fn new(branding: &Branding) -> Self {
        let style = include_str!("../../templates/style.css");
        let style = match branding.accent {
            Some(accent) => format!("{style}\n{}", colours(accent.light(), accent.dark())),
            None => style.to_owned(),
        };
        Self {
            name: branding.name.clone(),
            stylesheet: Asset::new("style", ".css", "text/css; charset=utf-8", style),
            logo: branding.logo.as_ref().map(|logo| Logo {
                asset: Asset::new("logo", logo.ending(), logo.content_type(), logo.bytes().clone())
                    .under(IMAGE_POLICY),
                size: logo.shown_size(),
            }),
        }
    }

    /// The files of this installation's own.
    pub(super) fn assets(&self) -> impl Iterator<Item = &Asset> {
        [&self.stylesheet]
            .into_iter()
            .chain(self.logo.as_ref().map(|logo| &logo.asset))
    }
}

/// What stands below the stylesheet, and so wins.
fn colours(light: Palette, dark: Palette) -> String {
    let root = |palette: Palette| {
        let Palette {
            accent,
            on_accent,
            hover,
        } = palette;
        format!(":root {{ --accent: {accent}; --on-accent: {on_accent}; --hover: {hover}; }}\n")
    };
    let mut text = root(light);
    let _ = write!(
        text,
        "@media (prefers-color-scheme: dark) {{\n  {}}}\n",
        root(dark)
    );
    text
}

#[cfg(test)]
mod tests {
    use crate::branding::{Accent, Colour};

    use super::*;

    #[test]
    fn colours_stand_below_those_that_they_replace() {
        let plain = dress(None);
        let branded = dress(Some(Accent::new(Colour::new(0xff, 0xcc, 0x00))));
        let [ours, theirs] = [plain, branded].map(|dress| {
            let asset = dress.stylesheet;
            assert_eq!(dress.name, "Buildboard");
            (asset.path(), String::from_utf8(asset.content().to_vec()).unwrap())
        });
        assert_ne!(ours.0, theirs.0, "a new name for a new content");
        assert_eq!(
            theirs.1.strip_prefix(&ours.1).unwrap(),
            "\n\
            :root { --accent: #866b00; --on-accent: #ffffff; --hover: #f4f1e7; }\n\
            @media (prefers-color-scheme: dark) {\n  \
            :root { --accent: #ffcc00; --on-accent: #0f1317; --hover: #2e2d20; }\n}\n"
        );
    }

    fn dress(accent: Option<Accent>) -> Dress {
        Dress::new(&Branding {
            name: "Buildboard".to_owned(),
            logo: None,
            accent,
        })
    }
}

//! WHAT AN INSTALLATION LOOKS LIKE: plain values, which the configuration gives and the pages show. Still pure.
//!
//! 1. `logo`: a picture, if it is one that can be shown;
//! 2. `accent`: one colour, and the legible ones that pages take from it;
//! 3. `colour`: what is computed with colours.

mod accent;
mod colour;
mod logo;

use serde::{Deserialize, Deserializer};

use crate::setting::{FileContent, FromFile, deserialize_text};

pub use accent::{Accent, Palette};
pub use colour::Colour;
pub use logo::{Logo, LogoError};

/// `[branding]`: what an installation looks like.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Branding {
    /// The application's name, as its users call it.
    #[serde(default)]
    pub name: String,
    /// The picture above every page; `None`: the name stands there.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    #[serde(default, rename = "logo_file", deserialize_with = "logo")]
    pub logo: Option<Logo>,
    /// The colour of links and buttons; `None`: ours.
    pub accent: Option<Accent>,
}

deserialize_text! {
    Accent = |text| Colour::parse(text).map(Self::new).ok_or("write it as \"#1558c0\"");
}

impl FileContent for Logo {
    const MAX_BYTES: u64 = Self::MAX_BYTES;

    fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        Self::parse(bytes).map_err(|why| why.to_string())
    }
}

fn logo<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Logo>, D::Error> {
    FromFile::deserialize(deserializer).map(|file| Some(file.content))
}

//! What an installation looks like: plain values of the configuration, which the pages show. Pure.
//!
//! 1. `logo`: a picture, checked by its content;
//! 2. `accent`: one colour, and the legible ones that pages derive from it.

mod accent;
mod logo;

use serde::Deserialize;

use crate::setting::FromFile;

pub use accent::{Color, Palette};
pub use logo::Logo;

/// `[branding]`: what an installation looks like.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct Branding {
    pub name: String,
    pub logo_file: Option<FromFile<Logo>>,
    pub accent: Option<Color>,
}

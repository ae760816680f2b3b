//! WHAT AN INSTALLATION LOOKS LIKE: plain values, which the configuration gives and the pages show. Still pure.
//!
//! 1. `logo`: a picture, if it is one that can be shown;
//! 2. `accent`: one colour, and the legible ones that pages take from it;
//! 3. `colour`: what is computed with colours.

mod accent;
mod colour;
mod logo;

pub use accent::{Accent, Palette};
pub use colour::Colour;
pub use logo::{Logo, UnfitLogo};

/// What an installation looks like.
#[derive(Clone, Debug)]
pub struct Branding {
    /// The application's name, as its users call it.
    pub name: String,
    /// The picture above every page; `None`: the name stands there.
    pub logo: Option<Logo>,
    /// The colour of links and buttons; `None`: ours.
    pub accent: Option<Accent>,
}

//! The colour of links and buttons. The administrator chooses one; the pages need some that are legible, in light and in
//! dark mode (Web Content Accessibility Guidelines 2.2, success criterion 1.4.3).

use std::fmt;

use crate::setting::deserialize_text;

/// An opaque colour of sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// The colours that a page derives from an accent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Text of links, background of buttons, outline of what has the focus.
    pub accent: Color,
    /// Text on `accent`.
    pub on_accent: Color,
    /// Background of what the pointer is above.
    pub hover: Color,
}

/// The colours of the stylesheet that an accent is used with.
struct Scheme {
    background: Color,
    surface: Color,
    on_accent: Color,
    /// An illegible accent is mixed with this colour.
    target: Color,
}

deserialize_text! {
    Color = |text| Self::parse(text).ok_or("write it as \"#1558c0\"");
}

impl Scheme {
    fn palette(&self, given: Color) -> Palette {
        let mut shades = (0..=u8::MAX).map(|share| given.mixed(self.target, share));
        let legible = shades.find(|color| self.contrast(*color) >= LEGIBLE);
        self.palette_of(legible.unwrap_or(self.target))
    }

    fn palette_of(&self, accent: Color) -> Palette {
        Palette {
            accent,
            on_accent: self.on_accent,
            hover: self.surface.mixed(accent, HOVER_SHARE),
        }
    }

    /// The lowest contrast of an accent with a colour below or above it.
    fn contrast(&self, accent: Color) -> f64 {
        let Palette { on_accent, hover, .. } = self.palette_of(accent);
        let others = [self.background, self.surface, hover, on_accent];
        let contrasts = others.map(|other| accent.contrast(other));
        contrasts.into_iter().fold(f64::INFINITY, f64::min)
    }
}

impl Color {
    /// The palette of light pages: of this accent, or of the lightest shade that is legible.
    pub fn light(self) -> Palette {
        LIGHT.palette(self)
    }

    /// The palette of dark pages: of this accent, or of the darkest tint that is legible.
    pub fn dark(self) -> Palette {
        DARK.palette(self)
    }

    /// The contrast of this accent on light pages.
    pub fn contrast_on_light(self) -> f64 {
        LIGHT.contrast(self)
    }

    /// Parses `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rgb = [0; 3];
        let digits = text.strip_prefix('#')?;
        (base16ct::mixed::decode(digits, &mut rgb).ok()?.len() == rgb.len()).then_some(Self(rgb))
    }

    /// A mixture with another colour, of which `share` is taken in 255 parts.
    fn mixed(self, other: Self, share: u8) -> Self {
        let mix = |at: usize| {
            let (one, other, share) = (u32::from(self.0[at]), u32::from(other.0[at]), u32::from(share));
            let sum = one * (255 - share) + other * share;
            u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
        };
        Self([mix(0), mix(1), mix(2)])
    }

    /// The contrast ratio of two colours, from 1 to 21 (Web Content Accessibility Guidelines 2.2).
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The relative luminance, from 0 to 1 (Web Content Accessibility Guidelines 2.2).
    fn luminance(self) -> f64 {
        let linear = self.0.map(|part| match f64::from(part) / 255.0 {
            part if part <= 0.04045 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The contrast that text needs.
const LEGIBLE: f64 = 4.5;

/// How much of the accent is in `hover`, in 255 parts.
const HOVER_SHARE: u8 = 24;

const LIGHT: Scheme = Scheme {
    background: Color([0xf3, 0xf5, 0xf7]),
    surface: Color([0xff, 0xff, 0xff]),
    on_accent: Color([0xff, 0xff, 0xff]),
    target: Color([0, 0, 0]),
};

const DARK: Scheme = Scheme {
    background: Color([0x0f, 0x13, 0x17]),
    surface: Color([0x18, 0x1d, 0x23]),
    on_accent: Color([0x0f, 0x13, 0x17]),
    target: Color([0xff, 0xff, 0xff]),
};

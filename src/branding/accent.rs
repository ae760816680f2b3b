//! The colour of links and buttons. An administrator names one; the pages need some that can be read, in light and in
//! dark.

use super::colour::Colour;

/// A colour, and those that are taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    given: Colour,
}

/// What pages of one scheme take from an accent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Letters of links, the ground of the button, the line around what has the focus.
    pub accent: Colour,
    /// Letters on it.
    pub on_accent: Colour,
    /// The ground of what the pointer is above.
    pub hover: Colour,
}

/// What the stylesheet has below and above an accent.
#[derive(Debug)]
struct Scheme {
    ground: Colour,
    sheet: Colour,
    /// Where colours are moved to until they can be read.
    pole: Colour,
    on_accent: Colour,
}

impl Accent {
    /// Takes any colour: one that could not be read is not used as it is.
    pub const fn new(given: Colour) -> Self {
        Self { given }
    }

    /// The colour itself.
    pub const fn given(self) -> Colour {
        self.given
    }

    /// What is used when the browser shows light pages: the colour itself, or the least dark shade of it that can be read.
    pub fn light(self) -> Palette {
        LIGHT.palette(self.given)
    }

    /// What is used when it shows dark ones: the colour itself, or the least pale tint of it that can be read.
    pub fn dark(self) -> Palette {
        DARK.palette(self.given)
    }

    /// The contrast that the colour itself has on light pages.
    pub fn contrast_on_light(self) -> f64 {
        LIGHT.contrast(self.given)
    }
}

impl Scheme {
    fn palette(&self, given: Colour) -> Palette {
        (0..=u8::MAX)
            .map(|share| given.mixed(self.pole, share))
            .find(|colour| self.contrast(*colour) >= LEGIBLE)
            .map_or_else(|| self.palette_of(self.pole), |colour| self.palette_of(colour))
    }

    fn palette_of(&self, accent: Colour) -> Palette {
        Palette {
            accent,
            on_accent: self.on_accent,
            hover: self.sheet.mixed(accent, HOVER),
        }
    }

    /// The least contrast that a colour has with whatever it stands on, or what stands on it.
    fn contrast(&self, accent: Colour) -> f64 {
        let Palette { on_accent, hover, .. } = self.palette_of(accent);
        [self.ground, self.sheet, hover, on_accent]
            .into_iter()
            .map(|other| accent.contrast(other))
            .fold(f64::INFINITY, f64::min)
    }
}

/// What letters need. Web Content Accessibility Guidelines 2.2, 1.4.3.
const LEGIBLE: f64 = 4.5;

/// How much of the accent is in the ground of what the pointer is above, in 255 parts.
const HOVER: u8 = 24;

const LIGHT: Scheme = Scheme {
    ground: Colour::new(0xf3, 0xf5, 0xf7),
    sheet: Colour::new(0xff, 0xff, 0xff),
    pole: Colour::new(0, 0, 0),
    on_accent: Colour::new(0xff, 0xff, 0xff),
};

const DARK: Scheme = Scheme {
    ground: Colour::new(0x0f, 0x13, 0x17),
    sheet: Colour::new(0x18, 0x1d, 0x23),
    pole: Colour::new(0xff, 0xff, 0xff),
    on_accent: Colour::new(0x0f, 0x13, 0x17),
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text colours of the stylesheet, which stand on the hovered ground.
    const TEXTS: [Colour; 2] = [Colour::new(0x1a, 0x20, 0x27), Colour::new(0xe7, 0xeb, 0xef)];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn every_colour_becomes_one_that_can_be_read(red: u8, green: u8, blue: u8) {
            let accent = Accent::new(Colour::new(red, green, blue));
            for ((palette, scheme), text) in [(accent.light(), LIGHT), (accent.dark(), DARK)].into_iter().zip(TEXTS) {
                for below in [scheme.ground, scheme.sheet, palette.hover] {
                    prop_assert!(palette.accent.contrast(below) >= 4.5, "{:?} on {}", palette, below);
                }
                prop_assert!(palette.on_accent.contrast(palette.accent) >= 4.5, "{:?}", palette);
                prop_assert!(text.contrast(palette.hover) >= 4.5, "{} on {:?}", text, palette);
            }
        }

        #[test]
        fn a_colour_that_can_be_read_stays_as_it_is(red: u8, green: u8, blue: u8) {
            let given = Colour::new(red, green, blue);
            let accent = Accent::new(given);
            prop_assert_eq!(accent.light().accent == given, accent.contrast_on_light() >= 4.5);
            prop_assert_eq!(accent.dark().accent == given, DARK.contrast(given) >= 4.5);
        }
    }

    #[test]
    fn the_hardest_colours_are_no_exception() {
        let black = Accent::new(Colour::new(0, 0, 0));
        let white = Accent::new(Colour::new(255, 255, 255));
        assert_eq!(black.light().accent.to_string(), "#000000");
        assert_eq!(white.dark().accent.to_string(), "#ffffff");
        assert_eq!(white.light().accent.to_string(), "#6e6e6e");
        let yellow = Accent::new(Colour::new(0xff, 0xcc, 0x00));
        assert_eq!(yellow.light().accent.to_string(), "#866b00");
        assert_eq!(yellow.dark().accent.to_string(), "#ffcc00");
    }

    #[test]
    fn the_grounds_are_those_of_the_stylesheet() {
        let style = include_str!("../../templates/style.css");
        let (light, rest) = style.split_once("@media (prefers-color-scheme: dark)").unwrap();
        let dark = rest.split_once("\n}").unwrap().0;
        for ((text, scheme), letters) in [(light, LIGHT), (dark, DARK)].into_iter().zip(TEXTS) {
            for (name, colour) in [
                ("ground", scheme.ground),
                ("sheet", scheme.sheet),
                ("text", letters),
            ] {
                assert!(text.contains(&format!("--{name}: {colour};")), "{name}: {colour}");
            }
        }
    }
}

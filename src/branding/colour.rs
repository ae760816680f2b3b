//! Colours of sRGB: how one is written, how two are mixed, and whether one can be read on another.

use std::fmt;

/// A colour that covers what is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    /// Takes three parts, from 0 to 255.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Reads `#rrggbb`, the only way in which it is written here.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self::new(part(0)?, part(2)?, part(4)?))
    }

    /// A mixture with another colour, of which `share` is taken in 255 parts.
    pub(super) fn mixed(self, other: Self, share: u8) -> Self {
        let mix = |one: u8, other: u8| {
            let (one, other, share) = (u32::from(one), u32::from(other), u32::from(share));
            let sum = one * (255 - share) + other * share;
            u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
        };
        Self::new(
            mix(self.red, other.red),
            mix(self.green, other.green),
            mix(self.blue, other.blue),
        )
    }

    /// The contrast of two colours, from 1 to 21. Web Content Accessibility Guidelines 2.2, "contrast ratio".
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Web Content Accessibility Guidelines 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_written_in_one_way() {
        let colour = Colour::parse("#1558C0").unwrap();
        assert_eq!(colour.to_string(), "#1558c0");
        for not in [
            "", "#", "1558c0", "#158", "#1558c", "#1558c00", "#1558cg", "#+558c0", "#é58c0", "red",
        ] {
            assert_eq!(Colour::parse(not), None, "{not}");
        }
    }

    /// Three ratios that are published: black on white, and two greys of the guidelines' understanding documents.
    #[test]
    fn contrasts_are_those_of_the_guidelines() {
        let contrast = |one, other| {
            let [one, other] = [one, other].map(|text| Colour::parse(text).unwrap());
            (one.contrast(other) * 100.0).round() / 100.0
        };
        assert_eq!(contrast("#000000", "#ffffff").to_string(), "21");
        assert_eq!(contrast("#767676", "#ffffff").to_string(), "4.54");
        assert_eq!(contrast("#ffffff", "#777777").to_string(), "4.48");
        assert_eq!(contrast("#0000ff", "#0000ff").to_string(), "1");
    }

    #[test]
    fn a_mixture_lies_between() {
        let (black, white) = (Colour::new(0, 0, 0), Colour::new(255, 255, 255));
        assert_eq!(black.mixed(white, 0), black);
        assert_eq!(black.mixed(white, 255), white);
        assert_eq!(black.mixed(white, 128), Colour::new(128, 128, 128));
    }
}

//! Characters that mislead who reads a text that others chose.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Whether a character has no shape of its own: a control character, one that breaks a line or changes its direction, or one
/// without width. Joiners (U+200C, U+200D) are not: scripts and emoji need them.
pub fn is_invisible(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    match c {
        '\u{200C}' | '\u{200D}' => false,
        // Letters and marks that Unicode lets a font leave out.
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}' | '\u{FFA0}' => true,
        _ => matches!(
            c.general_category(),
            Control | Format | LineSeparator | ParagraphSeparator
        ),
    }
}

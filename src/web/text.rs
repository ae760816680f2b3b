//! Names and other text that a page shows. Consumers, users and configurations choose them: any character may occur.

use std::fmt;

use askama::filters::{Escaper as _, Html as HtmlEscaper, HtmlSafe};

use crate::characters::is_invisible;

/// Escaped HTML: a template writes it unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// Escapes a text. Between U+2068 and U+2069, which Fluent writes around each value, the text is in a `<bdi>`.
    pub(super) fn from_isolated(text: &str) -> Self {
        let english = format!("{FIRST_STRONG_ISOLATE}{ENGLISH}");
        Self(
            escape(text)
                .replace(&english, "<bdi lang=\"en\">")
                .replace(FIRST_STRONG_ISOLATE, "<bdi>")
                .replace(POP_ISOLATE, "</bdi>"),
        )
    }

    /// A name, isolated from the direction of the text around it.
    pub(super) fn name(name: &str) -> Self {
        Self(format!("<bdi>{}</bdi>", escape(&sanitize(name, MAX_NAME))))
    }

    /// A moment, with the spelling for machines (HTML, section 4.5.14).
    pub(super) fn time(datetime: &str, text: &str) -> Self {
        Self(format!(
            "<time datetime=\"{}\">{}</time>",
            escape(datetime),
            escape(text)
        ))
    }

    /// An address, which may break before each slash and nowhere else if there is room.
    pub(super) fn address(address: &str) -> Self {
        let address = escape(&sanitize(address, MAX_REASON)).replace('/', "<wbr>/");
        Self(format!("<bdi class=\"address\">{address}</bdi>"))
    }

    /// Replaces a value in the text by HTML.
    pub(super) fn replace(&self, value: &str, by: &Self) -> Self {
        Self(
            self.0
                .replacen(&format!("<bdi>{}</bdi>", escape(value)), &by.0, 1),
        )
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// Replaces invisible characters by U+FFFD, and cuts the text after so many characters.
pub(super) fn sanitize(text: &str, max: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(max)
        .map(|c| if is_invisible(c) { '\u{FFFD}' } else { c })
        .collect();
    if text.chars().nth(max).is_some() {
        shown.push('…');
    }
    shown
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    HtmlEscaper
        .write_escaped_str(&mut out, text)
        .expect("writing to a string does not fail");
    out
}

/// Characters of a name that are shown: a longer one would push the buttons off the page.
pub(super) const MAX_NAME: usize = 120;
/// Characters of a reason that are shown: a sentence or two.
pub(super) const MAX_REASON: usize = 400;

/// Begins a value in a formatted text. No value contains it: [`sanitize`] replaces it.
pub(super) const FIRST_STRONG_ISOLATE: char = '\u{2068}';
/// Ends a value in a formatted text.
pub(super) const POP_ISOLATE: char = '\u{2069}';
/// Begins a value that is English on a page of any language.
pub(super) const ENGLISH: char = '\u{2066}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_replaced_and_joiners_stay() {
        let visible = |text| sanitize(text, MAX_NAME);
        assert_eq!(
            visible("a\u{202E}b\u{2066}c\u{0}d\r\ne"),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}\u{FFFD}e"
        );
        assert_eq!(visible("\u{200B}\u{FEFF}\u{00AD}"), "\u{FFFD}\u{FFFD}\u{FFFD}");
        assert_eq!(visible("Équipe 日本語 עברית 👩‍💻"), "Équipe 日本語 עברית 👩‍💻");
        assert_eq!(visible(&"x".repeat(500)).chars().count(), MAX_NAME + 1);
    }
}

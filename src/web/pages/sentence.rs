//! A text with names in it. Names come from configurations, consumers and users: they are data, whatever they look like.

use std::fmt;

use askama::filters::{Escaper as _, Html as Escaped, HtmlSafe};

/// A text of the catalogue, and the names to fill in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sentence<'a> {
    /// The text, with `{name}` where a name goes.
    pub(super) text: &'static str,
    /// The names. One that the text has and this has not stays empty.
    pub(super) names: &'a [(&'static str, &'a str)],
}

/// Text that is escaped already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Html(String);

impl Sentence<'_> {
    /// The sentence as HTML: each name escaped, and isolated from the direction of the text around it.
    pub(super) fn html(&self) -> Html {
        let mut out = String::new();
        self.fill(|part| match part {
            Part::Text(text) => escape(&mut out, text),
            Part::Name(name) => {
                out.push_str("<bdi>");
                escape(&mut out, name);
                out.push_str("</bdi>");
            }
        });
        Html(out)
    }

    /// The sentence as plain text, for the title.
    pub(super) fn plain(&self) -> String {
        let mut out = String::new();
        self.fill(|part| match part {
            Part::Text(text) | Part::Name(text) => out.push_str(text),
        });
        out
    }

    /// Walks over the text once, so that a name that looks like a place for a name stays what it is.
    fn fill(&self, mut push: impl FnMut(Part<'_>)) {
        let mut rest = self.text;
        while let Some((text, (name, after))) = rest
            .split_once('{')
            .and_then(|(text, tail)| Some((text, tail.split_once('}')?)))
        {
            push(Part::Text(text));
            let value = self
                .names
                .iter()
                .find(|(known, _)| *known == name)
                .map_or("", |(_, value)| value);
            let longest = if name == WHY { LONGEST_REASON } else { LONGEST };
            push(Part::Name(&visible_part(value, longest)));
            rest = after;
        }
        push(Part::Text(rest));
    }
}

enum Part<'a> {
    Text(&'a str),
    Name(&'a str),
}

impl Html {
    /// Several, one after the other.
    pub(super) fn joined<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        Self(parts.into_iter().map(|part| part.0.as_str()).collect())
    }

    /// A moment, with the spelling that machines read (HTML, section 4.5.14).
    pub(super) fn time(datetime: &str, text: &str) -> Self {
        let mut out = String::from("<time datetime=\"");
        escape(&mut out, datetime);
        out.push_str("\">");
        escape(&mut out, text);
        out.push_str("</time>");
        Self(out)
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// A name as it may be shown: what hides or turns around other characters is made visible, and it has an end.
pub(super) fn visible(name: &str) -> String {
    visible_part(name, LONGEST)
}

/// The same of anything that may be so many characters long.
fn visible_part(text: &str, longest: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(longest)
        .map(|c| if hides(c) { '\u{FFFD}' } else { c })
        .collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters, and the format characters that change direction, break lines or have no width.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}'
            | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

fn escape(out: &mut String, text: &str) {
    Escaped
        .write_escaped_str(out, text)
        .expect("a string takes any text");
}

/// Characters of a name that are shown. Longer ones would push the buttons off the page.
const LONGEST: usize = 120;

/// Stands for a reason: a sentence or two, which say what to do.
const WHY: &str = "why";

/// Characters of a reason that are shown.
const LONGEST_REASON: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &'static str, consumer: &str) -> String {
        Sentence {
            text,
            names: &[("consumer", consumer), ("user", "Alice")],
        }
        .html()
        .to_string()
    }

    #[test]
    fn names_are_escaped_isolated_and_filled_in_once() {
        assert_eq!(
            html("Allow {consumer}?", "Bitbucket"),
            "Allow <bdi>Bitbucket</bdi>?"
        );
        assert_eq!(
            html("{consumer} & {user}", "<img src=x onerror='alert(1)'>{user}"),
            "<bdi>&#60;img src=x onerror=&#39;alert(1)&#39;&#62;{user}</bdi> &#38; <bdi>Alice</bdi>",
        );
        assert_eq!(html("{nobody}.", "x"), "<bdi></bdi>.");
        assert_eq!(html("an open { brace", "x"), "an open { brace");
    }

    #[test]
    fn characters_that_hide_or_turn_text_are_made_visible() {
        assert_eq!(
            visible("a\u{202E}b\u{2066}c\u{0}d\r\ne"),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}\u{FFFD}e"
        );
        assert_eq!(visible("\u{200B}\u{FEFF}\u{00AD}"), "\u{FFFD}\u{FFFD}\u{FFFD}");
        assert_eq!(visible("Équipe 日本語 עברית 👩‍💻"), "Équipe 日本語 עברית 👩‍💻");
        assert_eq!(visible(&"x".repeat(500)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_reason_may_be_longer_than_a_name() {
        let long = "x".repeat(LONGEST_REASON + 1);
        let shown = |text| {
            let sentence = Sentence {
                text,
                names: &[("why", &long), ("link", &long)],
            };
            sentence.plain().chars().count()
        };
        assert_eq!(
            (shown("{why}"), shown("{link}")),
            (LONGEST_REASON + 1, LONGEST + 1)
        );
    }
}

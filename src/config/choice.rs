//! One of a few words.

use super::nearest::nearest;
use super::remark::Wrong;
use super::section::Section;

/// Reads one of a few words; `None` when it is absent.
pub(super) fn choice<T: Clone>(section: &Section<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
    section.parsed(key, |text| {
        let found = words.iter().find(|(word, _)| *word == text);
        found
            .map(|(_, meaning)| meaning.clone())
            .ok_or_else(|| unknown(text, words.iter().map(|(word, _)| *word)))
    })
}

/// Says that a word is none of those that are known here.
pub(super) fn unknown<'a>(text: &str, words: impl Iterator<Item = &'a str> + Clone) -> Wrong {
    let remedy = match nearest(text, words.clone()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!(
            "write one of {}",
            words
                .map(|word| format!("{word:?}"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    Wrong::new(format!("{text:?} is not known here"), remedy)
}

//! What a compiler cannot see: texts that were left empty, and names that a translation lost.

use std::collections::BTreeSet;

use super::catalogue::Entries;
use super::*;

#[test]
fn every_language_names_what_the_english_text_names() {
    let english = entries(Language::English);
    assert!(english.len() > 100);
    for language in Language::ALL {
        let translated = entries(language);
        assert_eq!(translated.len(), english.len(), "{language:?}");
        for ((at, text), (_, original)) in translated.iter().zip(&english) {
            assert!(!text.trim().is_empty(), "{language:?} {at} is empty");
            assert_eq!(
                names(text),
                names(original),
                "{language:?} {at} names something else:\n{text}\n{original}"
            );
        }
    }
}

#[test]
fn a_translation_is_not_the_english_text() {
    let english = entries(Language::English);
    for language in [Language::Japanese, Language::German] {
        let same: Vec<_> = entries(language)
            .into_iter()
            .zip(&english)
            .filter(|((at, text), (_, original))| text == original && !at.starts_with("dates"))
            .map(|((at, text), _)| format!("{at}: {text}"))
            .collect();
        // German has a few of the same words.
        assert!(same.len() < 10, "{language:?}: {same:#?}");
    }
}

/// Every text with its place in the catalogue.
fn entries(language: Language) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    language.texts().entries("", &mut found);
    found
}

fn names(text: &str) -> BTreeSet<&str> {
    let after = text.split('{').skip(1);
    after
        .map(|rest| rest.split_once('}').expect("a name in braces").0)
        .collect()
}

//! The files of texts: complete in every language, and each text is named by a template or by code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_language_has_the_same_messages_with_the_same_values() {
    let english = texts("en");
    assert!(english.len() > 250, "{}", english.len());
    for tag in TAGS {
        let file = fluent_bundle::FluentResource::try_new(file(tag)).map_err(|(_, errors)| errors);
        assert!(file.is_ok(), "{tag}: {file:?}");
        let translated = texts(tag);
        let ids = |texts: &BTreeMap<String, String>| texts.keys().cloned().collect::<BTreeSet<_>>();
        let missing: Vec<_> = ids(&english)
            .symmetric_difference(&ids(&translated))
            .cloned()
            .collect();
        assert!(missing.is_empty(), "{tag}: in one file only: {missing:?}");
        for (id, text) in &translated {
            assert_eq!(
                values(text),
                values(&english[id]),
                "{tag}: {id} names other values"
            );
            assert!(!text.trim().is_empty(), "{tag}: {id} is empty");
            assert!(
                !text.contains(['\u{2066}', '\u{2068}', '\u{2069}']),
                "{tag}: {id}"
            );
        }
    }
}

#[test]
fn a_translation_is_not_the_english_text() {
    let english = texts("en");
    for tag in ["de", "ja"] {
        let mut same = texts(tag);
        same.retain(|id, text| english[id] == *text);
        // German has a few of the same words.
        assert!(same.len() < 10, "{tag}: {same:#?}");
    }
}

#[test]
fn a_japanese_text_is_on_one_line() {
    for (id, text) in texts("ja") {
        assert!(!text.contains('\n'), "{id}: a line break would be a space");
    }
}

#[test]
fn every_message_that_is_named_exists_and_every_message_is_named() {
    let messages: BTreeSet<_> = texts("en").into_keys().collect();
    // Without a dot: named by the code that writes moments and durations.
    let mut named = BTreeSet::from(["moment", "wait-seconds", "wait-minutes"].map(str::to_owned));
    let errors = fs::read_to_string(root().join("src/web/error.rs")).unwrap();
    let kinds = errors
        .split('"')
        .filter(|id| messages.contains(&format!("error-{id}.title")));
    named.extend(kinds.flat_map(|id| ["title", "reason", "next"].map(|part| format!("error-{id}.{part}"))));
    for folder in ["templates", "templates/admin", "src/web", "src/web/admin"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let is_read = path
                .extension()
                .is_some_and(|ending| ending == "rs" || ending == "html");
            if is_read {
                named.extend(named_in(&fs::read_to_string(path).unwrap(), &messages));
            }
        }
    }
    let unknown: Vec<_> = named.difference(&messages).collect();
    let unused: Vec<_> = messages.difference(&named).collect();
    assert!(
        unknown.is_empty() && unused.is_empty(),
        "unknown: {unknown:?}\nunused: {unused:?}"
    );
}

const TAGS: [&str; 3] = ["en", "de", "ja"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn file(tag: &str) -> String {
    fs::read_to_string(root().join(format!("templates/i18n/{tag}.ftl"))).unwrap()
}

/// The texts of a language by `message.attribute`, or by `message`.
fn texts(tag: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let (mut message, mut at) = (String::new(), String::new());
    for line in file(tag)
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (name, text) = line.split_once('=').unwrap_or((line, ""));
        if line.starts_with("    .") {
            at = format!("{message}{}", name.trim());
            found.insert(at.clone(), text.trim().to_owned());
        } else if line.starts_with([' ', '}']) {
            let text = found.get_mut(&at).unwrap();
            text.push('\n');
            text.push_str(line);
        } else {
            name.trim().clone_into(&mut message);
            at.clone_from(&message);
            if !text.trim().is_empty() {
                found.insert(at.clone(), text.trim().to_owned());
            }
        }
    }
    found
}

/// The values that a text names, but for `$application`, which every text may name.
fn values(text: &str) -> BTreeSet<&str> {
    let named = text.split('$').skip(1);
    named
        .map(|rest| rest.split([' ', '}']).next().unwrap_or(rest))
        .filter(|name| *name != "application")
        .collect()
}

/// The names of messages in string literals: whatever has the form `message.attribute` and begins like a message.
fn named_in<'a>(source: &'a str, messages: &'a BTreeSet<String>) -> impl Iterator<Item = String> + 'a {
    let starts: BTreeSet<_> = messages.iter().filter_map(|id| id.split_once('.')).collect();
    let literals = source.split('"').filter(|text| text.len() < 60);
    literals.filter_map(move |text| {
        let (message, attribute) = text.split_once('.')?;
        let is_name = attribute
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let is_known = starts.iter().any(|(start, _)| *start == message);
        (is_name && attribute != "html" && is_known).then(|| text.to_owned())
    })
}

//! The message files, and what names their messages: templates and Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_bundle::FluentResource;
use http::HeaderValue;
use http::header::ACCEPT_LANGUAGE;

use super::*;
use crate::web::i18n::{FILES, Language};

#[test]
fn every_language_has_the_same_messages_with_the_same_values() {
    let english = texts(FILES[0].1);
    assert!(english.len() > 250, "{}", english.len());
    for (tag, file) in FILES {
        let errors = FluentResource::try_new((*file).to_owned()).map_err(|(_, errors)| errors);
        assert!(errors.is_ok(), "{tag}: {errors:?}");
        let translated = texts(file);
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
    let english = texts(FILES[0].1);
    for (tag, file) in &FILES[1..] {
        let mut same = texts(file);
        same.retain(|id, text| english[id] == *text);
        // German has a few of the same words.
        assert!(same.len() < 10, "{tag}: {same:#?}");
    }
}

#[test]
fn a_japanese_text_stands_on_one_line() {
    let (_, japanese) = FILES.iter().find(|(tag, _)| *tag == "ja").unwrap();
    for (id, text) in texts(japanese) {
        assert!(!text.contains('\n'), "{id}: a line break would be a space");
    }
}

#[test]
fn every_message_that_is_named_exists_and_every_message_is_named() {
    let messages: BTreeSet<_> = texts(FILES[0].1).into_keys().collect();
    let errors = ErrorKind::ALL.iter().map(|kind| kind.row().0);
    let mut named: BTreeSet<String> = errors
        .flat_map(|id| ["title", "reason", "next"].map(|part| format!("error-{id}.{part}")))
        .collect();
    // Without a dot: named by the code that writes moments and durations.
    named.extend(["moment", "wait-seconds", "wait-minutes"].map(str::to_owned));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["templates", "templates/admin", "src/web", "src/web/admin"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
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

/// A further language is one file and one line: nothing else names the languages.
#[tokio::test]
async fn a_new_language_is_one_file_and_one_line() {
    let file = FILES[0].1.replace(" = Request expired", " = Peto finiĝis");
    let languages: Vec<_> = [FILES[0], ("eo", file.as_str())]
        .into_iter()
        .map(|(tag, file)| Language::new(tag, file))
        .collect();
    let languages: &'static [Language] = languages.leak();
    let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static("eo, en;q=0.5"))]);
    let (_, html) = read(show(&ErrorKind::Expired.page(), Locale::of(&headers, languages))).await;
    assert!(
        html.contains("<html lang=\"eo\">") && html.contains("<h1>Peto finiĝis</h1>"),
        "{html}"
    );
}

/// The texts of a file by `message.attribute`, or by `message`.
fn texts(file: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let (mut message, mut at) = (String::new(), String::new());
    for line in file
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
            message = name.trim().to_owned();
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

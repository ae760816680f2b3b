//! `config/linkgate.schema.json`, from which editors know the keys: what is said of wrong values tells every key and its type,
//! and the reference tells its meaning.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{ConfigProblem, Written};

#[test]
fn editors_know_every_key() {
    let mut schema = object("");
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "linkgate.toml".into();
    schema["description"] = "The configuration of linkgate.".into();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/linkgate.schema.json");
    if std::env::var_os("LINKGATE_WRITE_SCHEMA").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert!(
        fs::read_to_string(file).unwrap_or_default() == text,
        "LINKGATE_WRITE_SCHEMA=1 cargo test --test it editors_know writes config/linkgate.schema.json again"
    );
}

/// The schema of what is written under a key. No key takes a fraction.
fn of(table: &str, name: &str) -> Value {
    let key = below(table, name);
    let said = about(&key, &problems(table, &written(name, "1.5")));
    let expected = said.split_once("expected ").map_or("", |(_, rest)| rest);
    match expected.split(", found").next().unwrap() {
        "a table" => object(&key),
        "a list" => json!({"type": "array", "items": of(table, &format!("{name}[0]"))}),
        "a text" => text(&about(&key, &problems(table, &written(name, "\"\u{bf}\"")))),
        "true or false" => json!({"type": "boolean"}),
        number if number.starts_with("a whole number from 1") => json!({"type": "integer", "minimum": 1}),
        // The file of a secret, which is read before.
        _ if key.ends_with("_file") => json!({"type": "string", "description": "The file with it."}),
        _ if said.contains("write a text, a whole number, true or false") => {
            json!({"type": ["string", "integer", "boolean"]})
        }
        _ => panic!("{key}: {said}"),
    }
}

/// The schema of a text that is wrong.
fn text(said: &str) -> Value {
    let Some((_, words)) = said.split_once("write one of ") else {
        return json!({"type": "string"});
    };
    let words = words.lines().next().unwrap().split(", ");
    json!({"enum": words.map(|word| word.trim_matches('"')).collect::<Vec<_>>()})
}

fn object(table: &str) -> Value {
    let stranger = "stranger_among_keys = 1";
    let said = about(&below(table, "stranger_among_keys"), &problems(table, stranger));
    let (_, known) = said
        .split_once("known here: ")
        .unwrap_or_else(|| panic!("{table}: {said}"));
    let known: Vec<_> = known.lines().next().unwrap().split(", ").collect();
    let is_known = |name: &str| known.contains(&name);
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let mut content = stranger.to_owned();
    for name in &known {
        // An alias for environment variables.
        if name.contains('_') && is_known(&name.replace('_', "-")) {
            continue;
        }
        let key = below(table, name);
        let mut schema = of(table, name);
        let meaning = meaning(&key).or_else(|| meaning(&format!("{key}_file")));
        if let Some(meaning) = meaning {
            schema["description"] = meaning.into();
        }
        properties.insert((*name).to_owned(), schema);
        let missing = problems(table, &content).into_iter().any(|problem| {
            let is_it = problem.key == key || problem.key.starts_with(&format!("{key}."));
            is_it && problem.text.contains("it is missing")
        });
        if missing && !is_known(&format!("{name}_file")) {
            required.push(*name);
            // Of some tables, only the first is told.
            if !table.is_empty() {
                content = format!("{content}, {name} = \"/x\"");
            }
        }
    }
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

/// `name = value`, or for `name[0]`, a list.
fn written(name: &str, value: &str) -> String {
    match name.strip_suffix("[0]") {
        Some(name) => format!("{name} = [{value}]"),
        None => format!("{name} = {value}"),
    }
}

/// What is wrong with a configuration that has only this in a table.
fn problems(table: &str, content: &str) -> Vec<ConfigProblem> {
    let tables = table.rsplit('.').filter(|name| !name.is_empty());
    let text = tables.fold(content.to_owned(), |content, name| {
        written(name, &format!("{{ {content} }}"))
    });
    Written::new(&text).load(&[]).unwrap_err().problems
}

fn about(key: &str, problems: &[ConfigProblem]) -> String {
    let texts = problems.iter().filter(|problem| problem.key == key);
    texts.map(|problem| problem.text.as_str()).collect()
}

/// The comment of a key in the reference.
fn meaning(key: &str) -> Option<&'static str> {
    let key = key.replace("[0]", "");
    let (section, name) = key.rsplit_once('.')?;
    let headers = [format!("[{section}]"), format!("[[{section}]]")];
    let mut lines = REFERENCE.lines();
    lines.find(|line| headers.iter().any(|header| line.starts_with(header)))?;
    let keys = lines.take_while(|line| !line.starts_with('['));
    let mut keys = keys.map(|line| line.trim_start_matches(['#', ' ']));
    let line = keys.find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(" = "))
    })?;
    line.split_once(" # ").map(|(_, comment)| comment)
}

const REFERENCE: &str = include_str!("../../../config/linkgate.toml");

fn below(table: &str, name: &str) -> String {
    let dot = if table.is_empty() { "" } else { "." };
    format!("{table}{dot}{name}")
}

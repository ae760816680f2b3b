//! `config/linkgate.schema.json`, from which editors know the keys: what is said of wrong values tells every key and its type,
//! and the reference tells its meaning.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::Written;

#[test]
fn editors_know_every_key() {
    let mut schema = of("");
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
fn of(key: &str) -> Value {
    let said = if key.is_empty() {
        "expected a table, found a fraction".to_owned()
    } else {
        about(key, key, "1.5").join("\n")
    };
    let expected = said.split_once("expected ").map_or("", |(_, rest)| rest);
    match expected.split(", found").next().unwrap() {
        "a table" => table(key),
        "a list" => json!({"type": "array", "items": of(&format!("{key}[0]"))}),
        "a text" => text(key),
        "true or false" => json!({"type": "boolean"}),
        number if number.starts_with("a whole number from 1") => json!({"type": "integer", "minimum": 1}),
        // The file of a secret, which is read before.
        _ if key.ends_with("_file") => json!({"type": "string"}),
        _ if said.contains("write a text, a whole number, true or false") => {
            json!({"type": ["string", "integer", "boolean"]})
        }
        _ => panic!("{key}: {said}"),
    }
}

fn text(key: &str) -> Value {
    let said = about(key, key, "\"\u{bf}\"").join("\n");
    let Some((_, words)) = said.split_once("write one of ") else {
        return json!({"type": "string"});
    };
    let words: Vec<_> = words.lines().next().unwrap().split(", ").collect();
    json!({"enum": words.iter().map(|word| word.trim_matches('"')).collect::<Vec<_>>()})
}

fn table(key: &str) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let stranger = below(key, "stranger_among_keys");
    let said = about(&stranger, &stranger, "1").join("\n");
    let (_, known) = said
        .split_once("known here: ")
        .unwrap_or_else(|| panic!("{key}: {said}"));
    let known: Vec<_> = known.lines().next().unwrap().split(", ").collect();
    for name in &known {
        // An alias for environment variables.
        if known.contains(&name.replace('_', "-").as_str()) && name.contains('_') {
            continue;
        }
        let key = below(key, name);
        let mut schema = of(&key);
        let meaning = meaning(&key).or_else(|| meaning(&format!("{key}_file")));
        if let Some(meaning) = meaning.filter(|_| schema.get("properties").is_none()) {
            schema["description"] = meaning.into();
        }
        if about(&stranger, &key, "1")
            .iter()
            .any(|said| said.contains("it is missing"))
            && !known.contains(&format!("{name}_file").as_str())
        {
            required.push(*name);
        }
        properties.insert((*name).to_owned(), schema);
    }
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

/// What is said about a key of a configuration that has one value.
fn about(written: &str, key: &str, value: &str) -> Vec<String> {
    let document = written
        .rsplit('.')
        .fold(value.to_owned(), |value, part| match part.strip_suffix("[0]") {
            Some(name) => format!("{{ {name} = [{value}] }}"),
            None => format!("{{ {part} = {value} }}"),
        });
    let said = Written::new(&document[2..document.len() - 2])
        .load(&[])
        .unwrap_err();
    let problems = said.problems.into_iter().filter(|problem| problem.key == key);
    problems.map(|problem| problem.text).collect()
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

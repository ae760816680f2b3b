//! `config/linkgate.schema.json`, from which editors know the keys: it is made from the structs.

use std::path::Path;

use serde_json::{Value, json};

use super::key::below;
use super::source::SECRETS;
use super::{Config, reference};

#[test]
fn editors_know_every_key() {
    let mut schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    schema["title"] = "linkgate.toml".into();
    for (section, secret) in SECRETS {
        let table = section.split('.').fold("/".to_owned(), |table, name| {
            let property = &schema.pointer(table.trim_end_matches('/')).unwrap()["properties"][name];
            definition(property).unwrap_or_else(|| panic!("{section} is a table"))
        });
        let table = schema.pointer_mut(&table).unwrap();
        let file = format!("{secret}_file");
        table["properties"][file] = json!({"description": "The file with it.", "type": "string"});
        if let Some(Value::Array(required)) = table.get_mut("required") {
            required.retain(|name| name != secret);
        }
    }
    drop_defaults(&mut schema);
    describe(&mut schema, "", "");
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/linkgate.schema.json");
    if std::env::var_os("LINKGATE_WRITE_SCHEMA").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        written == text,
        "LINKGATE_WRITE_SCHEMA=1 cargo test --lib editors_know writes config/linkgate.schema.json again"
    );
}

/// Describes the keys of a table, as the reference does.
fn describe(schema: &mut Value, table: &str, section: &str) {
    let properties = schema.pointer_mut(&format!("{table}/properties"));
    let Some(Value::Object(properties)) = properties else {
        return;
    };
    let mut tables = Vec::new();
    for (name, property) in properties {
        let key = below(section, name);
        tables.extend(definition(property).map(|table| (table, key.clone())));
        let lines = [reference::line(&key), reference::line(&format!("{key}_file"))];
        let mut lines = lines.iter().filter(|line| line.starts_with(name));
        if let Some((_, comment)) = lines.next().and_then(|line| line.split_once(" # ")) {
            property["description"] = comment.into();
        }
    }
    for (table, section) in tables {
        describe(schema, &table, &section);
    }
}

/// The pointer to the definition that a property refers to, directly, optionally or as the items of a list.
fn definition(property: &Value) -> Option<String> {
    match property {
        Value::Object(fields) => match fields.get("$ref") {
            Some(Value::String(reference)) => Some(reference.trim_start_matches('#').to_owned()),
            _ => fields.values().find_map(definition),
        },
        Value::Array(items) => items.iter().find_map(definition),
        _ => None,
    }
}

/// Defaults are in the reference, as they are written; here some are as they are kept.
fn drop_defaults(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("default");
            fields.values_mut().for_each(drop_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_defaults),
        _ => {}
    }
}

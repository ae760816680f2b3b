//! Environment variables over the file: `LINKGATE__SECTION__KEY`, and `LINKGATE__CONSUMERS__0__NAME` within a list.

use std::collections::BTreeMap;
use std::ffi::OsString;

use toml::{Table, Value};

use super::key::{above, below, is_below};
use super::problem::{ConfigProblem, Location, Report};
use super::reference;

const PREFIX: &str = "LINKGATE__";

/// Sets the values from the environment; a variable wins over the file. Returns the text of each variable, by its key.
///
/// Lists come before their entries, and entry 2 before entry 10.
pub(super) fn apply(
    root: &mut Value,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    report: &mut Report,
) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut ours = Vec::new();
    for (name, value) in variables {
        match name.into_string() {
            Ok(name) if name.starts_with(PREFIX) => ours.push((name, value)),
            Ok(name) if is_misspelt(&name) => report.warnings.push(ConfigProblem {
                location: Location::Variable(name),
                key: String::new(),
                text: format!("it is not read\n{REMEDY}"),
            }),
            _ => {}
        }
    }
    ours.sort_by_cached_key(|(name, _)| -> Vec<(usize, String)> {
        let part = |part: &str| (part.parse().unwrap_or(0), part.to_owned());
        name.split("__").map(part).collect()
    });
    for (name, value) in ours {
        let names = name[PREFIX.len()..].to_lowercase();
        let text = value.into_string().map_err(|_| "its value is not UTF-8");
        let outcome = text.and_then(|text| Ok((set(root, &names, variable_value(&text))?, text)));
        let location = Location::Variable(name);
        match outcome {
            Ok((key, text)) => {
                let locations = &mut report.locations;
                locations.retain(|known, _| !is_below(known, &key));
                let mut section = above(&key);
                while !section.is_empty() {
                    let location = || location.clone();
                    locations.entry(section.to_owned()).or_insert_with(location);
                    section = above(section);
                }
                locations.insert(key.clone(), location);
                texts.insert(key, text);
            }
            Err(wrong) => {
                let key = names.replace("__", ".");
                report.locations.insert(key.clone(), location);
                report.error(&key, format!("{wrong}\n{REMEDY}"));
            }
        }
    }
    texts
}

/// Sets a value, and returns its key.
fn set(root: &mut Value, names: &str, value: Value) -> Result<String, &'static str> {
    let mut target = root;
    let mut key = String::new();
    let mut names = names.split("__").peekable();
    while let Some(name) = names.next() {
        if name.is_empty() {
            return Err("a part of its name is empty");
        }
        let missing = match names.peek() {
            Some(next) if next.bytes().all(|byte| byte.is_ascii_digit()) => Value::Array(Vec::new()),
            _ => Value::Table(Table::new()),
        };
        target = match target {
            Value::Table(table) => {
                // No shell lets `trusted-header` into a name: `TRUSTED_HEADER` means it as well.
                let dashed = name.replace('_', "-");
                let name = if table.contains_key(&dashed) {
                    dashed
                } else {
                    name.to_owned()
                };
                key = below(&key, &name);
                table.entry(name).or_insert(missing)
            }
            Value::Array(items) => {
                let at: Result<usize, _> = name.parse();
                let at = at.map_err(|_| "an entry of a list is named by its number, from 0")?;
                if at == items.len() {
                    items.push(missing);
                }
                key = format!("{key}[{at}]");
                let item = items.get_mut(at);
                item.ok_or("the list has fewer entries; they are numbered from 0")?
            }
            _ => return Err("the file has a plain value here, not a section"),
        };
    }
    *target = value;
    Ok(key)
}

/// A variable's text is a text, unless it is a number, a boolean, a list or a table of TOML.
fn variable_value(text: &str) -> Value {
    let document: Option<Table> = toml::from_str(&format!("value = {text}")).ok();
    let value = document
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"));
    match value {
        Some(value @ (Value::Integer(_) | Value::Boolean(_) | Value::Array(_) | Value::Table(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// Whether a name was probably meant as one of ours: `linkgate__server__listen`, `LINKGATE_SERVER_LISTEN`.
fn is_misspelt(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let rest = name.strip_prefix("linkgate_").unwrap_or_default();
    let section = rest.trim_start_matches('_').split_once('_');
    section.is_some_and(|(section, _)| reference::example(section).is_some())
}

const REMEDY: &str = "a variable is named LINKGATE__SECTION__KEY, with two underscores between the parts";

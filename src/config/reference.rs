//! `config/linkgate.toml`, the commented file of every key: its lines are the remedies for missing and mistyped values.

use toml::{Table, Value};

use super::key::{above, without_indices};

const REFERENCE: &str = include_str!("../../config/linkgate.toml");

/// The line of a key, with its comment; the line of its section if it has none of its own, or nothing.
pub(super) fn line(key: &str) -> String {
    let key = without_indices(key);
    let mut section = key.as_str();
    while !section.is_empty() {
        let name = section.rsplit('.').next().unwrap_or(section);
        let is_it = |line: &&str| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(" = "))
        };
        let header = || REFERENCE.lines().find(|line| is_header(line, section));
        if let Some(line) = lines_of(above(section)).find(is_it).or_else(header) {
            return line.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        section = above(section);
    }
    String::new()
}

/// The value of a key that is set there.
pub(super) fn example(key: &str) -> Option<Value> {
    let root: Table = toml::from_str(REFERENCE).ok()?;
    let mut value = Value::Table(root);
    for name in without_indices(key).split('.') {
        let table = match value {
            Value::Array(mut items) => items.swap_remove(0),
            other => other,
        };
        value = table.get(name)?.clone();
    }
    Some(value)
}

/// The keys below a section's header, whether they are commented out or not.
fn lines_of(section: &str) -> impl Iterator<Item = &'static str> {
    let mut lines = REFERENCE.lines();
    let is_found = section.is_empty() || lines.any(|line| is_header(line, section));
    lines
        .take_while(move |line| is_found && !line.starts_with('['))
        .map(|line| line.trim_start_matches(['#', ' ']))
}

fn is_header(line: &str, section: &str) -> bool {
    let name = line.trim_start_matches('[').strip_prefix(section);
    line.starts_with('[') && name.is_some_and(|rest| rest.starts_with(']'))
}

//! Environment variables over the file: `LINKGATE__SECTION__KEY`, and `LINKGATE__CONSUMERS__0__NAME` within a list.

use std::ffi::OsString;

use super::file::{Kind, Table, Value};
use super::reading::Reading;
use super::remark::{Place, Remark};

const PREFIX: &str = "LINKGATE__";

/// Puts what the environment says in the place of what the file says.
///
/// A variable's text is what it is: a text where a text is wanted, and read as TOML where a number, a switch or a list
/// is wanted. Keys that do not exist are found later, as they are in the file.
pub(super) fn lay_over(
    root: Table,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    reading: &Reading,
) -> Table {
    let mut ours: Vec<_> = variables
        .into_iter()
        .filter_map(|(name, value)| name.into_string().ok().map(|name| (name, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    ours.sort_by_cached_key(|(name, _)| in_order(name));
    let mut root = Value {
        kind: Kind::Table(root),
        place: Place::Variable("".into()),
    };
    for (name, value) in ours {
        let place = Place::Variable(name.as_str().into());
        let keys: Vec<_> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
        let outcome = match value.into_string() {
            Ok(text) => set(&mut root, &keys, text, &place),
            Err(_) => Err("its value is not UTF-8"),
        };
        if let Err(wrong) = outcome {
            let remedy = "a variable is named LINKGATE__SECTION__KEY, with two underscores between the parts";
            reading.mistake(Remark::new(&place, keys.join("."), wrong, remedy));
        }
    }
    match root.kind {
        Kind::Table(table) => table,
        _ => Table::default(),
    }
}

/// Lists before their entries, and entry 2 before entry 10.
fn in_order(name: &str) -> Vec<(usize, String)> {
    let part = |part: &str| (part.parse().unwrap_or(0), part.to_owned());
    name.split("__").map(part).collect()
}

fn set(target: &mut Value, keys: &[String], text: String, place: &Place) -> Result<(), &'static str> {
    let Some((key, rest)) = keys.split_first() else {
        let kind = Kind::Variable(text);
        *target = Value {
            kind,
            place: place.clone(),
        };
        return Ok(());
    };
    if key.is_empty() {
        return Err("a part of its name is empty");
    }
    // A list or a table that came as one variable can be refined by another.
    if let Kind::Variable(_) = target.kind {
        *target = target.structured().into_owned();
    }
    let inner = match &mut target.kind {
        Kind::Table(table) => {
            let key = spelt_as_written(table, key);
            let new = || (place.clone(), empty(rest, place));
            &mut table.0.entry(key).or_insert_with(new).1
        }
        Kind::Array(items) => {
            let index: usize = key
                .parse()
                .map_err(|_| "an entry of a list is named by its number, from 0")?;
            if index == items.len() {
                items.push(empty(rest, place));
            }
            items
                .get_mut(index)
                .ok_or("the list has fewer entries; they are numbered from 0")?
        }
        _ => return Err("the file has a plain value here, not a section"),
    };
    set(inner, rest, text, place)
}

/// What to make where the file has nothing: a list when the next part of the name is a number.
fn empty(rest: &[String], place: &Place) -> Value {
    let numbered = rest
        .first()
        .is_some_and(|key| key.bytes().all(|b| b.is_ascii_digit()));
    let kind = if numbered {
        Kind::Array(Vec::new())
    } else {
        Kind::Table(Table::default())
    };
    Value {
        kind,
        place: place.clone(),
    }
}

/// No shell lets `trusted-header` into a name: `TRUSTED_HEADER` means it as well.
fn spelt_as_written(table: &Table, key: &str) -> String {
    let dashed = key.replace('_', "-");
    if table.0.contains_key(&dashed) {
        dashed
    } else {
        key.to_owned()
    }
}

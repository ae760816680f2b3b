//! Keys: names of tables and numbers of lists, as in `consumers[1].public_key`. The key of the root is empty.

use serde_path_to_error::{Path, Segment};
use toml::Value;

/// The key of a path, and of a field below it that is missing.
pub(super) fn key_of(path: &Path, missing: Option<&str>) -> String {
    let key = path.iter().fold(String::new(), |key, segment| match segment {
        Segment::Seq { index } => format!("{key}[{index}]"),
        Segment::Map { key: name } => below(&key, name),
        Segment::Enum { .. } | Segment::Unknown => key,
    });
    missing.map(|name| below(&key, name)).unwrap_or(key)
}

/// The key of a name in a table.
pub(super) fn below(table: &str, name: &str) -> String {
    match table {
        "" => name.to_owned(),
        _ => format!("{table}.{name}"),
    }
}

/// The key of the table or the list that contains a value.
pub(super) fn above(key: &str) -> &str {
    key.rfind(['.', '[']).map_or("", |end| &key[..end])
}

/// Whether a key is within a table or a list.
pub(super) fn is_below(key: &str, above: &str) -> bool {
    key.strip_prefix(above)
        .is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// The key without the numbers of lists.
pub(super) fn without_indices(key: &str) -> String {
    let parts = key
        .split('[')
        .map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
    parts.collect()
}

/// The last name in a key.
pub(super) fn name(key: &str) -> String {
    let names = without_indices(key);
    names.rsplit('.').next().unwrap_or_default().to_owned()
}

/// The number at the end of a key of a list's entry.
pub(super) fn index(key: &str) -> Option<usize> {
    let (_, number) = key.strip_suffix(']')?.rsplit_once('[')?;
    number.parse().ok()
}

/// The value of a key.
pub(super) fn find<'a>(root: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    let mut steps = key.split(['.', '[']).filter(|step| !step.is_empty());
    steps.try_fold(root, |value, step| match step.strip_suffix(']') {
        Some(at) => value.get_mut(at.parse::<usize>().ok()?),
        None => value.get_mut(step),
    })
}

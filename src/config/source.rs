//! From the text of a file and the environment to a value: where each key was written, and what does not fit.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use crate::setting::{read_file, unreadable};

use super::key::{above, below, find, index, key_of, name, without_indices};
use super::problem::{ConfigError, Location, Report, explain};
use super::{reference, variables};

/// The secrets, each with its section. In the place of `x`, a file can be named as `x_file`.
pub(super) const SECRETS: [(&str, &str); 6] = [
    ("store", "password"),
    ("login.handoff", "secret"),
    ("login.oidc", "client_secret"),
    ("login.ldap", "bind_password"),
    ("consumers", "shared_secret"),
    ("applinks", "token"),
];

/// What was written.
pub(super) struct ConfigSource {
    root: Value,
    /// The directory at which relative paths start.
    pub(super) directory: PathBuf,
    pub(super) report: Report,
    /// The text of each environment variable, by its key.
    texts: BTreeMap<String, String>,
    /// The entries of lists that were left out: the key of the list, and the number.
    left_out: BTreeSet<(String, usize)>,
}

impl ConfigSource {
    /// Reads a file, and applies environment variables to it. The error is a file that cannot be read, or every place where
    /// it is not TOML.
    pub(super) fn read(
        file: &Path,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut report = Report {
            file: file.into(),
            locations: BTreeMap::new(),
            secret_files: BTreeMap::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| {
            let why = unreadable(&error);
            report.error(
                "",
                format!("it {why}\nname the file with --config or LINKGATE_CONFIG"),
            );
            String::new()
        });
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            let location = location(file, text, at);
            report.locations.insert(String::new(), location);
            let why = error.message().replace('\n', ", ");
            report.error(
                "",
                format!("this is not TOML: {why}\na value is text in quotes, a number, true, false, or a list in brackets"),
            );
        }
        if !report.problems.is_empty() {
            return Err(report.into_error());
        }
        locate(&DeValue::Table(table.into_inner()), "", &mut |key, at| {
            report.locations.insert(key, location(file, text, at));
        });
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let mut root = Value::Table(toml::from_str(text).unwrap_or_default());
        let texts = variables::apply(&mut root, variables, &mut report);
        let mut source = Self {
            root: Value::Table(Table::new()),
            directory: absolute.parent().unwrap_or(Path::new("/")).to_owned(),
            report,
            texts,
            left_out: BTreeSet::new(),
        };
        let mut empty = Vec::new();
        source.prepare(&mut root, "", &mut empty);
        source.root = root;
        // The last entry of a list first, so that those before it keep their numbers.
        for key in empty.into_iter().rev() {
            let text = "it is empty\nwrite a text, or leave the key out";
            source.report.error(&key, text);
            source.remove(&key);
        }
        Ok(source)
    }

    /// Deserializes, and goes on: a value that does not fit is reported and left out, a missing one is replaced by the
    /// example of the reference, and the rest is tried again. `None`: there is nothing left to go on with.
    pub(super) fn deserialize<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut tried = BTreeSet::new();
        loop {
            let error = match serde_path_to_error::deserialize(self.root.clone()) {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            let message = error.inner().message();
            let missing = message.strip_prefix("missing field `");
            let missing = missing.and_then(|rest| rest.strip_suffix('`'));
            let path = key_of(error.path(), missing);
            let key = self.as_written(&path);
            if message.contains("string") && self.take_as_text(&path, &key) {
                continue;
            }
            let example = missing.and_then(|_| reference::example(&key));
            // What is missing of a section is reported key by key.
            if !self.report.has_error(&key) && !matches!(example, Some(Value::Table(_))) {
                self.report.error(&key, explain(&key, message));
            }
            let is_first = tried.insert((key, missing.is_some()));
            match example.filter(|_| is_first) {
                Some(Value::Table(_)) => self.insert(&path, Value::Table(Table::new())),
                Some(example) => self.insert(&path, example),
                None => {
                    let is_there = missing.is_none() && is_first;
                    // What is not found is a name with a dot in it, or everything.
                    if !self.remove(if is_there { &path } else { above(&path) }) {
                        return None;
                    }
                }
            }
        }
    }

    /// Reads the files of secrets, makes paths absolute, and finds texts that are empty.
    fn prepare(&mut self, value: &mut Value, key: &str, empty: &mut Vec<String>) {
        match value {
            Value::Table(table) => {
                self.read_secrets(table, key);
                for (name, value) in table {
                    self.prepare(value, &below(key, name), empty);
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    self.prepare(item, &format!("{key}[{at}]"), empty);
                }
            }
            Value::String(text) if text.is_empty() && name(key) != "equals" => empty.push(key.to_owned()),
            Value::String(text) if is_path(key) => {
                *text = self.directory.join(&*text).to_string_lossy().into_owned();
            }
            _ => {}
        }
    }

    /// Puts the content of `x_file` in the place of `x`, without the newline at its end.
    fn read_secrets(&mut self, table: &mut Table, section: &str) {
        let section_name = without_indices(section);
        for (_, name) in SECRETS.iter().filter(|(section, _)| *section == section_name) {
            let file_name = format!("{name}_file");
            let [key, file_key] = [*name, &file_name].map(|name| below(section, name));
            let Some(Value::String(file)) = table.get(&file_name).cloned() else {
                continue;
            };
            table.remove(&file_name);
            if table.contains_key(*name) {
                let is_variable =
                    |key: &str| matches!(self.report.locations.get(key), Some(Location::Variable(_)));
                let is_file_variable = is_variable(&file_key);
                let text = format!("{name} is given as well\nkeep {name} or {file_name}, not both");
                let is_same = is_variable(&key) == is_file_variable;
                self.report.error_if(is_same, &file_key, text);
                if !is_file_variable {
                    continue;
                }
            }
            let location = self.report.locations.remove(&file_key);
            let location = location.map(|location| (key.clone(), location));
            self.report.locations.extend(location);
            self.report.secret_files.insert(key.clone(), file.clone());
            match secret_in(&self.directory.join(&file)) {
                Ok(secret) => {
                    table.insert((*name).to_owned(), Value::String(secret));
                }
                Err(why) => self.report.error(&key, why),
            }
        }
    }

    /// Takes a variable's text as it is, where it was taken for a number, a boolean, a list or a table, and a text is wanted.
    fn take_as_text(&mut self, path: &str, key: &str) -> bool {
        let (Some(value), Some(text)) = (find(&mut self.root, path), self.texts.get(key)) else {
            return false;
        };
        let is_other = !value.is_str();
        *value = Value::String(text.clone());
        is_other
    }

    fn insert(&mut self, path: &str, value: Value) {
        if let Some(Value::Table(table)) = find(&mut self.root, above(path)) {
            table.insert(name(path), value);
        }
    }

    /// Leaves a value out; `false` if it is not there, or everything.
    fn remove(&mut self, path: &str) -> bool {
        let written = self.as_written(path);
        match find(&mut self.root, above(path)) {
            Some(Value::Table(table)) => table.remove(&name(path)).is_some(),
            Some(Value::Array(items)) => {
                let (Some(at), Some(number)) = (index(path), index(&written)) else {
                    return false;
                };
                items.remove(at);
                self.left_out.insert((above(&written).to_owned(), number))
            }
            _ => false,
        }
    }

    /// The key under which something was written: entries of a list keep their numbers when others are left out.
    fn as_written(&self, path: &str) -> String {
        let mut parts = path.split('[');
        let mut written = parts.next().unwrap_or_default().to_owned();
        for (at, rest) in parts.filter_map(|part| part.split_once(']')) {
            let at = at.parse().unwrap_or(0);
            let is_there = |number: &usize| !self.left_out.contains(&(written.clone(), *number));
            let number = (0..).filter(is_there).nth(at).unwrap_or(at);
            written = format!("{written}[{number}]{rest}");
        }
        written
    }
}

/// Whether the value of a key is the path of a file.
fn is_path(key: &str) -> bool {
    let name = name(key);
    name == "file" || name.ends_with("_file") || name.ends_with("_files") || key == "login.file.path"
}

/// The secret in a file, without a byte order mark and the newline at its end. What an editor or a shell may have added beside
/// them is refused: the other side would have another secret.
fn secret_in(file: &Path) -> Result<String, String> {
    let bytes = read_file(file, 1 << 20)?;
    let text = std::str::from_utf8(&bytes).map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    let line = text.map(|text| text.strip_suffix('\n').unwrap_or(text));
    let line = line.map(|line| line.strip_suffix('\r').unwrap_or(line));
    let wrong = match line {
        Err(_) => "is not a text file",
        Ok("") => "is empty",
        Ok(line) if line.contains(['\n', '\r']) => "has more than one line",
        Ok(line) if line.trim() != line => "has white space around the secret",
        Ok(line) if line.len() > 1 && line.starts_with(['"', '\'']) && line.ends_with(&line[..1]) => {
            "has quotes around the secret"
        }
        Ok(line) => return Ok(line.to_owned()),
    };
    Err(format!(
        "the file {wrong}\nwrite the secret into it, on one line, and nothing else"
    ))
}

/// Says where each key and each entry of a list was written.
fn locate(value: &DeValue<'_>, key: &str, found: &mut impl FnMut(String, usize)) {
    let mut locate_inner = |key: String, at: usize, value: &Spanned<DeValue<'_>>| {
        locate(value.get_ref(), &key, found);
        found(key, at);
    };
    match value {
        DeValue::Table(table) => {
            for (name, value) in table {
                locate_inner(below(key, name.get_ref()), name.span().start, value);
            }
        }
        DeValue::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                locate_inner(format!("{key}[{at}]"), item.span().start, item);
            }
        }
        _ => {}
    }
}

fn location(file: &Path, text: &str, offset: usize) -> Location {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    Location::At(Arc::from(file), line, column)
}

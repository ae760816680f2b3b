//! From the text of a file and the environment to a value: where each key was written, and what does not fit.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use crate::setting::{read_file, unreadable};

use super::key_path::{KeyPath, Step};
use super::problem::{ConfigError, Location, Report};
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
    directory: PathBuf,
    report: Report,
    /// The text of each environment variable, by its key.
    texts: BTreeMap<String, String>,
    /// The entries of lists that were left out, by the key of the list.
    left_out: BTreeMap<String, BTreeSet<usize>>,
}

impl ConfigSource {
    /// Reads a file, and applies environment variables to it. The error is a file that cannot be read, or every place where
    /// it is not TOML.
    pub(super) fn read(
        file: &Path,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut report = Report::new(file);
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| {
            let remedy = "name the file with --config or LINKGATE_CONFIG";
            report.error("", format!("it {}", unreadable(&error)), remedy);
            String::new()
        });
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            let location = location(file, text, at);
            report.locations.insert(String::new(), location);
            let wrong = format!("this is not TOML: {}", error.message().replace('\n', ", "));
            report.error(
                "",
                wrong,
                "a value is text in quotes, a number, true, false, or a list in brackets",
            );
        }
        if !report.is_clean() {
            return Err(report.into_error());
        }
        locate_table(table.get_ref(), &KeyPath::default(), &mut |key, at| {
            let location = location(file, text, at);
            report.locations.insert(key.to_string(), location);
        });
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let mut source = Self {
            root: Value::Table(toml::from_str(text).unwrap_or_default()),
            directory: absolute.parent().unwrap_or(Path::new("/")).to_owned(),
            report,
            texts: BTreeMap::new(),
            left_out: BTreeMap::new(),
        };
        source.texts = variables::apply(&mut source.root, variables, &mut source.report);
        let mut root = std::mem::replace(&mut source.root, Value::Table(Table::new()));
        let mut empty = Vec::new();
        source.prepare(&mut root, &KeyPath::default(), &mut empty);
        source.root = root;
        // The last entry of a list first, so that those before it keep their numbers.
        for key in empty.into_iter().rev() {
            source.report.error(
                &key.to_string(),
                "it is empty",
                "write a text, or leave the key out",
            );
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
            let missing = message
                .strip_prefix("missing field `")
                .and_then(|rest| rest.strip_suffix('`'));
            let path = KeyPath::of(error.path(), missing);
            let key = self.as_written(&path).to_string();
            if message.contains("string") && self.take_as_text(&path, &key) {
                continue;
            }
            let example = missing.and_then(|_| reference::example(&key));
            // What is missing of a section is reported key by key.
            if !self.report.has_error(&key) && !matches!(example, Some(Value::Table(_))) {
                self.report.error_of_serde(&key, message);
            }
            let is_first = tried.insert((key, missing.is_some()));
            match example.filter(|_| is_first) {
                Some(Value::Table(_)) => self.insert(&path, Value::Table(Table::new())),
                Some(example) => self.insert(&path, example),
                None if missing.is_none() && is_first => self.remove(&path),
                None => {
                    let above = path.parent().filter(|above| !above.0.is_empty())?;
                    self.remove(&above);
                }
            }
        }
    }

    /// The directory of the file, and what was found out about it.
    pub(super) fn into_parts(self) -> (PathBuf, Report) {
        (self.directory, self.report)
    }

    /// Reads the files of secrets, makes paths absolute, and finds texts that are empty.
    fn prepare(&mut self, value: &mut Value, key: &KeyPath, empty: &mut Vec<KeyPath>) {
        match value {
            Value::Table(table) => {
                self.read_secrets(table, key);
                for (name, value) in table {
                    self.prepare(value, &key.with(Step::Name(name.clone())), empty);
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    self.prepare(item, &key.with(Step::Index(at)), empty);
                }
            }
            Value::String(text) if text.is_empty() && key.name() != "equals" => empty.push(key.clone()),
            Value::String(text) if key.is_path() => {
                *text = self.directory.join(&*text).to_string_lossy().into_owned();
            }
            _ => {}
        }
    }

    /// Puts the content of `x_file` in the place of `x`, without the newline at its end.
    fn read_secrets(&mut self, table: &mut Table, section: &KeyPath) {
        let section_name = section.without_indices();
        for (_, name) in SECRETS
            .iter()
            .filter(|(secrets_of, _)| *secrets_of == section_name)
        {
            let file_name = format!("{name}_file");
            let [key, file_key] =
                [*name, &file_name].map(|name| section.with(Step::Name(name.to_owned())).to_string());
            let Some(Value::String(file)) = table.get(&file_name).cloned() else {
                continue;
            };
            if table.contains_key(*name) {
                let is_variable =
                    |key: &str| matches!(self.report.locations.get(key), Some(Location::Variable(_)));
                let is_file_variable = is_variable(&file_key);
                if is_variable(&key) == is_file_variable {
                    let wrong = format!("{name} is given as well");
                    let remedy = format!("keep {name} or {file_name}, not both");
                    self.report.error(&file_key, wrong, &remedy);
                }
                if !is_file_variable {
                    table.remove(&file_name);
                    continue;
                }
            }
            table.remove(&file_name);
            let location = self.report.locations.remove(&file_key);
            self.report
                .locations
                .extend(location.map(|location| (key.clone(), location)));
            self.report.secret_files.insert(key.clone(), file.clone());
            match secret_in(&self.directory.join(&file)) {
                Ok(secret) => {
                    table.insert((*name).to_owned(), Value::String(secret));
                }
                Err(why) => self.report.error_in_two_lines(&key, &why),
            }
        }
    }

    /// Takes a variable's text as it is, where it was taken for a number, a boolean, a list or a table, and a text is wanted.
    fn take_as_text(&mut self, path: &KeyPath, key: &str) -> bool {
        let (Some(value), Some(text)) = (path.find(&mut self.root), self.texts.get(key)) else {
            return false;
        };
        let is_other = !value.is_str();
        *value = Value::String(text.clone());
        is_other
    }

    fn insert(&mut self, path: &KeyPath, value: Value) {
        let above = path.parent().unwrap_or_default();
        if let Some(Value::Table(table)) = above.find(&mut self.root) {
            table.insert(path.name().to_owned(), value);
        }
    }

    fn remove(&mut self, path: &KeyPath) {
        let above = path.parent().unwrap_or_default();
        let list = self.as_written(&above).to_string();
        let written = self.as_written(path);
        match (above.find(&mut self.root), path.0.last(), written.0.last()) {
            (Some(Value::Table(table)), Some(Step::Name(name)), _) => {
                table.remove(name);
            }
            (Some(Value::Array(items)), Some(Step::Index(at)), Some(Step::Index(number))) => {
                items.remove(*at);
                self.left_out.entry(list).or_default().insert(*number);
            }
            _ => {}
        }
    }

    /// The key under which something was written: entries of a list keep their numbers when others are left out.
    fn as_written(&self, path: &KeyPath) -> KeyPath {
        let mut written = KeyPath::default();
        for step in &path.0 {
            let step = match (step, self.left_out.get(&written.to_string())) {
                (Step::Index(at), Some(gone)) => {
                    let number = (0..).filter(|number| !gone.contains(number)).nth(*at);
                    Step::Index(number.unwrap_or(*at))
                }
                _ => step.clone(),
            };
            written = written.with(step);
        }
        written
    }
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
fn locate_table(table: &DeTable<'_>, above: &KeyPath, found: &mut impl FnMut(&KeyPath, usize)) {
    for (name, value) in table {
        let key = above.with(Step::Name(name.get_ref().to_string()));
        found(&key, name.span().start);
        locate_value(value, &key, found);
    }
}

fn locate_value(value: &Spanned<DeValue<'_>>, key: &KeyPath, found: &mut impl FnMut(&KeyPath, usize)) {
    match value.get_ref() {
        DeValue::Table(table) => locate_table(table, key, found),
        DeValue::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let key = key.with(Step::Index(at));
                found(&key, item.span().start);
                locate_value(item, &key, found);
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

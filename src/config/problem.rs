//! What is wrong with a configuration: where, what, and what to write instead.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::key::above;
use super::reference;

/// Why a configuration cannot be used: everything that is wrong with it, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file that was read.
    pub file: PathBuf,
    /// Everything that is wrong, in the order of the file; environment variables come last.
    pub problems: Vec<ConfigProblem>,
}

/// One thing to change, or, as a warning, to think about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where it was written.
    pub location: Location,
    /// The key, as in `consumers[1].public_key`. Empty if it is about the whole file.
    pub key: String,
    /// What is wrong, and on a second line what to write instead; never the value of a secret.
    pub text: String,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// In the file, or missing in it.
    File(Arc<Path>),
    /// At a line and a column of the file, both counted from 1, columns in characters.
    At(Arc<Path>, usize, usize),
    /// In an environment variable.
    Variable(String),
}

/// The problems and the warnings of one configuration, and where its keys were written.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) file: Arc<Path>,
    pub(super) locations: BTreeMap<String, Location>,
    /// The names of files, as they were written, by the key of the secret that was read from each.
    pub(super) secret_files: BTreeMap<String, String>,
    pub(super) problems: Vec<ConfigProblem>,
    pub(super) warnings: Vec<ConfigProblem>,
}

impl Report {
    /// Whether a key is in the file or in the environment.
    pub(super) fn is_written(&self, key: &str) -> bool {
        self.locations.contains_key(key)
    }

    /// Whether a key, or an entry of its list, has been reported.
    pub(super) fn has_error(&self, key: &str) -> bool {
        let mut rests = self
            .problems
            .iter()
            .filter_map(|problem| problem.key.strip_prefix(key));
        rests.any(|rest| rest.is_empty() || rest.starts_with('['))
    }

    /// Reports that a value cannot be used. The second line of the text is what to write instead.
    pub(super) fn error(&mut self, key: &str, text: impl Into<String>) {
        self.problems.push(self.problem(key, text.into()));
    }

    /// Reports that a value cannot be used, under a condition.
    pub(super) fn error_if(&mut self, is_wrong: bool, key: &str, text: impl Into<String>) {
        if is_wrong {
            self.error(key, text);
        }
    }

    /// Reports that a value works and may yet be a mistake, under a condition. The second line is what to write instead.
    pub(super) fn warn_if(&mut self, is_doubtful: bool, key: &str, text: impl Into<String>) {
        if is_doubtful {
            self.warnings.push(self.problem(key, text.into()));
        }
    }

    fn problem(&self, key: &str, text: String) -> ConfigProblem {
        let is_file = self.secret_files.contains_key(key);
        ConfigProblem {
            location: self.location(key),
            key: format!("{key}{}", if is_file { "_file" } else { "" }),
            text,
        }
    }

    /// Where a key was written; if it was not, its section, or else the file.
    fn location(&self, key: &str) -> Location {
        match self.locations.get(key) {
            Some(location) => location.clone(),
            None if key.is_empty() => Location::File(Arc::clone(&self.file)),
            None => self.location(above(key)),
        }
    }

    pub(super) fn into_error(self) -> ConfigError {
        let mut problems = self.problems;
        problems.sort_by(|a, b| a.location.cmp(&b.location));
        let file = self.file.to_path_buf();
        ConfigError { file, problems }
    }
}

/// Explains serde's message about a key in plain words, with the line of the reference if it does not say what to write.
pub(super) fn explain(key: &str, message: &str) -> String {
    if message.contains('\n') {
        return message.to_owned();
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let given = quoted.next().unwrap_or_default();
    let (wrong, remedy) = match message.split_once(": ") {
        Some(("invalid type" | "invalid value", what)) => {
            let (what, expected) = what.rsplit_once(", expected ").unwrap_or((what, ""));
            // The value is not repeated: it may be a secret.
            let found = what.split(['`', '"']).next().unwrap_or_default().trim();
            let wrong = format!("expected {}, found {}", plain(expected), plain(found));
            (wrong, reference::line(key))
        }
        _ if message.starts_with("missing field") => ("it is missing".to_owned(), reference::line(key)),
        _ if message.starts_with("unknown field") => {
            let known: Vec<_> = quoted.flat_map(spellings).collect();
            let remedy = suggestion(given, &known, "known here: ");
            ("there is no such key".to_owned(), remedy)
        }
        _ if message.starts_with("unknown variant") => {
            let given = format!("{given:?}");
            let known: Vec<_> = quoted.map(|word| format!("{word:?}")).collect();
            let remedy = suggestion(&given, &known, "write one of ");
            (format!("{given} is not known here"), remedy)
        }
        _ => (message.to_owned(), reference::line(key)),
    };
    format!("{wrong}\n{remedy}")
}

/// A key, and the key of a file in its place.
fn spellings(key: &str) -> Vec<String> {
    let is_secret = super::source::SECRETS.iter().any(|(_, secret)| *secret == key);
    let in_file = is_secret.then(|| format!("{key}_file"));
    std::iter::once(key.to_owned()).chain(in_file).collect()
}

/// The known word that was probably meant, or all of them.
fn suggestion(word: &str, known: &[String], before_all: &str) -> String {
    let distance = |other: &String| strsim::damerau_levenshtein(&word.to_lowercase(), &other.to_lowercase());
    let tolerated = (word.chars().count() / 3).max(1);
    match known.iter().min_by_key(|other| distance(other)) {
        Some(nearest) if distance(nearest) <= tolerated => format!("did you mean {nearest}?"),
        _ => format!("{before_all}{}", known.join(", ")),
    }
}

/// What serde calls a type, in the words of TOML.
fn plain(kind: &str) -> &str {
    match kind {
        _ if kind.starts_with("struct ") => "a table",
        "a map" | "map" => "a table",
        "a sequence" | "sequence" => "a list",
        "a boolean" | "boolean" => "true or false",
        "integer" => "a number",
        "floating point" => "a fraction",
        "a nonzero u32" | "a nonzero usize" | "u32" => "a whole number from 1 on",
        "a string" | "string only" | "path string" | "string" => "a text",
        "unit variant" => "another type",
        other => other,
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.problems.len() {
            1 => write!(f, "{file} cannot be used")?,
            many => write!(f, "{file} cannot be used: {many} problems")?,
        }
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.location)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text.trim_end().replace('\n', "\n    "))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::At(file, line, column) => write!(f, "{}:{line}:{column}", file.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

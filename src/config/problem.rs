//! What is wrong with a configuration: where, what, and what to write instead.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reference;

/// Why a configuration cannot be used: everything that is wrong with it, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    file: PathBuf,
    problems: Vec<ConfigProblem>,
}

/// One thing to change, or, as a warning, to think about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where it was written.
    pub location: Location,
    /// The key, as in `consumers[1].public_key`. Empty if it is about the whole file.
    pub key: String,
    /// What is wrong; never the value of a secret.
    pub wrong: String,
    /// What to write instead.
    pub remedy: String,
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
    problems: Vec<ConfigProblem>,
    warnings: Vec<ConfigProblem>,
}

impl ConfigError {
    /// The file that was read.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Everything that is wrong, in the order of the file; environment variables come last.
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }
}

impl Report {
    pub(super) fn new(file: &Path) -> Self {
        Self {
            file: file.into(),
            locations: BTreeMap::new(),
            secret_files: BTreeMap::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether a key is in the file or in the environment.
    pub(super) fn is_written(&self, key: &str) -> bool {
        self.locations.contains_key(key)
    }

    /// Whether a key, or an entry of its list, has been reported.
    pub(super) fn has_error(&self, key: &str) -> bool {
        let is_it = |problem: &ConfigProblem| {
            problem
                .key
                .strip_prefix(key)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        };
        self.problems.iter().any(is_it)
    }

    /// Reports that a value cannot be used.
    pub(super) fn error(&mut self, key: &str, wrong: impl Into<String>, remedy: &str) {
        self.problems.push(self.problem(key, wrong.into(), remedy));
    }

    /// Reports a sentence on two lines: what is wrong, and what to write instead.
    pub(super) fn error_in_two_lines(&mut self, key: &str, text: &str) {
        let (wrong, remedy) = text.split_once('\n').unwrap_or((text, ""));
        self.error(key, wrong, remedy);
    }

    /// Reports that a value works and may yet be a mistake.
    pub(super) fn warn(&mut self, key: &str, wrong: impl Into<String>, remedy: &str) {
        self.warnings.push(self.problem(key, wrong.into(), remedy));
    }

    /// Reports a variable that is no key.
    pub(super) fn warn_of_variable(&mut self, name: String, wrong: &str, remedy: &str) {
        self.warnings.push(ConfigProblem {
            location: Location::Variable(name),
            key: String::new(),
            wrong: wrong.to_owned(),
            remedy: remedy.to_owned(),
        });
    }

    /// Reports serde's error about a key.
    pub(super) fn error_of_serde(&mut self, key: &str, message: &str) {
        let (wrong, remedy) = explain(message);
        let remedy = remedy.unwrap_or_else(|| reference::line(key));
        self.error(key, wrong, &remedy);
    }

    fn problem(&self, key: &str, wrong: String, remedy: &str) -> ConfigProblem {
        let written = if self.secret_files.contains_key(key) {
            format!("{key}_file")
        } else {
            key.to_owned()
        };
        ConfigProblem {
            location: self.location(key),
            key: written,
            wrong,
            remedy: remedy.to_owned(),
        }
    }

    /// Where a key was written; if it was not, its section, or else the file.
    fn location(&self, key: &str) -> Location {
        match (self.locations.get(key), key.rfind(['.', '['])) {
            (Some(location), _) => location.clone(),
            (None, Some(end)) => self.location(&key[..end]),
            (None, None) => Location::File(Arc::clone(&self.file)),
        }
    }

    pub(super) fn into_error(self) -> ConfigError {
        let mut problems = self.problems;
        problems.sort_by(|a, b| a.location.cmp(&b.location));
        ConfigError {
            file: self.file.to_path_buf(),
            problems,
        }
    }

    pub(super) fn into_warnings(self) -> Vec<ConfigProblem> {
        self.warnings
    }
}

/// What is wrong, in plain words, and what to write instead if the message has it.
fn explain(message: &str) -> (String, Option<String>) {
    if let Some((wrong, remedy)) = message.split_once('\n') {
        return (wrong.to_owned(), Some(remedy.to_owned()));
    }
    let quoted: Vec<_> = message.split('`').skip(1).step_by(2).collect();
    let known = quoted.get(1..).unwrap_or_default();
    match message.split_once(": ") {
        Some(("invalid type" | "invalid value", what)) => {
            let (what, expected) = what.rsplit_once(", expected ").unwrap_or((what, ""));
            // The value is not repeated: it may be a secret.
            let found = what.split(['`', '"']).next().unwrap_or_default().trim();
            (
                format!("expected {}, found {}", plain(expected), plain(found)),
                None,
            )
        }
        _ if message.starts_with("missing field") => ("it is missing".to_owned(), None),
        _ if message.starts_with("unknown field") => {
            let known: Vec<_> = known.iter().flat_map(|key| spellings(key)).collect();
            let all = format!("known here: {}", known.join(", "));
            (
                "there is no such key".to_owned(),
                Some(suggestion(quoted[0], &known).unwrap_or(all)),
            )
        }
        _ if message.starts_with("unknown variant") => {
            let known: Vec<_> = known.iter().map(|word| format!("{word:?}")).collect();
            let all = format!("write one of {}", known.join(", "));
            let wrong = format!("{:?} is not known here", quoted[0]);
            let near = suggestion(&format!("{:?}", quoted[0]), &known);
            (wrong, Some(near.unwrap_or(all)))
        }
        _ => (message.to_owned(), None),
    }
}

/// A key, and the key of a file in its place.
fn spellings(key: &str) -> Vec<String> {
    let is_secret = super::source::SECRETS.iter().any(|(_, secret)| *secret == key);
    let in_file = is_secret.then(|| format!("{key}_file"));
    std::iter::once(key.to_owned()).chain(in_file).collect()
}

/// The known word that was probably meant.
fn suggestion(word: &str, known: &[String]) -> Option<String> {
    let distance = |other: &String| strsim::damerau_levenshtein(&word.to_lowercase(), &other.to_lowercase());
    let nearest = known.iter().min_by_key(|other| distance(other))?;
    let tolerated = (word.chars().count() / 3).max(1);
    (distance(nearest) <= tolerated).then(|| format!("did you mean {nearest}?"))
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
        "a nonzero u32" | "u32" => "a whole number from 1 on",
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
        f.write_str(&self.wrong)?;
        if !self.remedy.is_empty() {
            write!(f, "\n    {}", self.remedy)?;
        }
        Ok(())
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

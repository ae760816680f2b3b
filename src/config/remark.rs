//! What there is to say about a configuration: where it stands, what is wrong, what to write instead.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a configuration cannot be used: everything that is wrong with it, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    file: PathBuf,
    mistakes: Vec<Remark>,
}

/// One thing to change, or, as a warning, to think about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where it was written.
    pub place: Place,
    /// The key, as in `consumers[1].public_key`. Empty when it is about the whole file.
    pub key: String,
    /// What is wrong, and never the value of a secret.
    pub wrong: String,
    /// What to write instead.
    pub remedy: String,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the file, or missing in it.
    File(Arc<Path>),
    /// At a line and a column of the file, both counted from 1, columns in characters.
    At {
        /// The file.
        file: Arc<Path>,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// In an environment variable.
    Variable(Arc<str>),
}

/// A remark that does not know yet which key it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) wrong: String,
    pub(super) remedy: String,
}

impl ConfigError {
    /// Collects what is wrong with a file.
    pub(super) fn new(file: &Path, mut mistakes: Vec<Remark>) -> Self {
        mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        Self {
            file: file.into(),
            mistakes,
        }
    }

    /// The file that was read.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Everything that is wrong, in the order of the file; environment variables come last.
    pub fn mistakes(&self) -> &[Remark] {
        &self.mistakes
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.mistakes.len() {
            1 => write!(f, "{file} cannot be used")?,
            many => write!(f, "{file} cannot be used: {many} things are wrong")?,
        }
        self.mistakes
            .iter()
            .try_for_each(|mistake| write!(f, "\n{mistake}"))
    }
}

impl Remark {
    pub(super) fn new(place: &Place, key: impl Into<String>, wrong: impl Into<String>, remedy: &str) -> Self {
        Self {
            place: place.clone(),
            key: key.into(),
            wrong: wrong.into(),
            remedy: remedy.to_owned(),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
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

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::At { file, line, column } => write!(f, "{}:{line}:{column}", file.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl Wrong {
    /// Says what is wrong, and what to write instead.
    pub(super) fn new(wrong: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            wrong: wrong.into(),
            remedy: remedy.into(),
        }
    }

    /// Says that a value cannot be used. The sentence of whoever refused it says what to write instead.
    pub(super) fn unusable(value: &str, sentence: &str) -> Self {
        Self::new(format!("{value:?} cannot be used"), clause(sentence))
    }

    /// Takes a sentence that says what is wrong and, after a colon, what to write instead.
    pub(super) fn from_sentence(sentence: &str, remedy: &str) -> Self {
        let sentence = clause(sentence);
        match sentence.split_once(": ") {
            Some((wrong, remedy)) => Self::new(wrong, remedy),
            None => Self::new(sentence, remedy),
        }
    }
}

/// A sentence without its capital and its full stop, to stand after a colon.
fn clause(sentence: &str) -> String {
    let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

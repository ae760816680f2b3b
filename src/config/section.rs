//! Reads the keys of one section, and remembers which were asked for: whatever else stands there is a mistake.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::oauth::Timestamp;

use super::file::{Kind, Table, Value};
use super::nearest::nearest;
use super::remark::{Place, Remark, Wrong};
use super::value::{FromValue, unexpected};

/// What is shared by all sections of a file: where it is, and what there is to say about it.
#[derive(Debug)]
pub(super) struct Reading {
    directory: PathBuf,
    now: Timestamp,
    pub(super) mistakes: RefCell<Vec<Remark>>,
    pub(super) warnings: RefCell<Vec<Remark>>,
}

/// One section, possibly absent.
#[derive(Debug)]
pub(super) struct Section<'a> {
    name: String,
    table: Option<&'a Table>,
    place: Place,
    reading: &'a Reading,
    asked: RefCell<Vec<String>>,
}

impl Reading {
    /// Begins to read a file.
    pub(super) fn new(file: &Path, now: Timestamp, mistakes: Vec<Remark>) -> Self {
        let directory = file.parent().unwrap_or(Path::new(""));
        Self {
            directory: std::path::absolute(directory).unwrap_or_else(|_| directory.into()),
            now,
            mistakes: RefCell::new(mistakes),
            warnings: RefCell::default(),
        }
    }

    /// Reads the whole file.
    pub(super) fn root<T>(&self, file: &Path, table: &Table, read: impl FnOnce(&Section<'_>) -> T) -> T {
        self.read(String::new(), Some(table), Place::File(file.into()), read)
    }

    fn read<T>(
        &self,
        name: String,
        table: Option<&Table>,
        place: Place,
        read: impl FnOnce(&Section<'_>) -> T,
    ) -> T {
        let section = Section {
            name,
            table,
            place,
            reading: self,
            asked: RefCell::default(),
        };
        let result = read(&section);
        section.refuse_unknown_keys();
        result
    }
}

impl<'a> Section<'a> {
    /// Whether the section stands in the file at all.
    pub(super) fn is_written(&self) -> bool {
        self.table.is_some()
    }

    /// Whether a key is given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// A value that may be absent. A wrong one counts as absent, after the remark.
    pub(super) fn get<T: FromValue>(&self, key: &str) -> Option<T> {
        let (_, value) = self.entry(key)?;
        self.accept(value, &self.key(key), T::from_value(value))
    }

    /// A value with a default.
    pub(super) fn or<T: FromValue>(&self, key: &str, default: T) -> T {
        self.get(key).unwrap_or(default)
    }

    /// A value that has no default.
    pub(super) fn required<T: FromValue>(&self, key: &str, remedy: &str) -> Option<T> {
        if !self.has(key) {
            self.missing(key, remedy);
        }
        self.get(key)
    }

    /// A text that a type of ours reads. The error says what to write instead.
    pub(super) fn parsed<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let (_, value) = self.entry(key)?;
        let text = self.accept(value, &self.key(key), String::from_value(value))?;
        self.accept(value, &self.key(key), parse(&text))
    }

    /// A list, empty by default.
    pub(super) fn list<T: FromValue>(&self, key: &str) -> Vec<T> {
        self.items(key, |value, name| self.accept(value, name, T::from_value(value)))
    }

    /// A list of texts that a type of ours reads, empty by default.
    pub(super) fn parsed_list<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Vec<T> {
        self.items(key, |value, name| {
            let text = self.accept(value, name, String::from_value(value))?;
            self.accept(value, name, parse(&text))
        })
    }

    /// A path, relative to the file.
    pub(super) fn path(&self, key: &str) -> Option<PathBuf> {
        self.get::<String>(key)
            .map(|text| self.reading.directory.join(text))
    }

    /// The directory that relative paths start from.
    pub(super) fn directory(&self) -> &Path {
        &self.reading.directory
    }

    /// The time of reading, for what expires.
    pub(super) fn now(&self) -> Timestamp {
        self.reading.now
    }

    /// The text of a file whose path is given.
    pub(super) fn file(&self, key: &str) -> Option<String> {
        let path = self.path(key)?;
        std::fs::read_to_string(&path)
            .map_err(|error| {
                self.wrong(
                    key,
                    format!("{} {}", path.display(), unreadable(&error)),
                    FILE_REMEDY,
                )
            })
            .ok()
    }

    /// A section within this one.
    pub(super) fn section<T>(&self, key: &str, read: impl FnOnce(&Section<'_>) -> T) -> T {
        let absent = |read| self.reading.read(self.key(key), None, self.place.clone(), read);
        let Some((place, value)) = self.entry(key) else {
            return absent(read);
        };
        let value = value.structured();
        let Kind::Table(table) = &value.kind else {
            let name = self.key(key);
            self.wrong(
                key,
                unexpected("a section", &value),
                &format!("write [{name}] above its keys"),
            );
            return absent(read);
        };
        self.reading.read(self.key(key), Some(table), place.clone(), read)
    }

    /// Every section of a list, `[[consumers]]`.
    pub(super) fn sections<T>(&self, key: &str, mut read: impl FnMut(&Section<'_>) -> Option<T>) -> Vec<T> {
        let header = self.key(key);
        self.items(key, |value, name| {
            let Kind::Table(table) = &value.kind else {
                let wrong = Wrong::new(
                    unexpected("a section", value),
                    format!("write [[{header}]] above the keys of each"),
                );
                return self.accept(value, name, Err(wrong));
            };
            self.reading
                .read(name.to_owned(), Some(table), value.place.clone(), &mut read)
        })
    }

    /// Remarks that a key is absent.
    pub(super) fn missing(&self, key: &str, remedy: &str) {
        self.remark(
            &self.reading.mistakes,
            &self.place,
            self.key(key),
            "it is missing",
            remedy,
        );
    }

    /// Remarks that the value of a key is wrong.
    pub(super) fn wrong(&self, key: &str, wrong: impl Into<String>, remedy: &str) {
        self.remark(
            &self.reading.mistakes,
            &self.place_of(key),
            self.key(key),
            wrong,
            remedy,
        );
    }

    /// Remarks that a key is given for which nothing is built yet.
    pub(super) fn not_yet(&self, key: &str, remedy: &str) {
        if self.has(key) {
            self.wrong(key, "this version of linkgate does not have it yet", remedy);
        }
    }

    /// Remarks that the value of a key works and may yet be unwise.
    pub(super) fn warn(&self, key: &str, wrong: impl Into<String>, remedy: &str) {
        self.remark(
            &self.reading.warnings,
            &self.place_of(key),
            self.key(key),
            wrong,
            remedy,
        );
    }

    /// Where a key's value stands; the section when the key is absent.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.entry(key)
            .map_or(&self.place, |(_, value)| &value.place)
            .clone()
    }

    /// A key's whole name: `consumers[1].public_key`.
    pub(super) fn key(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    fn items<T>(&self, key: &str, mut read: impl FnMut(&Value, &str) -> Option<T>) -> Vec<T> {
        let Some((_, value)) = self.entry(key) else {
            return Vec::new();
        };
        let value = value.structured();
        let Kind::Array(items) = &value.kind else {
            let remedy = match value.kind {
                Kind::Table(_) => format!("write [[{}]], with two brackets", self.key(key)),
                Kind::Variable(_) => "write it as in the file: [\"first\", \"second\"]".to_owned(),
                _ => "write it in brackets: [\"first\", \"second\"]".to_owned(),
            };
            self.wrong(key, unexpected("a list", &value), &remedy);
            return Vec::new();
        };
        let name = |at| format!("{}[{at}]", self.key(key));
        items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| read(item, &name(at)))
            .collect()
    }

    fn accept<T>(&self, value: &Value, key: &str, outcome: Result<T, Wrong>) -> Option<T> {
        let remark = |Wrong { wrong, remedy }| {
            self.remark(
                &self.reading.mistakes,
                &value.place,
                key.to_owned(),
                wrong,
                &remedy,
            );
        };
        outcome.map_err(remark).ok()
    }

    fn entry(&self, key: &str) -> Option<&'a (Place, Value)> {
        let mut asked = self.asked.borrow_mut();
        if !asked.iter().any(|known| known == key) {
            asked.push(key.to_owned());
        }
        let underscored = || key.replace('-', "_");
        let entries = &self.table?.0;
        entries.get(key).or_else(|| entries.get(&underscored()))
    }

    fn refuse_unknown_keys(&self) {
        let asked = self.asked.borrow();
        let is_known = |key: &str| {
            asked
                .iter()
                .any(|known| known == key || known.replace('-', "_") == key)
        };
        let entries = self.table.iter().flat_map(|table| &table.0);
        for (key, (place, value)) in entries.filter(|(key, _)| !is_known(key)) {
            let noun = match value.kind {
                Kind::Table(_) => "section",
                _ => "key",
            };
            let known = asked.iter().map(String::as_str);
            let remedy = match nearest(key, known.clone()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
            };
            let wrong = format!("there is no such {noun}");
            self.remark(&self.reading.mistakes, place, self.key(key), wrong, &remedy);
        }
    }

    #[expect(clippy::unused_self, reason = "reads as what it does: the section remarks")]
    fn remark(
        &self,
        to: &RefCell<Vec<Remark>>,
        place: &Place,
        key: String,
        wrong: impl Into<String>,
        remedy: &str,
    ) {
        to.borrow_mut().push(Remark {
            place: place.clone(),
            key,
            wrong: wrong.into(),
            remedy: remedy.to_owned(),
        });
    }
}

/// Says why a file cannot be read, without the error number.
pub(super) fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        std::io::ErrorKind::InvalidData => "is not a text file".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

const FILE_REMEDY: &str =
    "create it, or write another path; a relative one starts at the directory of this file";

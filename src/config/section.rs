//! Reads the keys of one section, and remembers which were asked for: whatever else stands there is a mistake.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::oauth::Timestamp;

use super::file::{Kind, Table, Value};
use super::nearest::nearest;
use super::reading::{Reading, unreadable};
use super::remark::{Place, Remark, Wrong};
use super::value::{FromValue, unexpected};

/// One section, possibly absent.
#[derive(Debug)]
pub(super) struct Section<'a> {
    name: String,
    table: Option<&'a Table>,
    place: Place,
    reading: &'a Reading,
    asked: RefCell<Vec<String>>,
}

impl<'a> Section<'a> {
    /// Reads the whole file.
    pub(super) fn read_root<T>(
        file: &Path,
        table: &'a Table,
        reading: &'a Reading,
        read: impl FnOnce(&Section<'_>) -> T,
    ) -> T {
        Self::new(String::new(), Some(table), Place::File(file.into()), reading).read(read)
    }

    fn new(name: String, table: Option<&'a Table>, place: Place, reading: &'a Reading) -> Self {
        Self {
            name,
            table,
            place,
            reading,
            asked: RefCell::default(),
        }
    }

    fn read<T>(self, read: impl FnOnce(&Section<'_>) -> T) -> T {
        let result = read(&self);
        self.refuse_unknown_keys();
        result
    }

    /// Whether the section stands in the file at all.
    pub(super) fn is_written(&self) -> bool {
        self.table.is_some()
    }

    /// Whether a key is given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Remarks that a key is absent, when it is.
    pub(super) fn needs(&self, key: &str, remedy: &str) {
        if !self.has(key) {
            self.reading
                .mistake(Remark::new(&self.place, self.key(key), "it is missing", remedy));
        }
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

    /// A text that a type of ours reads.
    pub(super) fn parsed<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let (_, value) = self.entry(key)?;
        let outcome = String::from_value(value).and_then(|text| parse(&text));
        self.accept(value, &self.key(key), outcome)
    }

    /// A list, empty by default.
    pub(super) fn list<T: FromValue>(&self, key: &str) -> Vec<T> {
        self.items(key, |value, name| self.accept(value, name, T::from_value(value)))
    }

    /// A list of texts that a type of ours reads, empty by default.
    pub(super) fn parsed_list<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Vec<T> {
        self.items(key, |value, name| {
            let outcome = String::from_value(value).and_then(|text| parse(&text));
            self.accept(value, name, outcome)
        })
    }

    /// Remarks that a list is given and has nothing in it, when that is so.
    pub(super) fn needs_entries(&self, key: &str, remedy: &str) {
        let value = self.entry(key).map(|(_, value)| value.structured());
        if value.is_some_and(|value| matches!(&value.kind, Kind::Array(items) if items.is_empty())) {
            self.wrong(key, "the list is empty", remedy);
        }
    }

    /// A path, relative to the file.
    pub(super) fn path(&self, key: &str) -> Option<PathBuf> {
        self.get::<String>(key)
            .map(|text| self.reading.directory.join(text))
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
                );
            })
            .ok()
    }

    /// The bytes of a file whose path is given, when they are not more than `most`.
    pub(super) fn bytes(&self, key: &str, most: u64) -> Option<Vec<u8>> {
        let path = self.path(key)?;
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
        let (said, remedy) = match read {
            Ok(length) if length as u64 <= most => return Some(bytes),
            Ok(_) => {
                let remedy = format!("at most {} KiB are taken: make it smaller", most / 1024);
                ("is too large".to_owned(), remedy)
            }
            Err(error) => (unreadable(&error), FILE_REMEDY.to_owned()),
        };
        self.wrong(key, format!("{} {said}", path.display()), &remedy);
        None
    }

    /// Where relative paths start.
    pub(super) fn directory(&self) -> &Path {
        &self.reading.directory
    }

    /// The time of reading, for what expires.
    pub(super) fn now(&self) -> Timestamp {
        self.reading.now
    }

    /// A section within this one.
    pub(super) fn section<T>(&self, key: &str, read: impl FnOnce(&Section<'_>) -> T) -> T {
        let name = self.key(key);
        let Some((place, value)) = self.entry(key) else {
            return Section::new(name, None, self.place.clone(), self.reading).read(read);
        };
        let value = value.structured();
        let Kind::Table(table) = &value.kind else {
            self.wrong(
                key,
                unexpected("a section", &value),
                &format!("write [{name}] above its keys"),
            );
            return Section::new(name, None, place.clone(), self.reading).read(read);
        };
        Section::new(name, Some(table), place.clone(), self.reading).read(read)
    }

    /// Every section of a list, `[[consumers]]`.
    pub(super) fn sections<T>(&self, key: &str, mut read: impl FnMut(&Section<'_>) -> Option<T>) -> Vec<T> {
        self.items(key, |value, name| {
            let Kind::Table(table) = &value.kind else {
                let wrong = Wrong::new(
                    unexpected("a table", value),
                    "write its keys in braces: { key = \"value\" }",
                );
                return self.accept(value, name, Err(wrong));
            };
            let name = name.to_owned();
            Section::new(name, Some(table), value.place.clone(), self.reading).read(&mut read)
        })
    }

    /// Remarks that the value of a key is wrong.
    pub(super) fn wrong(&self, key: &str, wrong: impl Into<String>, remedy: &str) {
        self.reading
            .mistake(Remark::new(&self.place_of(key), self.key(key), wrong, remedy));
    }

    /// Remarks that the value of a key is wrong, in a sentence that says, after a colon, what to write instead.
    pub(super) fn wrong_as_said(&self, key: &str, sentence: &str) {
        let Wrong { wrong, remedy } = Wrong::from_sentence(sentence, "");
        self.wrong(key, wrong, &remedy);
    }

    /// Remarks that the value of a key works and may yet be unwise.
    pub(super) fn warn(&self, key: &str, wrong: impl Into<String>, remedy: &str) {
        self.reading
            .warning(Remark::new(&self.place_of(key), self.key(key), wrong, remedy));
    }

    /// Where a key's value stands; the section when the key is absent.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.entry(key)
            .map_or(&self.place, |(_, value)| &value.place)
            .clone()
    }

    fn items<T>(&self, key: &str, mut read: impl FnMut(&Value, &str) -> Option<T>) -> Vec<T> {
        let Some((_, value)) = self.entry(key) else {
            return Vec::new();
        };
        let value = value.structured();
        let Kind::Array(items) = &value.kind else {
            let remedy = match value.kind {
                Kind::Table(_) => format!("write [[{}]], with two brackets", self.key(key)),
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
        let note = |Wrong { wrong, remedy }| {
            self.reading
                .mistake(Remark::new(&value.place, key.to_owned(), wrong, &remedy));
        };
        outcome.map_err(note).ok()
    }

    /// Looks a key up, and notes that it exists. `trusted_header` is `trusted-header`, which is no name of a variable.
    fn entry(&self, key: &str) -> Option<&'a (Place, Value)> {
        let mut asked = self.asked.borrow_mut();
        if !asked.iter().any(|known| known == key) {
            asked.push(key.to_owned());
        }
        let entries = &self.table?.0;
        entries.get(key).or_else(|| entries.get(&key.replace('-', "_")))
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
            self.reading
                .mistake(Remark::new(place, self.key(key), wrong, &remedy));
        }
    }

    /// A key's whole name: `consumers[1].public_key`.
    fn key(&self, key: &str) -> String {
        match self.name.as_str() {
            "" => key.to_owned(),
            name => format!("{name}.{key}"),
        }
    }
}

const FILE_REMEDY: &str =
    "create it, or write another path; a relative one starts at the directory of the configuration";

//! The TOML exactly as written: a tree in which each value remembers where it stands.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::remark::{Place, Remark};

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

/// What was written.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Text(String),
    Integer(i64),
    Boolean(bool),
    /// A float or a date, for which we have no use.
    Other(&'static str),
    Array(Vec<Value>),
    Table(Table),
    /// The text of an environment variable: whoever asks for it decides what it is.
    Variable(String),
}

/// Keys, their places, and their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(pub(super) BTreeMap<String, (Place, Value)>);

/// Reads a TOML text. The error is every place where it is not TOML.
pub(super) fn parse(file: &Path, text: &str) -> Result<Table, Vec<Remark>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source {
        file: file.into(),
        lines: line_starts(text),
        text,
    };
    let (root, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(source.table(root.into_inner()));
    }
    Err(errors.iter().map(|error| source.syntax_error(error)).collect())
}

/// Reads one TOML value that stands in an environment variable.
pub(super) fn parse_value(text: &str, place: &Place) -> Option<Value> {
    let document = format!("value = {text}");
    let root = DeTable::parse(&document).ok()?.into_inner();
    let only = (root.len() == 1).then(|| root.into_iter().next()).flatten()?;
    let source = Source {
        file: Path::new("").into(),
        lines: vec![0],
        text: &document,
    };
    let mut value = source.value(only.1);
    value.move_to(place);
    Some(value)
}

impl Value {
    /// What it is, for people.
    pub(super) fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Text(_) | Kind::Variable(_) => "a text",
            Kind::Integer(_) => "a number",
            Kind::Boolean(_) => "true or false",
            Kind::Other(what) => what,
            Kind::Array(_) => "a list",
            Kind::Table(_) => "a table",
        }
    }

    /// The value with an environment variable's text read as TOML, for whoever wants a list or a table.
    pub(super) fn structured(&self) -> Cow<'_, Self> {
        match &self.kind {
            Kind::Variable(text) => parse_value(text, &self.place).map_or(Cow::Borrowed(self), Cow::Owned),
            _ => Cow::Borrowed(self),
        }
    }

    fn move_to(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.kind {
            Kind::Array(items) => items.iter_mut().for_each(|item| item.move_to(place)),
            Kind::Table(table) => {
                for (key_place, value) in table.0.values_mut() {
                    *key_place = place.clone();
                    value.move_to(place);
                }
            }
            _ => {}
        }
    }
}

/// A text and what is needed to say where in it something stands.
struct Source<'a> {
    file: Arc<Path>,
    text: &'a str,
    lines: Vec<usize>,
}

impl Source<'_> {
    fn table(&self, table: DeTable<'_>) -> Table {
        let entry = |(key, value): (Spanned<Cow<'_, str>>, Spanned<DeValue<'_>>)| {
            let place = self.place(key.span().start);
            (key.into_inner().into_owned(), (place, self.value(value)))
        };
        Table(table.into_iter().map(entry).collect())
    }

    fn value(&self, value: Spanned<DeValue<'_>>) -> Value {
        let place = self.place(value.span().start);
        let kind = match value.into_inner() {
            DeValue::String(text) => Kind::Text(text.into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Kind::Other("a number that is too large"), Kind::Integer),
            DeValue::Float(_) => Kind::Other("a fraction"),
            DeValue::Boolean(flag) => Kind::Boolean(flag),
            DeValue::Datetime(_) => Kind::Other("a date"),
            DeValue::Array(items) => Kind::Array(items.into_iter().map(|item| self.value(item)).collect()),
            DeValue::Table(table) => Kind::Table(self.table(table)),
        };
        Value { kind, place }
    }

    fn syntax_error(&self, error: &toml::de::Error) -> Remark {
        Remark {
            place: self.place(error.span().map_or(0, |span| span.start)),
            key: String::new(),
            wrong: format!("this is not TOML: {}", error.message().replace('\n', ", ")),
            remedy: "a value is text in quotes, a number, true, false, or a list in brackets".into(),
        }
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines[line - 1];
        let column = self
            .text
            .get(start..offset)
            .map_or(1, |before| before.chars().count() + 1);
        let file = self.file.clone();
        Place::At { file, line, column }
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let after_newline = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(after_newline).collect()
}

//! How a setting is written, in the configuration and on the command line: durations, networks, files, and texts that a
//! type parses.
//!
//! The sentences of this crate's parsers name what is wrong and, after a colon, what to write instead. An error of serde is
//! one text: `in_two_lines` puts the remedy on a line of its own, where the configuration looks for it.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Parses a duration: numbers with units, the largest unit first, such as `10m`, `1h30m` or `5y30d`. The error tells what to
/// write instead.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let total = milliseconds(text).filter(|total| *total > 0);
    total.map(Duration::from_millis).ok_or(DURATION_REMEDY)
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut previous = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (name, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let (_, unit) = UNITS.into_iter().find(|(unit, _)| *unit == name)?;
        if unit >= previous {
            return None;
        }
        previous = unit;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = after;
    }
    Some(total)
}

const SECOND: u64 = 1000;
const DAY: u64 = 24 * 60 * 60 * SECOND;

const UNITS: [(&str, u64); 7] = [
    ("y", 365 * DAY),
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", 60 * 60 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1),
];

const DURATION_REMEDY: &str = "write numbers with units, largest first: \"90s\", \"10m\", \"1h30m\", \"5y30d\" (y is 365 days; w, d, h, m, s, ms)";

/// Parses an IP address or a network. The error tells what to write instead.
pub(crate) fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    let single = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse()
        .or_else(|_| single())
        .map_err(|_| "write an address or a network: \"10.1.2.3\" or \"10.0.0.0/8\"")
}

/// Deserializes a text by a parser, whose error tells what to write instead. A text with an `@` is not repeated: the part
/// before it may be a password.
pub(crate) fn text<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(|why| {
        let shown = if text.contains('@') {
            "this text".to_owned()
        } else {
            format!("{text:?}")
        };
        D::Error::custom(format_args!("{shown} cannot be used\n{}", clause(&why)))
    })
}

/// Implements [`Deserialize`] for types that are parsed from a text.
macro_rules! deserialize_text {
    ($($type:ty = $parse:expr;)+) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::setting::text(deserializer, $parse)
            }
        }

        #[cfg(test)]
        crate::setting::text_schema!($type);
    )+};
}
pub(crate) use deserialize_text;

/// The schema of a type that is written as a text.
#[cfg(test)]
macro_rules! text_schema {
    ($type:ty $(, $parameter:ident)?) => {
        impl$(<$parameter>)? schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                "text".into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }
        }
    };
}
#[cfg(test)]
pub(crate) use text_schema;

/// For `#[serde(deserialize_with)]`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    text(deserializer, parse_duration)
}

/// For `#[serde(deserialize_with)]`: `"0s"` is `None`.
pub(crate) fn duration_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    text(deserializer, |text| match text {
        "0s" => Ok(None),
        text => parse_duration(text).map(Some),
    })
}

/// For `#[serde(deserialize_with)]`.
pub(crate) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    struct Network(IpNet);
    deserialize_text! { Network = |text| parse_network(text).map(Self); }
    let networks = Vec::<Network>::deserialize(deserializer)?;
    Ok(networks.into_iter().map(|Network(network)| network).collect())
}

/// For `#[serde(deserialize_with)]`: a duration in seconds, for `i64` or `Option<i64>`.
pub(crate) fn whole_seconds<'de, D: Deserializer<'de>, T: From<i64>>(deserializer: D) -> Result<T, D::Error> {
    match duration(deserializer)?.as_secs() {
        0 => Err(D::Error::custom(
            "it is less than a second\nwrite whole seconds: \"90s\"",
        )),
        seconds => Ok(seconds.cast_signed().into()),
    }
}

/// For `#[serde(default)]`.
pub(crate) const fn yes() -> bool {
    true
}

/// For `#[serde(default)]`.
pub(crate) const fn seconds<const N: u64>() -> Duration {
    Duration::from_secs(N)
}

/// What a file contains that a setting names. It is read and parsed when the setting is deserialized.
#[derive(Clone, Debug)]
pub struct FromFile<T> {
    /// The file.
    pub path: PathBuf,
    /// What it contains.
    pub content: T,
}

#[cfg(test)]
text_schema!(FromFile<T>, T);

/// What a file can contain.
pub trait FileContent: Sized {
    /// How many bytes it can have.
    const MAX_BYTES: u64 = 1 << 20;

    /// Parses the bytes of a file. The error names what is wrong and, after a colon, what to do.
    fn parse(bytes: Vec<u8>) -> Result<Self, String>;
}

impl<'de, T: FileContent> Deserialize<'de> for FromFile<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = PathBuf::deserialize(deserializer)?;
        let bytes = read_file(&path, T::MAX_BYTES).map_err(D::Error::custom)?;
        match T::parse(bytes) {
            Ok(content) => Ok(Self { path, content }),
            Err(why) => {
                let (path, why) = (path.display(), in_two_lines(&why));
                Err(D::Error::custom(format_args!("{path}: {why}")))
            }
        }
    }
}

/// For `#[serde(deserialize_with)]`: the path of a file that can be read; its content is parsed where it is used.
pub(crate) fn existing_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    read_file(&path, 1 << 26).map_err(D::Error::custom)?;
    Ok(path)
}

/// Reads a file that a setting names. The error tells why it cannot be read, and on a second line what to do.
pub(crate) fn read_file(path: &Path, max_bytes: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(max_bytes + 1).read_to_end(&mut bytes));
    let path = path.display();
    match read {
        Ok(length) if length as u64 <= max_bytes => Ok(bytes),
        Ok(_) => Err(format!(
            "{path} is too large\nat most {} KiB are taken: make it smaller",
            max_bytes / 1024
        )),
        Err(error) => Err(format!(
            "{path} {}\ncreate it, or write another path; a relative one starts at the directory of the configuration",
            unreadable(&error)
        )),
    }
}

/// Says why a file cannot be read.
pub(crate) fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "does not exist".to_owned(),
        ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        ErrorKind::InvalidData => "is not a text file".to_owned(),
        ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// Splits a sentence that names what is wrong and, after a colon, what to do.
pub(crate) fn in_two_lines(sentence: &str) -> String {
    clause(&sentence).replacen(": ", "\n", 1)
}

/// A sentence without its capital and its full stop, to stand after a colon.
fn clause(sentence: &impl Display) -> String {
    let sentence = sentence.to_string();
    let mut letters = sentence.strip_suffix('.').unwrap_or(&sentence).chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

//! The documents of Application Links, by which two applications find each other. Documents in, values out; no I/O.
//!
//! 1. [`Manifest`] and [`RemoteManifest`]: an installation and the authentication types that it supports;
//! 2. [`ConsumerInfo`]: the consumer key and the public key of an application.
//!
//! A remote application may be hostile: document types and entities are rejected, and no text that is kept can move the
//! cursor of a terminal.

mod consumer_info;
mod manifest;

use std::fmt::{self, Display};

use quick_xml::de::{Deserializer, EntityResolver};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::BytesText;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::characters::is_invisible;

pub use consumer_info::ConsumerInfo;
pub use manifest::{AuthType, DocumentFormat, Manifest, RemoteManifest};

/// The UUID (RFC 9562) of an installation, which never changes: lower case, in groups of 8, 4, 4, 4 and 12.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ApplicationId(String);

impl ApplicationId {
    /// Parses a UUID of any version. `None` for other notations.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?.to_string();
        id.eq_ignore_ascii_case(text).then_some(Self(id))
    }

    /// Makes a UUID of version 4 from random bytes (RFC 9562, section 5.4).
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
    }

    /// The UUID.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a document of a remote application is rejected: a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DocumentError(String);

impl DocumentError {
    fn new(error: &impl Display) -> Self {
        // The root element is the only enum in these documents.
        let reason = error
            .to_string()
            .replace("unknown variant", "unknown root element");
        let reason = displayable(&reason).map_or_else(String::new, |reason| format!(": {reason}"));
        Self(format!("It is malformed{reason}."))
    }
}

fn from_xml<T: DeserializeOwned>(body: &[u8]) -> Result<T, DocumentError> {
    let text = std::str::from_utf8(body).map_err(|_| DocumentError("It is not UTF-8.".to_owned()))?;
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let mut deserializer = Deserializer::from_str_with_resolver(text, NoDocumentType);
    let document = T::deserialize(&mut deserializer).map_err(|error| DocumentError::new(&error))?;
    if deserializer.is_empty() {
        Ok(document)
    } else {
        Err(DocumentError(
            "It has something after its root element.".to_owned(),
        ))
    }
}

/// Rejects a document type, which could declare entities. Only the five of XML itself are resolved.
struct NoDocumentType;

impl EntityResolver for NoDocumentType {
    type Error = DocumentError;

    fn capture(&mut self, _: BytesText<'_>) -> Result<(), DocumentError> {
        Err(DocumentError(
            "it has a document type, which could declare entities".to_owned(),
        ))
    }

    fn resolve(&self, entity: &str) -> Option<&str> {
        resolve_predefined_entity(entity)
    }
}

fn required<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = displayable(&String::deserialize(deserializer)?);
    text.ok_or_else(|| D::Error::custom("an element is empty, too long or not displayable"))
}

/// Deserializes a text; `None` if it cannot be displayed.
fn optional<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| displayable(&text)))
}

/// Trims a text. `None` if it is empty, longer than 8 KiB, or has invisible characters.
fn displayable(text: &str) -> Option<String> {
    let text = text.trim();
    let is_displayable = (1..=8 * 1024).contains(&text.len()) && !text.contains(is_invisible);
    is_displayable.then(|| text.to_owned())
}

/// The media type of a `Content-Type` value: in lower case, without parameters.
fn media_type(content_type: Option<&str>) -> String {
    let media_type = content_type.unwrap_or_default().split(';').next();
    media_type.unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a media type is XML (RFC 7303, section 4.2).
fn is_xml(media_type: &str) -> bool {
    matches!(media_type, "application/xml" | "text/xml") || media_type.ends_with("+xml")
}

fn to_xml(document: &impl Serialize, root: &str) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let mut serializer =
        quick_xml::se::Serializer::with_root(&mut out, Some(root)).expect("a constant is a name");
    serializer.indent(' ', 2);
    document
        .serialize(serializer)
        .expect("a struct of texts can be written");
    out
}

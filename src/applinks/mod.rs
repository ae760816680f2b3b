//! APPLICATION LINKS AS DOCUMENTS: what peers show each other to be found. Documents in, values out; no I/O.
//!
//! 1. [`peer_id`]: the UUID that names an installation for ever;
//! 2. [`manifest`]: who we are and what we speak, as JSON or XML by what was asked for ([`accept`]); and others';
//! 3. [`consumer_info`]: the consumer key and public key that one registers at the other side; and others';
//! 4. [`xml`]: the reader of what others send, who may be hostile: no document types, no entities.

pub mod accept;
pub mod consumer_info;
pub mod manifest;
pub mod peer_id;
pub mod xml;

pub use accept::Form;
pub use consumer_info::ConsumerInfo;
pub use manifest::{AuthType, Manifest, RemoteManifest};
pub use peer_id::ApplicationId;
pub use xml::Unreadable;

/// The media type of a `Content-Type` value: in lower case, without parameters.
fn media_type(content_type: Option<&str>) -> String {
    let essence = content_type.unwrap_or_default().split(';').next();
    essence.unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a media type is XML (RFC 7303, section 4.2).
fn is_xml(media_type: &str) -> bool {
    matches!(media_type, "application/xml" | "text/xml") || media_type.ends_with("+xml")
}

/// A text of another side as a value of ours: trimmed, not empty, not long, nothing in it that moves a terminal's cursor.
fn value(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (1..=LONGEST).contains(&text.len()) && !text.chars().any(is_treacherous);
    fits.then(|| text.to_owned())
}

/// Control characters, and those that change the direction in which a line is read.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// In bytes. A public key of 8192 bits is a sixth of it.
const LONGEST: usize = 8 * 1024;

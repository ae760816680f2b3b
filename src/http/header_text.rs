//! Names of users as values of header fields, which are ASCII by RFC 9110, section 5.5.

use std::borrow::Cow;

use http::HeaderValue;
use percent_encoding::{percent_decode_str, percent_encode_byte};
use serde::Deserialize;

/// How characters outside ASCII are written. Control characters, spaces at the beginning or the end, and `%` itself are
/// percent-encoded in any case, so that two different texts never have the same value.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum HeaderEncoding {
    /// As percent-encoded UTF-8.
    #[default]
    #[serde(rename = "percent")]
    Percent,
    /// As UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
}

/// Encodes a text.
pub(crate) fn encode(text: &str, encoding: HeaderEncoding) -> HeaderValue {
    HeaderValue::try_from(encode_text(text, encoding)).expect("control characters are encoded")
}

fn encode_text(text: &str, encoding: HeaderEncoding) -> String {
    let is_utf8 = encoding == HeaderEncoding::Utf8;
    let is_space = |c: char| c == ' ' || (is_utf8 && c.is_whitespace());
    let start = text.len() - text.trim_start_matches(is_space).len();
    let inside = start..text.trim_end_matches(is_space).len();
    let mut value = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let is_literal = if is_space(c) {
            inside.contains(&at) && (c == ' ' || !c.is_control())
        } else {
            c != '%' && !c.is_control() && (is_utf8 || c.is_ascii())
        };
        if is_literal {
            value.push(c);
        } else {
            let bytes = text[at..at + c.len_utf8()].bytes();
            value.extend(bytes.map(percent_encode_byte));
        }
    }
    value
}

/// Decodes a text that may be percent-encoded as `encode` does it; a text without `%` is taken as it is.
///
/// `None` for any other `%`: `%61dmin` is not a second spelling of `admin`.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    let canonical = encode_text(&decoded, HeaderEncoding::Percent);
    // Hexadecimal digits have either case (RFC 3986, section 2.1).
    canonical.eq_ignore_ascii_case(text).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_texts_have_different_values_that_are_decoded() {
        for (text, percent, utf8) in [
            ("alice", "alice", "alice"),
            ("Alice Example", "Alice Example", "Alice Example"),
            (" a b ", "%20a b%20", "%20a b%20"),
            ("  ", "%20%20", "%20%20"),
            ("", "", ""),
            ("jörn", "j%C3%B6rn", "jörn"),
            ("j%C3%B6rn", "j%25C3%25B6rn", "j%25C3%25B6rn"),
            ("100%", "100%25", "100%25"),
            (
                "a\r\nRemote-User: b",
                "a%0D%0ARemote-User: b",
                "a%0D%0ARemote-User: b",
            ),
            ("a\tb\0\u{7f}", "a%09b%00%7F", "a%09b%00%7F"),
            (
                "\u{a0}a\u{a0}b\u{85}",
                "%C2%A0a%C2%A0b%C2%85",
                "%C2%A0a\u{a0}b%C2%85",
            ),
        ] {
            assert_eq!(encode_text(text, HeaderEncoding::Percent), percent, "{text:?}");
            assert_eq!(encode_text(text, HeaderEncoding::Utf8), utf8, "{text:?}");
            assert_eq!(encode(text, HeaderEncoding::Utf8).as_bytes(), utf8.as_bytes());
            assert_eq!(decode(percent).as_deref(), Some(text));
        }
    }
}

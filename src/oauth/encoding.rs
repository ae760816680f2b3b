//! Percent-encoding (RFC 5849, section 3.6) and `application/x-www-form-urlencoded` (section 3.4.1.3.1).
//!
//! Encoding has one spelling. Decoding is strict: a `%` without two hexadecimal digits is an error.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};

/// A `%` that is not followed by two hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a percent sign is not followed by two hexadecimal digits")]
pub struct InvalidPercentEncoding;

/// How a text is encoded: the two differ in the meaning of `+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Values of header fields and paths: `+` is itself (RFC 5849, section 3.6).
    Percent,
    /// Queries and form bodies: `+` is a space (RFC 5849, section 3.4.1.3.1).
    Form,
}

/// Encodes every byte but letters, digits, `-`, `.`, `_` and `~`, with upper-case hexadecimal digits.
///
/// ```
/// assert_eq!(linkgate::oauth::encoding::encode("An encoded string!"), "An%20encoded%20string%21");
/// ```
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Appends the encoded form of some bytes.
pub fn push_encoded(out: &mut String, bytes: &[u8]) {
    out.extend(percent_encode(bytes, RESERVED));
}

/// Decodes a text, once. The bytes need not be UTF-8.
///
/// # Errors
///
/// A `%` that is not followed by two hexadecimal digits.
pub fn decode(raw: &[u8], encoding: Encoding) -> Result<Vec<u8>, InvalidPercentEncoding> {
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(InvalidPercentEncoding);
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let (Some(&high), Some(&low)) = (bytes.next(), bytes.next()) else {
                    return Err(InvalidPercentEncoding);
                };
                u8::try_from(digit(high)? << 4 | digit(low)?).map_err(|_| InvalidPercentEncoding)?
            }
            b'+' if encoding == Encoding::Form => b' ',
            other => other,
        });
    }
    Ok(out)
}

/// Decodes a text into UTF-8. `None` if its percent-encoding is invalid, or it is not UTF-8.
pub fn decode_utf8(raw: &[u8], encoding: Encoding) -> Option<String> {
    String::from_utf8(decode(raw, encoding).ok()?).ok()
}

/// Rewrites a text in its canonical encoding, the one that is signed: `%7e` becomes `~`, `/` becomes `%2F`. A text of
/// unreserved characters is its own canonical encoding, and is borrowed.
///
/// # Errors
///
/// A `%` that is not followed by two hexadecimal digits.
pub fn normalize(raw: &[u8], encoding: Encoding) -> Result<Cow<'_, str>, InvalidPercentEncoding> {
    match std::str::from_utf8(raw) {
        Ok(text) if text.bytes().all(is_unreserved) => Ok(Cow::Borrowed(text)),
        _ => Ok(Cow::Owned(
            percent_encode(&decode(raw, encoding)?, RESERVED).to_string(),
        )),
    }
}

/// Whether a character is never encoded (RFC 5849, section 3.6).
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Splits a query or a form body into pairs, not decoded: `a` is `a=`, an empty piece is nothing, `;` is data.
pub fn form_pairs(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pieces = raw.split(|&byte| byte == b'&').filter(|piece| !piece.is_empty());
    pieces.map(|piece| {
        let equals = piece.iter().position(|&byte| byte == b'=');
        equals.map_or((piece, &b""[..]), |at| (&piece[..at], &piece[at + 1..]))
    })
}

/// Writes pairs as a form body, percent-encoded as for a signature: a space is `%20`.
pub fn form_body<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        push_encoded(&mut out, name.as_ref().as_bytes());
        out.push('=');
        push_encoded(&mut out, value.as_ref().as_bytes());
    }
    out
}

/// What is encoded: every byte but the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_has_one_canonical_form() {
        for (raw, form, percent) in [
            (&b"a+b%2B"[..], "a%20b%2B", "a%2Bb%2B"),
            (b"%7euser/%e3[]", "~user%2F%E3%5B%5D", "~user%2F%E3%5B%5D"),
            (b"%ff\xfe", "%FF%FE", "%FF%FE"),
            (b"%2525", "%2525", "%2525"),
        ] {
            assert_eq!(normalize(raw, Encoding::Form).unwrap(), form);
            assert_eq!(normalize(raw, Encoding::Percent).unwrap(), percent);
        }
    }

    #[test]
    fn invalid_percent_encoding_is_rejected() {
        for raw in ["%", "%2", "%zz", "a%", "%%20", "%+1", "%\u{e9}", "% 1"] {
            let raw = raw.as_bytes();
            assert_eq!(normalize(raw, Encoding::Form), Err(InvalidPercentEncoding));
            assert_eq!(decode(raw, Encoding::Percent), Err(InvalidPercentEncoding));
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut encoded = String::new();
            push_encoded(&mut encoded, &bytes);
            prop_assert_eq!(decode(encoded.as_bytes(), Encoding::Form).unwrap(), bytes);
            prop_assert_eq!(normalize(encoded.as_bytes(), Encoding::Form).unwrap(), encoded.as_str());
        }
    }
}

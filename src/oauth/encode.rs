//! Percent-encoding, the one strict way (RFC 5849, section 3.6).

/// A `%` that is not followed by two hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a percent sign is not followed by two hexadecimal digits")]
pub struct BrokenEscape;

/// What a `+` means: the one difference between a header's value and a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plus {
    /// Itself: in header values (RFC 5849, section 3.6).
    Literal,
    /// A space: in queries and form bodies (RFC 5849, section 3.4.1.3.1).
    Space,
}

/// Encodes every byte but letters, digits, `-`, `.`, `_` and `~`, in upper-case hexadecimal.
///
/// ```
/// assert_eq!(linkgate::oauth::encode::encode("An encoded string!"), "An%20encoded%20string%21");
/// ```
pub fn encode(text: &str) -> String {
    let mut out = Vec::with_capacity(room(text.as_bytes()));
    extend_encoded(&mut out, text.as_bytes());
    ascii(out)
}

/// Appends the encoded form of some bytes.
pub fn push_encoded(out: &mut String, bytes: &[u8]) {
    let mut encoded = Vec::with_capacity(room(bytes));
    extend_encoded(&mut encoded, bytes);
    out.push_str(&ascii(encoded));
}

/// The same, to what will be text with [`ascii`].
pub(super) fn extend_encoded(out: &mut Vec<u8>, bytes: &[u8]) {
    let (plain, rest) = bytes.split_at(unreserved(bytes));
    out.extend_from_slice(plain);
    for &byte in rest {
        if is_unreserved(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&escape(byte));
        }
    }
}

/// How many bytes the encoded form of some bytes has at most.
pub(super) fn room(bytes: &[u8]) -> usize {
    let plain = unreserved(bytes);
    plain + 3 * (bytes.len() - plain)
}

/// Appends the one canonical encoding of bytes that a peer encoded in its own way: `%7e` becomes `~`, `/` becomes `%2F`.
///
/// One pass, nothing decoded in between, so that bytes which are not UTF-8 come through unchanged. What is appended is ASCII.
/// After [`BrokenEscape`], `out` holds what stood before it.
pub fn push_recoded(out: &mut Vec<u8>, raw: &[u8], plus: Plus) -> Result<(), BrokenEscape> {
    let mut rest = raw;
    loop {
        let (plain, after) = rest.split_at(unreserved(rest));
        out.extend_from_slice(plain);
        if after.is_empty() {
            return Ok(());
        }
        let (byte, length) = first(after, plus)?;
        if is_unreserved(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&escape(byte));
        }
        rest = &after[length..];
    }
}

/// Decodes the escapes of a text; every other character, `+` among them, stands for itself.
pub fn decode(text: &str) -> Result<Vec<u8>, BrokenEscape> {
    decode_bytes(text.as_bytes(), Plus::Literal)
}

/// Whether some encoded bytes mean a name, without decoding them into a buffer.
pub(super) fn means(raw: &[u8], name: &str, plus: Plus) -> bool {
    let mut rest = raw;
    let mut expected = name.bytes();
    while !rest.is_empty() {
        let Ok((byte, length)) = first(rest, plus) else {
            return false;
        };
        if expected.next() != Some(byte) {
            return false;
        }
        rest = &rest[length..];
    }
    expected.next().is_none()
}

/// How many bytes at the beginning stand for themselves. They are looked at in eights, so that no byte has to be counted.
pub(super) fn unreserved(bytes: &[u8]) -> usize {
    let is_reserved = |&byte: &u8| !is_unreserved(byte);
    let (eights, rest) = bytes.as_chunks::<8>();
    for (before, eight) in eights.iter().enumerate() {
        if let Some(at) = eight.iter().position(is_reserved) {
            return 8 * before + at;
        }
    }
    let at = rest.iter().position(is_reserved);
    bytes.len() - rest.len() + at.unwrap_or(rest.len())
}

/// Whether a byte stands for itself.
pub const fn is_unreserved(byte: u8) -> bool {
    UNRESERVED[byte as usize]
}

pub(super) fn decode_bytes(raw: &[u8], plus: Plus) -> Result<Vec<u8>, BrokenEscape> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        let (plain, after) = rest.split_at(unreserved(rest));
        out.extend_from_slice(plain);
        if after.is_empty() {
            return Ok(out);
        }
        let (byte, length) = first(after, plus)?;
        out.push(byte);
        rest = &after[length..];
    }
}

/// The first decoded byte of a text that is not empty, and how many bytes it takes.
fn first(raw: &[u8], plus: Plus) -> Result<(u8, usize), BrokenEscape> {
    match raw {
        [b'%', high, low, ..] => {
            let (high, low) = (HEX_VALUE[usize::from(*high)], HEX_VALUE[usize::from(*low)]);
            if high | low > 15 {
                return Err(BrokenEscape);
            }
            Ok((high << 4 | low, 3))
        }
        [b'+', ..] if plus == Plus::Space => Ok((b' ', 1)),
        [byte, ..] if *byte != b'%' => Ok((*byte, 1)),
        _ => Err(BrokenEscape),
    }
}

fn escape(byte: u8) -> [u8; 3] {
    [b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]
}

/// What was encoded, as text.
pub(super) fn ascii(encoded: Vec<u8>) -> String {
    String::from_utf8(encoded).expect("what is encoded is ASCII")
}

/// Letters, digits, `-`, `.`, `_` and `~`: one look for each byte of every request.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
};

/// What a hexadecimal digit stands for; more than 15 for every other byte.
const HEX_VALUE: [u8; 256] = {
    let mut table = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        let digit = HEX[value as usize];
        table[digit as usize] = value;
        table[digit.to_ascii_lowercase() as usize] = value;
        value += 1;
    }
    table
};

const HEX: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recoded(raw: &[u8], plus: Plus) -> Result<String, BrokenEscape> {
        let mut out = Vec::new();
        push_recoded(&mut out, raw, plus)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_plus_is_a_space_in_a_form_and_itself_in_a_header() {
        assert_eq!(recoded(b"a+b%2B", Plus::Space).unwrap(), "a%20b%2B");
        assert_eq!(recoded(b"a+b%2B", Plus::Literal).unwrap(), "a%2Bb%2B");
    }

    #[test]
    fn every_spelling_becomes_the_canonical_one() {
        assert_eq!(
            recoded(b"%7euser/%e3[]", Plus::Space).unwrap(),
            "~user%2F%E3%5B%5D"
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_come_through() {
        assert_eq!(recoded(b"%ff\xfe", Plus::Space).unwrap(), "%FF%FE");
    }

    #[test]
    fn nothing_is_decoded_twice() {
        assert_eq!(recoded(b"%2525", Plus::Space).unwrap(), "%2525");
    }

    #[test]
    fn broken_escapes_are_refused() {
        for raw in ["%", "%2", "%zz", "a%", "%%20", "%+1", "%\u{e9}"] {
            assert_eq!(recoded(raw.as_bytes(), Plus::Space), Err(BrokenEscape), "{raw}");
            assert_eq!(decode(raw), Err(BrokenEscape), "{raw}");
        }
    }

    #[test]
    fn a_name_is_recognised_in_every_spelling() {
        assert!(means(b"oauth_token", "oauth_token", Plus::Space));
        assert!(means(b"%6fauth%5Ftoken", "oauth_token", Plus::Space));
        assert!(!means(b"xoauth_token", "oauth_token", Plus::Space));
        assert!(!means(b"oauth_tok", "oauth_token", Plus::Space));
        assert!(!means(b"oauth_token%", "oauth_token", Plus::Space));
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut encoded = String::new();
            push_encoded(&mut encoded, &bytes);
            prop_assert_eq!(decode(&encoded).unwrap(), bytes);
        }

        #[test]
        fn what_stands_for_itself_ends_at_the_first_byte_that_does_not(bytes in "[a-z~_.-]{0,20}([/%é ][a-z/]{0,9})?") {
            let plainly = bytes.bytes().take_while(|&byte| is_unreserved(byte)).count();
            prop_assert_eq!(unreserved(bytes.as_bytes()), plainly);
        }

        #[test]
        fn recoding_is_decoding_and_encoding(raw in proptest::collection::vec(any::<u8>(), 0..100)) {
            for plus in [Plus::Literal, Plus::Space] {
                let expected = decode_bytes(&raw, plus).map(|bytes| {
                    let mut out = String::new();
                    push_encoded(&mut out, &bytes);
                    out
                });
                prop_assert_eq!(recoded(&raw, plus), expected);
            }
        }

        #[test]
        fn the_canonical_form_stays_as_it_is(text in "\\PC*") {
            let once = encode(&text);
            prop_assert_eq!(recoded(once.as_bytes(), Plus::Space).unwrap(), once);
        }
    }
}

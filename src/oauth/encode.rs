//! Percent-encoding, the one strict way (RFC 5849, section 3.6).

/// Encodes every byte but letters, digits, `-`, `.`, `_` and `~`, in upper-case hexadecimal.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    push_encoded(&mut out, text.as_bytes());
    out
}

/// Appends the encoded form of some bytes.
pub fn push_encoded(out: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if is_unreserved(byte) {
            out.push(byte.into());
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)].into());
            out.push(HEX[usize::from(byte & 15)].into());
        }
    }
}

/// Whether a byte stands for itself.
pub const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

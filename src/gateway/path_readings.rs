//! Interpretations of a path: what servers and frameworks may take `/static/..%2fapi`, `//api`, `/static/..;/api`,
//! `/%u0061pi`, `/api./` or `/API` for. A route for `/api` must hold for all of them, since the upstream receives the path as
//! it arrived.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// All interpretations of a path, itself included; `None` if there are more than 64, or all of them are longer than 32 KiB.
pub(crate) fn interpretations(path: &str) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::from([path.to_owned()]);
    let mut unprocessed = vec![path.to_owned()];
    let mut bytes = path.len();
    while let Some(path) = unprocessed.pop() {
        for step in STEPS {
            if bytes > MAX_BYTES || found.len() > MAX_INTERPRETATIONS {
                return None;
            }
            let further = step(&path);
            if found.insert(further.clone()) {
                bytes += further.len();
                unprocessed.push(further);
            }
        }
    }
    Some(found)
}

/// Whether a path has one interpretation only, apart from the case of its letters.
pub(super) fn is_canonical(path: &str) -> bool {
    let is_suspicious = |b: u8| matches!(b, b'%' | b';' | b'\\') || !b.is_ascii_graphic();
    !path.bytes().any(is_suspicious)
        && !path.contains("//")
        && !path.contains("/.")
        && !path.contains("./")
        && !path.ends_with('.')
        && (path.len() == 1 || !path.ends_with('/'))
}

/// What servers and frameworks do to a path before they route it. Each may come first, and each more than once.
const STEPS: [fn(&str) -> String; 9] = [
    percent_decode,
    decode_utf16,
    compose_plainly,
    trim_segments,
    remove_parameters,
    |path| path.replace('\\', "/"),
    merge_slashes,
    remove_dot_segments,
    remove_last_slash,
];

/// The path of an ordinary request has fewer than ten.
const MAX_INTERPRETATIONS: usize = 64;

/// Bytes of all interpretations together: an attacker chooses the path, and each step reads all of it.
const MAX_BYTES: usize = 32 * 1024;

/// Percent-decodes once. Overlong forms of ASCII, which old decoders accepted, are decoded as well.
fn percent_decode(path: &str) -> String {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
    let (mut rest, mut decoded) = (&bytes[..], Vec::with_capacity(bytes.len()));
    while let [first, ..] = *rest {
        let (byte, length) = overlong(rest).unwrap_or((first, 1));
        decoded.push(byte);
        rest = &rest[length..];
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// An ASCII character in more bytes than UTF-8 has for it (`%c0%af`, `%e0%80%af`, `%f0%80%80%af`), and how many.
fn overlong(bytes: &[u8]) -> Option<(u8, usize)> {
    let (high, low, length) = match *bytes {
        [high @ (0xC0 | 0xC1), low, ..] => (high, low, 2),
        [0xE0, high @ (0x80 | 0x81), low, ..] => (high, low, 3),
        [0xF0, 0x80, high @ (0x80 | 0x81), low, ..] => (high, low, 4),
        _ => return None,
    };
    (low & 0xC0 == 0x80).then_some(((high & 1) << 6 | (low & 0x3F), length))
}

/// Decodes `%u0061`, as Microsoft's servers do.
fn decode_utf16(path: &str) -> String {
    let mut parts = path.split("%u").flat_map(|part| part.split("%U"));
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = |digits| u32::from_str_radix(digits, 16).ok();
        match part.get(..4).and_then(number).and_then(char::from_u32) {
            Some(c) => {
                decoded.push(c);
                decoded.push_str(&part[4..]);
            }
            None => decoded.extend(["%u", part]),
        }
    }
    decoded
}

/// Replaces full-width and accented letters by the plain ones, and leaves out what is not UTF-8 or has no width: some servers
/// convert to a smaller character set ("best fit").
fn compose_plainly(path: &str) -> String {
    let is_nothing = |c: &char| {
        is_combining_mark(*c)
            || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFFD}')
    };
    path.nfkd().filter(|c| !is_nothing(c)).collect()
}

/// Windows ignores dots and spaces at the end of a name, and some frameworks white space at both ends.
fn trim_segments(path: &str) -> String {
    let trim = |segment| match segment {
        "." | ".." => segment,
        _ => segment.trim().trim_end_matches(['.', ' ']),
    };
    path.split('/').map(trim).collect::<Vec<_>>().join("/")
}

/// Servlet containers take `/a;x=1/b` for `/a/b`; C ends a string at `NUL`.
fn remove_parameters(path: &str) -> String {
    let until = |text: &str, end| text.split(end).next().unwrap_or_default().to_owned();
    let segments = until(path, '\0');
    let segments = segments.split('/').map(|segment| until(segment, ';'));
    segments.collect::<Vec<_>>().join("/")
}

fn merge_slashes(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    out
}

/// RFC 3986, section 5.2.4.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            // The first, empty segment is the root and stays.
            ".." if kept.len() > 1 => drop(kept.pop()),
            "." | ".." => {}
            _ => kept.push(segment),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    kept.join("/")
}

fn remove_last_slash(path: &str) -> String {
    match path.strip_suffix('/') {
        Some(above) if !above.is_empty() => above.to_owned(),
        _ => path.to_owned(),
    }
}

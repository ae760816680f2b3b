//! The ways in which somebody behind us may read a path.
//!
//! The path travels on byte for byte, so the application decides what `/static/..%2fapi`, `//api`, `/static/..;/api`
//! or `/API` mean, and every application decides differently. A rule about `/api` must hold in all of these readings.

use std::collections::BTreeSet;

/// Collects every reading of a path; `None`: there are too many to tell.
pub(super) fn interpretations(path: &str) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::from([path.to_owned()]);
    let mut fresh = vec![path.to_owned()];
    while let Some(reading) = fresh.pop() {
        for step in STEPS {
            let further = step(&reading);
            if !found.contains(&further) {
                if found.len() >= MOST {
                    return None;
                }
                found.insert(further.clone());
                fresh.push(further);
            }
        }
    }
    Some(found)
}

/// Whether a path has one reading only (but for the case of its letters): most have, and need no collection.
pub(super) fn is_canonical(path: &str) -> bool {
    let suspicious = |b: u8| matches!(b, b'%' | b';' | b'\\') || !b.is_ascii_graphic();
    !path.bytes().any(suspicious)
        && !path.contains("//")
        && !path.contains("/.")
        && (path.len() == 1 || !path.ends_with('/'))
}

/// What servers and frameworks do to a path before they look it up, in no particular order.
const STEPS: [fn(&str) -> String; 6] = [
    decoded,
    without_parameters,
    with_slashes,
    with_single_slashes,
    without_dots,
    without_last_slash,
];

/// A path that a person or a program writes has a handful of readings.
const MOST: usize = 64;

/// Percent-decoding, once. Two-byte forms of ASCII (`%c0%af`), which old decoders took for `/`, are decoded as well.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escape = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let (byte, after) = match escape {
            Some((high, low)) => (high << 4 | low, &after[2..]),
            None => (first, after),
        };
        match bytes.last_mut() {
            Some(last @ (0xC0 | 0xC1)) if byte & 0xC0 == 0x80 => *last = (*last & 1) << 6 | (byte & 0x3F),
            _ => bytes.push(byte),
        }
        rest = after;
    }
    // What is not UTF-8 cannot be part of a pattern: any stand-in will do.
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// `/a;x=1/b` is `/a/b` to a servlet; and a `NUL` ends a string in C.
fn without_parameters(path: &str) -> String {
    let path = path.split('\0').next().unwrap_or_default();
    let segments = path
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or_default());
    segments.collect::<Vec<_>>().join("/")
}

fn with_slashes(path: &str) -> String {
    path.replace('\\', "/")
}

fn with_single_slashes(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    out
}

/// RFC 3986, section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                // The first, empty segment is the root, which has nothing above it.
                if segment == ".." && kept.len() > 1 {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    kept.join("/")
}

fn without_last_slash(path: &str) -> String {
    match path.strip_suffix('/') {
        Some(above) if !above.is_empty() => above.to_owned(),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_others_do() {
        for (path, reading) in [
            ("/static/..%2fapi/x", "/api/x"),
            ("/static/%2e%2e/api/x", "/api/x"),
            ("/static/%252e%252e/api/x", "/api/x"),
            ("/static/..;/api/x", "/api/x"),
            ("/static/;%2f..%2f../api", "/api"),
            ("/static\\..\\api\\x", "/api/x"),
            ("/static/..%5capi", "/api"),
            ("/static/..%c0%afapi", "/api"),
            ("//api//x", "/api/x"),
            ("/./api", "/api"),
            ("/a//../api", "/a/api"),
            ("/a//../api", "/api"),
            ("/../../api", "/api"),
            ("/%61pi", "/api"),
            ("/api/", "/api"),
            ("/api;v=1/x", "/api/x"),
            ("/api%00.png", "/api"),
            ("/api/.", "/api"),
        ] {
            assert!(interpretations(path).unwrap().contains(reading), "{path}");
            assert!(!is_canonical(path), "{path}");
        }
    }

    #[test]
    fn a_plain_path_is_read_once() {
        for path in ["/", "/api/x", "/a.b/c-d_e~f", "/A"] {
            assert!(is_canonical(path), "{path}");
            assert_eq!(interpretations(path).unwrap().len(), 1, "{path}");
        }
    }

    #[test]
    fn gives_up_on_a_maze() {
        assert_eq!(
            interpretations(&"/%2525252525252525252e.;//\\%2e%2f".repeat(20)),
            None
        );
        let long = "/%2e%2e".repeat(9_000);
        let _ = interpretations(&long);
    }
}

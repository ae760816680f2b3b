//! Interpretations of a path: what servers and frameworks may take `/static/..%2fapi`, `//api`, `/static/..;/api` or
//! `/API` for. A route for `/api` must hold for all of them, since the upstream receives the path as it arrived.

use std::collections::BTreeSet;

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
        && (path.len() == 1 || !path.ends_with('/'))
}

/// What servers and frameworks do to a path before they route it. Each may come first, and each more than once.
const STEPS: [fn(&str) -> String; 6] = [
    percent_decode,
    remove_parameters,
    replace_backslashes,
    merge_slashes,
    remove_dot_segments,
    remove_last_slash,
];

/// The path of an ordinary request has fewer than ten.
const MAX_INTERPRETATIONS: usize = 64;

/// Bytes of all interpretations together: an attacker chooses the path, and each step reads all of it.
const MAX_BYTES: usize = 32 * 1024;

/// Percent-decodes once. Overlong two-byte forms of ASCII (`%c0%af`), which old decoders accepted, are decoded as well.
fn percent_decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    for byte in percent_encoding::percent_decode_str(path) {
        match bytes.last_mut() {
            Some(last @ (0xC0 | 0xC1)) if byte & 0xC0 == 0x80 => *last = (*last & 1) << 6 | (byte & 0x3F),
            _ => bytes.push(byte),
        }
    }
    // Bytes that are not UTF-8 match no pattern, and neither does their replacement.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Servlet containers take `/a;x=1/b` for `/a/b`; C ends a string at `NUL`.
fn remove_parameters(path: &str) -> String {
    let until = |text: &str, end| text.split(end).next().unwrap_or_default().to_owned();
    let segments = until(path, '\0');
    let segments = segments.split('/').map(|segment| until(segment, ';'));
    segments.collect::<Vec<_>>().join("/")
}

fn replace_backslashes(path: &str) -> String {
    path.replace('\\', "/")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_every_interpretation() {
        for (path, interpretation) in [
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
            assert!(interpretations(path).unwrap().contains(interpretation), "{path}");
            assert!(!is_canonical(path), "{path}");
        }
    }

    #[test]
    fn a_canonical_path_has_one_interpretation() {
        for path in ["/", "/api/x", "/a.b/c-d_e~f", "/A"] {
            assert!(is_canonical(path), "{path}");
            assert_eq!(interpretations(path).unwrap().len(), 1, "{path}");
        }
    }

    #[test]
    fn too_many_interpretations_are_none() {
        let maze = "/%2525252525252525252e.;//\\%2e%2f".repeat(20);
        assert_eq!(interpretations(&maze), None);
        assert_eq!(interpretations(&"/%2e%2e".repeat(9_000)), None);
        assert_eq!(interpretations(&maze.repeat(6)), None);
        assert!(interpretations(&"/a%20b".repeat(1_000)).is_some());
    }
}

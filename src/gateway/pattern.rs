//! The paths that a route names: `/exact`, `/one/*/segment`, `/everything/below/**`.

/// A pattern of paths.
///
/// `*` is one segment that is not empty. `**` stands only at the end: the path before it, and everything below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
    below: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Exact(String),
    Any,
}

impl PathPattern {
    /// Reads a pattern. The error is a sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let path = text
            .strip_prefix('/')
            .ok_or("a path begins with a slash: write /api/**")?;
        if !path.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("write a path as it stands in a URL: other characters percent-encoded");
        }
        if path.contains(['?', '#', '\\', ';', '%']) {
            return Err(
                "write the plain path, without query, fragment, backslash, semicolon or percent-encoding",
            );
        }
        let (above, below) = match path {
            "**" => ("", true),
            _ => path
                .strip_suffix("/**")
                .map_or((path, false), |above| (above, true)),
        };
        let segments = match above {
            "" if below => Vec::new(),
            _ => above.split('/').map(Segment::parse).collect::<Result<_, _>>()?,
        };
        // Only the last one may be empty: `/a/` and `/`.
        let inner = segments.len().saturating_sub(usize::from(!below));
        if path.starts_with('/') || segments[..inner].contains(&Segment::Exact(String::new())) {
            return Err("a path has no empty segments: write one slash");
        }
        Ok(Self {
            text: text.to_owned(),
            segments,
            below,
        })
    }

    /// The pattern as it was configured.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a path is one of those that this pattern names, letter by letter, or in any case.
    pub(super) fn matches(&self, path: &str, case: CaseSensitivity) -> bool {
        let Some(path) = path.strip_prefix('/') else {
            return false;
        };
        let mut rest = path.split('/');
        if self.below && self.segments.is_empty() {
            return true;
        }
        for wanted in &self.segments {
            match rest.next() {
                Some(segment) if wanted.matches(segment, case) => {}
                _ => return false,
            }
        }
        self.below || rest.next().is_none()
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "*" => Ok(Self::Any),
            "." | ".." => Err("a pattern has no dot segments: write the path itself"),
            _ if text.contains('*') => Err("a star stands for a whole segment: write * or, at the end, **"),
            _ => Ok(Self::Exact(text.to_owned())),
        }
    }

    fn matches(&self, segment: &str, case: CaseSensitivity) -> bool {
        match self {
            Self::Any => !segment.is_empty(),
            Self::Exact(text) if case == CaseSensitivity::Insensitive => text.eq_ignore_ascii_case(segment),
            Self::Exact(text) => text == segment,
        }
    }
}

/// Whether `A` is `a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CaseSensitivity {
    /// It is not.
    Sensitive,
    /// It is.
    Insensitive,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        PathPattern::parse(pattern)
            .unwrap()
            .matches(path, CaseSensitivity::Sensitive)
    }

    #[test]
    fn names_paths() {
        assert!(matches("/exact", "/exact"));
        assert!(!matches("/exact", "/exact/"));
        assert!(!matches("/exact", "/exactly"));
        assert!(matches("/exact/", "/exact/"));
        assert!(matches("/", "/"));
        assert!(!matches("/", "/a"));
        assert!(matches("/api/**", "/api"));
        assert!(matches("/api/**", "/api/"));
        assert!(matches("/api/**", "/api/a/b"));
        assert!(!matches("/api/**", "/apis"));
        assert!(matches("/**", "/"));
        assert!(matches("/**", "/a/b"));
        assert!(matches("/a/*/c", "/a/b/c"));
        assert!(!matches("/a/*/c", "/a//c"));
        assert!(!matches("/a/*/c", "/a/b/b/c"));
        assert!(matches("/a/*/**", "/a/b/c"));
        assert!(!matches("/a/*/**", "/a"));
        assert!(!matches("/**", "*"));
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        for text in [
            "api", "", "/a b", "/ä", "/a?b", "/a%20b", "/a//b", "/a/../b", "/a*", "/**/a", "//**", "/a;x",
        ] {
            assert!(PathPattern::parse(text).is_err(), "{text}");
        }
    }
}

//! Names of users, as an administrator writes them.

/// A user's name, or what several of them have in common: `build-*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    /// Parses a name; `*` matches any letters, also none. The error is a sentence that names what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("write a user's name");
        }
        if text.bytes().all(|byte| byte == b'*') {
            return Err(EVERYBODY);
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether a name is meant, case and all.
    pub fn matches(&self, name: &str) -> bool {
        let mut pieces = self.0.split('*');
        let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let Some(last) = pieces.next_back() else {
            return rest.is_empty();
        };
        for piece in pieces {
            let Some(at) = rest.find(piece) else {
                return false;
            };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last)
    }
}

const EVERYBODY: &str =
    "everybody is nobody in particular: write names, or what they have in common, as in \"build-*\"";

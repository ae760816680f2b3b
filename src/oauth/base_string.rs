//! The base string URI and the signature base string (RFC 5849, section 3.4.1).

/// A URL under which consumers know us: scheme, authority and, behind a proxy that strips one, a path.
///
/// Consumers sign this URL joined with the raw path as it arrived, whatever `Host` says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicUrl {
    text: String,
}

impl PublicUrl {
    /// Reads `http://host[:port][/path]` or `https://...`: no query, no fragment, no user information.
    /// The error is a sentence that says what to write instead.
    pub fn parse(_text: &str) -> Result<Self, &'static str> {
        todo!()
    }

    /// The whole URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and authority, lower case, without a default port: `https://builds.example.com`.
    pub fn origin(&self) -> &str {
        todo!()
    }

    /// The authority, lower case, without a default port.
    pub fn authority(&self) -> &str {
        todo!()
    }

    /// `true` for https.
    pub fn is_secure(&self) -> bool {
        todo!()
    }

    /// The path in front of every path of ours: empty, or `/ctx`.
    pub fn path_prefix(&self) -> &str {
        todo!()
    }
}

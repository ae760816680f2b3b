//! The strings that mean something: keys, tokens, secrets. Each has a type, so that none stands in for another.

use std::fmt;
use std::sync::Arc;

use rand::{CryptoRng, RngExt};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The client identifier (RFC 5849, section 1.1): who signs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsumerKey(Arc<str>);

impl ConsumerKey {
    /// Reads a consumer key: 1 to 255 characters, none of them a control character.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.into()))
    }

    /// The key as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ConsumerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for ConsumerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identifier of temporary or token credentials (RFC 5849, section 1.1).
///
/// Public on the wire, yet its reader could watch a dance: `Debug` shows only [`Token::prefix`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(Arc<str>);

impl Token {
    /// Length in characters of the tokens that we issue.
    pub const LENGTH: usize = 32;

    /// Reads a token as a peer sent it: 1 to 255 characters, none of them a control character.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.into()))
    }

    /// Makes a new token of letters and digits, which begins with `prefix` and is random after it.
    pub fn generate(prefix: &str, rng: &mut impl CryptoRng) -> Self {
        let mut text = String::with_capacity(Self::LENGTH);
        text.push_str(prefix);
        while text.len() < Self::LENGTH {
            text.push(ALPHANUMERIC[rng.random_range(0..ALPHANUMERIC.len())].into());
        }
        Self(text.into())
    }

    /// The token as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight characters: enough to find a token in a log, too few to use it.
    pub fn prefix(&self) -> &str {
        let end = self.0.char_indices().nth(8).map_or(self.0.len(), |(at, _)| at);
        &self.0[..end]
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}…)", self.prefix())
    }
}

/// A shared-secret (RFC 5849, section 1.1), a verifier, a session handle: whatever must not be shown.
///
/// No `Display`; `Debug` prints dots; equality takes the same time wherever the difference is; wiped on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself, for the moment of its use.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The verification code (RFC 5849, section 2.2): proof that the user who approved is the user who returned.
pub type Verifier = Secret;

/// The session handle (OAuth Session 1.0): proof that a renewal comes from the holder of the first token.
pub type SessionHandle = Secret;

fn is_name(text: &str) -> bool {
    // No text has more characters than bytes.
    let short = text.len() <= 255 || text.chars().count() <= 255;
    short && !text.is_empty() && !has_control(text)
}

/// Whether a text has a control character.
///
/// Printable ASCII, which nearly every text is, is seen without an early end: so the compiler looks at sixteen bytes in one
/// step.
pub(super) fn has_control(text: &str) -> bool {
    let printable = text
        .bytes()
        .fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    !printable && text.chars().any(char::is_control)
}

/// Several clients do not encode what we give them (RFC 5849, section 3.6): these characters need no encoding.
pub const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

//! Credentials (RFC 5849, section 1.1): consumer keys, tokens and secrets.

use std::fmt;
use std::sync::Arc;

use rand::{CryptoRng, RngExt};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A consumer key: the client identifier of RFC 5849, section 1.1.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsumerKey(Arc<str>);

impl ConsumerKey {
    /// Parses a consumer key: 1 to 255 characters without control characters. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.into()))
    }

    /// The value of `oauth_consumer_key`.
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

/// A request token or an access token (RFC 5849, section 1.1). `Debug` shows only [`Token::prefix`]: a request token in a log
/// could be approved by another user.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(Arc<str>);

impl Token {
    /// The length in characters of the tokens that linkgate issues.
    pub const LENGTH: usize = 32;

    /// Parses a token: 1 to 255 characters without control characters. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.into()))
    }

    /// Generates a token of letters and digits, random after `prefix`.
    pub fn generate(prefix: &str, rng: &mut impl CryptoRng) -> Self {
        let mut text = String::with_capacity(Self::LENGTH);
        text.push_str(prefix);
        while text.len() < Self::LENGTH {
            text.push(ALPHANUMERIC[rng.random_range(0..ALPHANUMERIC.len())].into());
        }
        Self(text.into())
    }

    /// The value of `oauth_token`.
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

/// A shared secret (RFC 5849, section 1.1), or another text that must not be shown: a verification code, a session handle. It
/// has no `Display`, `Debug` prints dots, comparison takes constant time, and it is wiped on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text of the secret.
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

/// A token with its shared secret (RFC 5849, section 1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TokenCredentials {
    pub token: Token,
    pub secret: Secret,
}

/// Whether a text has 1 to 255 characters, none of them a control character.
pub(super) fn is_name(text: &str) -> bool {
    // No text has more characters than bytes.
    let is_short = text.len() <= 255 || text.chars().count() <= 255;
    is_short && !text.is_empty() && !has_control(text)
}

/// Whether a text has a control character.
pub(super) fn has_control(text: &str) -> bool {
    // Printable ASCII is recognised without an early end, which lets the compiler check sixteen bytes at once.
    let is_printable = text
        .bytes()
        .fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    !is_printable && text.chars().any(char::is_control)
}

/// The characters of generated tokens: several consumers do not percent-encode a token that they send back.
pub const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

//! The secret keys, and what is derived from them instead of being stored.
//!
//! Each key has an id of four characters. Tokens and session ids begin with the id of the key that made them, so the
//! keys can be rotated: new things are made with the first key, old ones are still derived from theirs.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rand::{CryptoRng, RngExt};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::oauth::credentials::ALPHANUMERIC;
use crate::oauth::{Secret, SessionHandle, Token, Verifier};

/// The secret keys that live outside the database, newest first.
pub struct Keyring {
    current: SecretKey,
    older: Vec<SecretKey>,
}

/// Why a text is not a keyring. It never repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no key in it.
    #[error("there is no key in it; `linkgate key generate` makes one")]
    Empty,
    /// A line is not a key.
    #[error(
        "line {line} is not a key: write an id of four letters or digits, a colon, and 32 bytes in base64url, as `linkgate key generate` does"
    )]
    NotAKey {
        /// The line, counted from one.
        line: usize,
    },
    /// Two keys have the same id.
    #[error("line {line} has the id of an earlier key")]
    Repeated {
        /// The line, counted from one.
        line: usize,
    },
}

/// One key and its name.
pub(super) struct SecretKey {
    id: KeyId,
    key: Zeroizing<[u8; 32]>,
    /// HMAC-SHA-256 that has taken the key in.
    keyed: Hmac<Sha256>,
}

/// Four letters or digits that name a key.
pub(super) type KeyId = [u8; KEY_ID_LENGTH];

impl Keyring {
    /// Makes a keyring of one new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self {
            current: SecretKey::generate(rng),
            older: Vec::new(),
        }
    }

    /// Reads one key a line, the current one first: `id:base64url(32 bytes)`. A line may be empty or begin with `#`.
    pub fn read(text: &str) -> Result<Self, KeyringError> {
        let mut keys: Vec<SecretKey> = Vec::new();
        for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = SecretKey::read(line).ok_or(KeyringError::NotAKey { line: at })?;
            if keys.iter().any(|earlier| earlier.id == key.id) {
                return Err(KeyringError::Repeated { line: at });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(KeyringError::Empty)?;
        Ok(Self {
            current,
            older: keys.collect(),
        })
    }

    /// The keyring in the form that [`Keyring::read`] reads.
    pub fn to_text(&self) -> Secret {
        let mut text = Zeroizing::new(String::from(
            "# linkgate's secret keys. The first one makes; the others still read.\n",
        ));
        for key in self.keys() {
            text.push_str(key.id_text());
            text.push(':');
            text.push_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(*key.key)));
            text.push('\n');
        }
        Secret::new(text.as_str())
    }

    /// Puts a new key in front; the others stay for what they made.
    #[must_use]
    pub fn rotate(self, rng: &mut impl CryptoRng) -> Self {
        let mut current = SecretKey::generate(rng);
        while self.key(&current.id).is_some() {
            current = SecretKey::generate(rng);
        }
        let mut older = self.older;
        older.insert(0, self.current);
        Self { current, older }
    }

    /// Makes a token, or a session's name, that begins with the current key's id.
    pub fn new_token(&self, rng: &mut impl CryptoRng) -> Token {
        Token::generate(self.current.id_text(), rng)
    }

    /// The shared-secret of a token (RFC 5849, section 2.1 and 2.3). `None`: no key of ours made this token.
    pub fn token_secret(&self, token: &Token) -> Option<Secret> {
        let key = self.key_of(token.as_str())?;
        Some(key.derive("token-secret", &[token.as_str()], SECRET_LENGTH))
    }

    /// The verification code (RFC 5849, section 2.2) of a request token that this user approved.
    pub fn verifier(&self, token: &Token, subject: &str) -> Option<Verifier> {
        let key = self.key_of(token.as_str())?;
        Some(key.derive("verifier", &[token.as_str(), subject], VERIFIER_LENGTH))
    }

    /// The session handle (OAuth Session 1.0) of a renewable session.
    pub fn session_handle(&self, session_id: &str) -> Option<SessionHandle> {
        let key = self.key_of(session_id)?;
        Some(key.derive("session-handle", &[session_id], SECRET_LENGTH))
    }

    /// Authenticates values with the current key, for cookies and forms.
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.current.mac(purpose, parts)
    }

    /// What [`Keyring::mac`] makes of these values with every key, the current one first.
    pub fn macs(&self, purpose: &str, parts: &[&[u8]]) -> impl Iterator<Item = [u8; 32]> {
        self.keys().map(move |key| key.mac(purpose, parts))
    }

    /// Whether a code was made by [`Keyring::mac`] with any of our keys. Its time does not depend on where they differ.
    pub fn mac_matches(&self, purpose: &str, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.macs(purpose, parts)
            .fold(false, |matched, ours| matched | bool::from(ours.ct_eq(mac)))
    }

    /// The key that makes new things.
    pub(super) fn current(&self) -> &SecretKey {
        &self.current
    }

    /// The key of an id.
    pub(super) fn key(&self, id: &[u8]) -> Option<&SecretKey> {
        self.keys().find(|key| key.id == id)
    }

    fn key_of(&self, token: &str) -> Option<&SecretKey> {
        self.key(token.as_bytes().get(..KEY_ID_LENGTH)?)
    }

    fn keys(&self) -> impl Iterator<Item = &SecretKey> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys().map(SecretKey::id_text))
            .finish()
    }
}

impl SecretKey {
    /// The key's name.
    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// A key of its own for a purpose, so that no key serves two.
    pub(super) fn subkey(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.prf(purpose, &[], 0))
    }

    fn new(id: KeyId, key: Zeroizing<[u8; 32]>) -> Self {
        let keyed = Hmac::new_from_slice(&*key).expect("HMAC takes a key of any length");
        Self { id, key, keyed }
    }

    fn generate(rng: &mut impl CryptoRng) -> Self {
        let id = std::array::from_fn(|_| ALPHANUMERIC[rng.random_range(0..ALPHANUMERIC.len())]);
        let mut key = Zeroizing::new([0; 32]);
        rng.fill(&mut *key);
        Self::new(id, key)
    }

    fn read(line: &str) -> Option<Self> {
        let (id, key) = line.split_once(':')?;
        let id: KeyId = id.as_bytes().try_into().ok()?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(key).ok()?);
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() || !id.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        key.copy_from_slice(&bytes);
        Some(Self::new(id, key))
    }

    fn id_text(&self) -> &str {
        std::str::from_utf8(&self.id).expect("an id is letters and digits")
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all = vec![purpose.as_bytes()];
        all.extend(parts);
        self.prf("mac", &all, 0)
    }

    /// Letters and digits only: several clients do not encode what we give them.
    fn derive(&self, purpose: &str, parts: &[&str], length: usize) -> Secret {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let mut text = Zeroizing::new(String::with_capacity(length));
        for block in 0.. {
            let bytes = Zeroizing::new(self.prf(purpose, &parts, block));
            // 248 is four times 62: what lies above would favour the first letters.
            let fair = bytes.iter().filter(|byte| **byte < 248);
            for byte in fair.take(length - text.len()) {
                text.push(ALPHANUMERIC[usize::from(byte % 62)].into());
            }
            if text.len() == length {
                break;
            }
        }
        Secret::new(text.as_str())
    }

    /// HMAC-SHA-256 over purpose and parts, each behind its length, and the number of the block.
    fn prf(&self, purpose: &str, parts: &[&[u8]], block: u32) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.update(&block.to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

const KEY_ID_LENGTH: usize = 4;

/// 36 letters and digits are 214 bits.
const SECRET_LENGTH: usize = 36;

/// 20 letters and digits are 119 bits: a verifier is also typed by hand, and a few wrong ones end its life.
const VERIFIER_LENGTH: usize = 20;

#[cfg(test)]
mod tests;

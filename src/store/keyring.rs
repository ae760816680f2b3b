//! The secret keys, and what is derived from them instead of being stored. Tokens and session ids begin with the id of the key
//! that made them, so the keys can be rotated: new things are made with the first key, old ones are still derived from theirs.

use std::{fmt, iter};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use rand::{CryptoRng, RngExt};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::oauth::credentials::ALPHANUMERIC;
use crate::oauth::{Secret, Token};

/// The secret keys: the current one, which makes new things, and older ones. There is at least one.
pub struct Keyring(Vec<SecretKey>);

/// Why a text is not a keyring, with the line, counted from one. It never repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum KeyringError {
    #[error("there is no key in it; `linkgate key generate` makes one")]
    Empty,
    #[error(
        "line {line} is not a key: write an id of four letters or digits, a colon, and 32 bytes in base64url, as `linkgate key generate` does"
    )]
    NotAKey { line: usize },
    #[error("line {line} has the id of an earlier key")]
    Repeated { line: usize },
}

pub(super) struct SecretKey {
    pub(super) id: KeyId,
    key: Zeroizing<[u8; 32]>,
    hkdf: Hkdf<Sha256>,
}

/// Four letters or digits that name a key.
pub(super) type KeyId = [u8; KEY_ID_LENGTH];

impl Keyring {
    /// Makes a keyring of one new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(vec![SecretKey::generate(rng)])
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
        if keys.is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Self(keys))
    }

    /// The keyring in the form that [`Keyring::read`] reads.
    pub fn to_text(&self) -> Secret {
        let mut text = Zeroizing::new(String::from(
            "# linkgate's secret keys. The first one makes; the others still read.\n",
        ));
        for key in &self.0 {
            let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(*key.key));
            text.extend([key.id_text(), ":", &encoded, "\n"]);
        }
        Secret::new(text.as_str())
    }

    /// Adds a new key below the first one: the first step of a rotation.
    #[must_use]
    pub fn with_next(mut self, rng: &mut impl CryptoRng) -> Self {
        let mut next = SecretKey::generate(rng);
        while self.key(&next.id).is_some() {
            next = SecretKey::generate(rng);
        }
        self.0.insert(1, next);
        self
    }

    /// Puts the second key in front: the second step of a rotation. A keyring of one key stays as it is.
    #[must_use]
    pub fn rotated(mut self) -> Self {
        if self.0.len() > 1 {
            self.0.swap(0, 1);
        }
        self
    }

    /// Removes an older key.
    #[must_use]
    pub fn without(mut self, id: &str) -> Self {
        let older = self.0.split_off(1).into_iter();
        self.0.extend(older.filter(|key| key.id_text() != id));
        self
    }

    /// Makes a token, or a session's name, that begins with the current key's id.
    pub fn new_token(&self, rng: &mut impl CryptoRng) -> Token {
        Token::generate(self.current().id_text(), rng)
    }

    /// Derives a token from another one with the current key, so that the same request has the same answer.
    pub fn derived_token(&self, purpose: &str, from: &Token) -> Token {
        self.current().derived_token(purpose, from)
    }

    /// What [`Keyring::derived_token`] makes with every key, the current one first: a key may have been rotated since.
    pub fn derived_tokens(&self, purpose: &str, from: &Token) -> impl Iterator<Item = Token> {
        self.0.iter().map(move |key| key.derived_token(purpose, from))
    }

    /// The shared-secret of a token (RFC 5849, section 2.1 and 2.3). `None`: no key of ours made this token.
    pub fn token_secret(&self, token: &Token) -> Option<Secret> {
        let key = self.key_of(token.as_str())?;
        Some(key.derive::<SECRET_BYTES>("token-secret", &[token.as_str()]))
    }

    /// The verification code (RFC 5849, section 2.2) of a request token that this user approved.
    pub fn verifier(&self, token: &Token, subject: &str) -> Option<Secret> {
        let key = self.key_of(token.as_str())?;
        Some(key.derive::<VERIFIER_BYTES>("verifier", &[token.as_str(), subject]))
    }

    /// The session handle (OAuth Session 1.0) of a renewable session.
    pub fn session_handle(&self, session_id: &str) -> Option<Secret> {
        let key = self.key_of(session_id)?;
        Some(key.derive::<SECRET_BYTES>("session-handle", &[session_id]))
    }

    /// Authenticates values with the current key, for cookies and forms.
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.current().mac(purpose, parts)
    }

    /// What [`Keyring::mac`] makes of these values with every key, the current one first.
    pub fn macs(&self, purpose: &str, parts: &[&[u8]]) -> impl Iterator<Item = [u8; 32]> {
        self.0.iter().map(move |key| key.mac(purpose, parts))
    }

    /// Whether a code was made by [`Keyring::mac`] with any of our keys. Its time does not depend on where they differ.
    pub fn mac_matches(&self, purpose: &str, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.macs(purpose, parts)
            .fold(false, |matched, ours| matched | bool::from(ours.ct_eq(mac)))
    }

    pub(super) fn current(&self) -> &SecretKey {
        &self.0[0]
    }

    /// The ids of all keys, the current one first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(SecretKey::id_text)
    }

    pub(super) fn key(&self, id: &[u8]) -> Option<&SecretKey> {
        self.0.iter().find(|key| key.id == id)
    }

    fn key_of(&self, token: &str) -> Option<&SecretKey> {
        self.key(token.as_bytes().get(..KEY_ID_LENGTH)?)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl SecretKey {
    pub(super) fn id_text(&self) -> &str {
        std::str::from_utf8(&self.id).expect("an id is letters and digits")
    }

    /// A key of its own for a purpose, so that no key serves two.
    pub(super) fn subkey(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        self.expand(purpose, &[])
    }

    /// Tells two keys with the same id apart, and nothing else about them.
    pub(super) fn check_value(&self) -> Vec<u8> {
        self.expand::<16>("check-value", &[]).to_vec()
    }

    fn new(id: KeyId, key: Zeroizing<[u8; 32]>) -> Self {
        let hkdf = Hkdf::new(None, &*key);
        Self { id, key, hkdf }
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

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let parts: Vec<&[u8]> = [purpose.as_bytes()].iter().chain(parts).copied().collect();
        *self.expand("mac", &parts)
    }

    fn derived_token(&self, purpose: &str, from: &Token) -> Token {
        let rest = self.derive::<DERIVED_TOKEN_BYTES>(purpose, &[from.as_str()]);
        let text = format!("{}{}", self.id_text(), rest.expose());
        Token::parse(&text).expect("letters and digits are a token")
    }

    /// Hexadecimal digits: several clients do not encode the values that they receive.
    fn derive<const N: usize>(&self, purpose: &str, parts: &[&str]) -> Secret {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let bytes = self.expand::<N>(purpose, &parts);
        Secret::new(Zeroizing::new(base16ct::lower::encode_string(&*bytes)).as_str())
    }

    /// HKDF-Expand (RFC 5869, section 2.3); `info` is the purpose and the parts, each behind its length.
    fn expand<const N: usize>(&self, purpose: &str, parts: &[&[u8]]) -> Zeroizing<[u8; N]> {
        let mut info = Vec::new();
        for part in iter::once(&purpose.as_bytes()).chain(parts) {
            info.extend((part.len() as u64).to_be_bytes());
            info.extend_from_slice(part);
        }
        let mut output = Zeroizing::new([0; N]);
        self.hkdf
            .expand(&info, &mut *output)
            .expect("HKDF with SHA-256 gives up to 8160 bytes");
        output
    }
}

const KEY_ID_LENGTH: usize = 4;
/// 192 bits.
const SECRET_BYTES: usize = 24;
/// 112 bits: with the key's id, a derived token is as long as a random one.
const DERIVED_TOKEN_BYTES: usize = 14;
/// 80 bits in 20 digits: a verifier is also typed by hand, and a few wrong ones end its life.
const VERIFIER_BYTES: usize = 10;

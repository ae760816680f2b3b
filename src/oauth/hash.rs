//! The hash functions of the signature methods, and the hash of a body that is not a form (draft-eaton-oauth-bodyhash-00g).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::problem::Problem;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Hash {
    /// Hashes a message.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    pub(super) fn mac<'b>(self, key: &[u8], message: &[u8], buffer: &'b mut [u8; 64]) -> &'b [u8] {
        fn mac<'b, M: Mac + KeyInit>(key: &[u8], message: &[u8], buffer: &'b mut [u8; 64]) -> &'b [u8] {
            let mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of every length");
            let output = mac.chain_update(message).finalize().into_bytes();
            let written = &mut buffer[..output.len()];
            written.copy_from_slice(&output);
            written
        }
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, message, buffer),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, message, buffer),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, message, buffer),
        }
    }
}

/// The hash that the body of a request must have: `oauth_body_hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyHash {
    hash: Hash,
    digest: Vec<u8>,
}

impl BodyHash {
    /// Hashes a body with the hash function of the signature method.
    pub fn new(body: &[u8], hash: Hash) -> Self {
        let digest = hash.digest(body);
        Self { hash, digest }
    }

    /// Parses `oauth_body_hash`, made with the hash function or with SHA-1, which libraries send beside the other methods too.
    ///
    /// # Errors
    ///
    /// `parameter_rejected` for any other value.
    pub fn parse(text: &str, hash: Hash) -> Result<Self, Problem> {
        let digest = STANDARD.decode(text).unwrap_or_default();
        let mut fitting = [hash, Hash::Sha1].into_iter();
        let hash = fitting.find(|hash| hash.digest(b"").len() == digest.len());
        let rejected = || Problem::parameter_rejected("oauth_body_hash", NO_HASH);
        let hash = hash.ok_or_else(rejected)?;
        Ok(Self { hash, digest })
    }

    /// Verifies a whole body.
    ///
    /// # Errors
    ///
    /// `signature_invalid` for another body.
    pub fn verify(&self, body: &[u8]) -> Result<(), Problem> {
        // Constant time: the response does not tell how much of a guessed hash is right.
        let is_equal = bool::from(self.hash.digest(body).ct_eq(&self.digest));
        is_equal
            .then_some(())
            .ok_or(Problem::SignatureInvalid(OTHER_BODY))
    }

    /// The value of `oauth_body_hash`.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.digest)
    }
}

const NO_HASH: &str =
    "oauth_body_hash must be base64 of the body's hash, with the hash of the signature method.";
const OTHER_BODY: &str = "The body is not the one that oauth_body_hash was made of.";

//! The signature methods (RFC 5849, sections 3.4.2 to 3.4.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use strum::{EnumString, IntoStaticStr};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::credentials::Secret;
use super::encoding;
use super::hash::Hash;
use super::private_key::PrivateKey;
use super::problem::Problem;
use super::public_key::PublicKey;

/// A signature method (RFC 5849, sections 3.4.2 to 3.4.4); its text is the case-sensitive value of `oauth_signature_method`.
/// Those with SHA-256 and SHA-512 are opt-in, and so is PLAINTEXT, over https only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "SCREAMING-KEBAB-CASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SignatureMethod {
    HmacSha1,
    HmacSha256,
    HmacSha512,
    RsaSha1,
    RsaSha256,
    RsaSha512,
    Plaintext,
}

impl SignatureMethod {
    /// All methods.
    pub const ALL: [Self; 7] = [
        Self::HmacSha1,
        Self::HmacSha256,
        Self::HmacSha512,
        Self::RsaSha1,
        Self::RsaSha256,
        Self::RsaSha512,
        Self::Plaintext,
    ];

    /// The value of `oauth_signature_method`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether the method signs with an RSA key.
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha512)
    }

    /// Checks that a consumer has a key of the method's family.
    ///
    /// # Errors
    ///
    /// `signature_method_rejected`, which names the method to sign with.
    pub fn check_keys(self, keys: &[VerificationKey]) -> Result<(), Problem> {
        if keys.iter().any(|key| key.fits(self)) {
            return Ok(());
        }
        let (used, why) = (
            self.name().to_owned(),
            if self.is_rsa() { NO_RSA_KEY } else { NO_SECRET },
        );
        Err(Problem::SignatureMethodRejected { used, why })
    }

    /// The hash function of the signature and of `oauth_body_hash` (draft-eaton-oauth-bodyhash-00g, section 3.2).
    pub const fn hash(self) -> Hash {
        match self {
            Self::HmacSha1 | Self::RsaSha1 | Self::Plaintext => Hash::Sha1,
            Self::HmacSha256 | Self::RsaSha256 => Hash::Sha256,
            Self::HmacSha512 | Self::RsaSha512 => Hash::Sha512,
        }
    }
}

/// A key of a consumer. It decides the family of methods, so that a consumer cannot be attacked through a weaker one.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum VerificationKey {
    /// A shared secret: HMAC, and PLAINTEXT where it is allowed.
    Hmac(Secret),
    Rsa(PublicKey),
}

/// A key of linkgate as a consumer.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SigningKey {
    Hmac(Secret),
    Rsa(PrivateKey),
}

impl VerificationKey {
    /// Whether this key belongs to the family of a method.
    pub const fn fits(&self, method: SignatureMethod) -> bool {
        matches!(self, Self::Rsa(_)) == method.is_rsa()
    }

    /// Verifies the value of `oauth_signature`, decoded (RFC 5849, section 3.2). Base64 is strict: one spelling for each
    /// signature.
    pub fn verify(
        &self,
        method: SignatureMethod,
        base_string: &str,
        signature: &str,
        token_secret: Option<&Secret>,
    ) -> bool {
        if !self.fits(method) {
            return false;
        }
        let message = base_string.as_bytes();
        match self {
            // Constant time: the response does not tell how much of a guessed signature is right.
            Self::Hmac(secret) if method == SignatureMethod::Plaintext => {
                hmac_key(secret, token_secret).ct_eq(signature.as_bytes()).into()
            }
            Self::Hmac(secret) => {
                let (mut decoded, mut buffer) = ([0; 64], [0; 64]);
                let Ok(length) = STANDARD.decode_slice(signature, &mut decoded) else {
                    return false;
                };
                let key = hmac_key(secret, token_secret);
                let mac = method.hash().mac(&key, message, &mut buffer);
                mac.ct_eq(&decoded[..length]).into()
            }
            Self::Rsa(key) => {
                let is_short = signature.len() <= MAX_SIGNATURE_CHARS;
                let decoded = is_short.then(|| STANDARD.decode(signature).ok()).flatten();
                decoded.is_some_and(|decoded| key.verify(method.hash(), message, &decoded))
            }
        }
    }
}

impl SigningKey {
    /// Signs a base string. Returns the value of `oauth_signature`, or `None` if the key is not of the method's family.
    pub fn sign(
        &self,
        method: SignatureMethod,
        base_string: &str,
        token_secret: Option<&Secret>,
    ) -> Option<String> {
        let message = base_string.as_bytes();
        match self {
            Self::Hmac(secret) if method == SignatureMethod::Plaintext => {
                Some(encoding::into_ascii(hmac_key(secret, token_secret).to_vec()))
            }
            Self::Hmac(secret) if !method.is_rsa() => {
                let key = hmac_key(secret, token_secret);
                Some(STANDARD.encode(method.hash().mac(&key, message, &mut [0; 64])))
            }
            Self::Rsa(key) if method.is_rsa() => {
                key.sign(method.hash(), message).map(|raw| STANDARD.encode(raw))
            }
            _ => None,
        }
    }
}

/// Joins both secrets, encoded, with `&` (RFC 5849, sections 3.4.2 and 3.4.4).
fn hmac_key(consumer: &Secret, token: Option<&Secret>) -> Zeroizing<Vec<u8>> {
    let [consumer, token] = [consumer.expose(), token.map_or("", Secret::expose)].map(str::as_bytes);
    // At its full size, so that it does not grow and leave copies behind that are not wiped.
    let mut key = Zeroizing::new(Vec::with_capacity(3 * (consumer.len() + token.len()) + 1));
    encoding::push_encoded(&mut key, consumer);
    key.push(b'&');
    encoding::push_encoded(&mut key, token);
    key
}

const NO_RSA_KEY: &str = "linkgate has a shared secret for this consumer, no RSA public key: sign with HMAC-SHA1, or register the key.";
const NO_SECRET: &str =
    "linkgate has an RSA public key for this consumer, no shared secret: sign with RSA-SHA1.";

/// The longest RSA signature: 8192 bits in base64.
const MAX_SIGNATURE_CHARS: usize = 1368;

//! RSA keys: every form in which a public key is pasted becomes one key, or a sentence that says what it is.

use super::signature::SignatureMethod;

/// An RSA public key, parsed once, ready to verify.
#[derive(Clone)]
pub struct PublicKey {
    // aws-lc-rs ParsedPublicKey and the SubjectPublicKeyInfo in DER
}

/// What reading a key may remark on: none of it stops the key from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyWarning {
    /// Fewer than 2048 bits.
    Short {
        /// The key's size in bits.
        bits: usize,
    },
    /// It came in a certificate whose time is over.
    CertificateExpired,
}

/// Why a text is not a usable public key: a sentence that says what it is and what to paste instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

impl PublicKey {
    /// Reads PEM (SubjectPublicKeyInfo, PKCS#1), a certificate, or bare base64 of a SubjectPublicKeyInfo with or without
    /// line breaks.
    pub fn read(_text: &str) -> Result<Self, KeyError> {
        todo!()
    }

    /// What to tell the administrator about this key.
    pub fn warnings(&self) -> &[KeyWarning] {
        todo!()
    }

    /// Size of the modulus in bits.
    pub fn bits(&self) -> usize {
        todo!()
    }

    /// The key as bare base64 of its SubjectPublicKeyInfo, which is how Bitbucket shows and reads keys.
    pub fn to_base64(&self) -> String {
        todo!()
    }

    /// SHA-256 of the SubjectPublicKeyInfo, as `SHA256:` and base64 without padding.
    pub fn fingerprint(&self) -> String {
        todo!()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, _other: &Self) -> bool {
        todo!()
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}

/// An RSA private key: for the simulated Bitbucket, for links, and for tests.
#[derive(Clone)]
pub struct PrivateKey {}

impl PrivateKey {
    /// Makes a new key.
    pub fn generate(_bits: usize, _rng: &mut impl rand::CryptoRng) -> Result<Self, KeyError> {
        todo!()
    }

    /// Reads PKCS#8 or PKCS#1 PEM.
    pub fn read(_pem: &str) -> Result<Self, KeyError> {
        todo!()
    }

    /// PKCS#8 PEM, wiped on drop.
    pub fn to_pem(&self) -> super::Secret {
        todo!()
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        todo!()
    }

    /// Signs a message with RSASSA-PKCS1-v1_5 and the method's hash; the signature's raw bytes.
    /// `None` when the method is not an RSA method.
    pub fn sign(&self, _method: SignatureMethod, _message: &[u8]) -> Option<Vec<u8>> {
        todo!()
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

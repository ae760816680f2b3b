//! The signature methods (RFC 5849, sections 3.4.2 to 3.4.4): sign and verify.

use super::credentials::Secret;
use super::key::{PrivateKey, PublicKey};

/// A signature method by its name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureMethod {
    /// RFC 5849, section 3.4.2.
    HmacSha1,
    /// As section 3.4.2, with SHA-256. Opt-in.
    HmacSha256,
    /// As section 3.4.2, with SHA-512. Opt-in.
    HmacSha512,
    /// RFC 5849, section 3.4.3.
    RsaSha1,
    /// As section 3.4.3, with SHA-256. Opt-in.
    RsaSha256,
    /// As section 3.4.3, with SHA-512. Opt-in.
    RsaSha512,
    /// RFC 5849, section 3.4.4. Opt-in, https only.
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

    /// Reads a name of the wire; names are case-sensitive.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::RsaSha1 => "RSA-SHA1",
            Self::RsaSha256 => "RSA-SHA256",
            Self::RsaSha512 => "RSA-SHA512",
            Self::Plaintext => "PLAINTEXT",
        }
    }

    /// Whether the method signs with an RSA key.
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha512)
    }
}

/// What a consumer proves itself with. The key decides the family of methods, so a peer cannot choose a weaker one.
#[derive(Clone, Debug, PartialEq)]
pub enum VerificationKey {
    /// A shared secret: HMAC, and PLAINTEXT where it is allowed.
    Hmac(Secret),
    /// An RSA public key.
    Rsa(PublicKey),
}

/// What we sign with when we are the consumer.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// A shared secret.
    Hmac(Secret),
    /// An RSA private key.
    Rsa(PrivateKey),
}

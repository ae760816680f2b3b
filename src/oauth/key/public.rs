//! The public key: checked, parsed once, ready to verify.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use rsa::pkcs1::UintRef;
use rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use sha2::{Digest, Sha256};
use x509_cert::der::Encode;
use x509_cert::der::asn1::BitStringRef;

use crate::oauth::signature::SignatureMethod;
use crate::oauth::timestamp::Timestamp;

use super::KeyError;
use super::pasted::Pasted;

/// An RSA public key, parsed once, ready to verify. Cloning it is cheap.
#[derive(Clone)]
pub struct PublicKey(Arc<Parsed>);

struct Parsed {
    /// For SHA-1, SHA-256 and SHA-512.
    verifiers: [ParsedPublicKey; 3],
    /// The `SubjectPublicKeyInfo` in DER.
    spki: Vec<u8>,
    bits: usize,
    exponent: u64,
    not_after: Option<Timestamp>,
}

/// What reading a key may remark on: none of it stops the key from being used. `Display` is a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyWarning {
    /// Fewer than 2048 bits.
    Short {
        /// The key's size in bits.
        bits: usize,
    },
    /// A public exponent below 65537: sound where padding is checked strictly, as it is here, and fragile elsewhere.
    SmallExponent {
        /// The exponent.
        exponent: u64,
    },
    /// It came in a certificate whose time is over. The key is pinned, not the certificate, so it still counts.
    CertificateExpired,
}

impl PublicKey {
    /// Reads PEM (`SubjectPublicKeyInfo`, PKCS#1), a certificate, or bare base64 of one of these, with or without line
    /// breaks.
    ///
    /// Keys have 1024 to 8192 bits: below, they can be forged; above, verifying them is work that a stranger could order.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let pasted = Pasted::read(text)?;
        Self::from_components(&pasted.modulus, &pasted.exponent, pasted.not_after)
    }

    /// What to tell the administrator about this key, now.
    pub fn warnings_at(&self, now: Timestamp) -> Vec<KeyWarning> {
        let Parsed { bits, exponent, .. } = *self.0;
        let short = (bits < 2048).then_some(KeyWarning::Short { bits });
        let small = (exponent < 65537).then_some(KeyWarning::SmallExponent { exponent });
        let expired = self.0.not_after.is_some_and(|end| end < now);
        let expired = expired.then_some(KeyWarning::CertificateExpired);
        [short, small, expired].into_iter().flatten().collect()
    }

    /// Size of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.0.bits
    }

    /// The key as bare base64 of its `SubjectPublicKeyInfo`, which is how Bitbucket shows and reads keys.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.0.spki)
    }

    /// SHA-256 of the `SubjectPublicKeyInfo`, as `SHA256:` and base64 without padding.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.0.spki)))
    }

    /// Verifies an RSASSA-PKCS1-v1_5 signature (RFC 8017, section 8.2.2) with the hash of an RSA method.
    pub fn verify(&self, method: SignatureMethod, message: &[u8], signature: &[u8]) -> bool {
        let [sha1, sha256, sha512] = &self.0.verifiers;
        let verifier = match method {
            SignatureMethod::RsaSha1 => sha1,
            SignatureMethod::RsaSha256 => sha256,
            SignatureMethod::RsaSha512 => sha512,
            _ => return false,
        };
        verifier.verify_sig(message, signature).is_ok()
    }

    /// Checks and parses the numbers of a key, big-endian without leading zeros.
    pub(super) fn from_components(n: &[u8], e: &[u8], not_after: Option<i64>) -> Result<Self, KeyError> {
        let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        if bits < 1024 {
            return Err(KeyError(format!(
                "This RSA key has {bits} bits, which is not safe: at least 1024, better 2048."
            )));
        }
        if bits > 8192 {
            return Err(KeyError(format!(
                "This RSA key has {bits} bits: at most 8192, and 2048 to 4096 are usual."
            )));
        }
        if n.last().is_none_or(|byte| byte % 2 == 0) {
            return Err(
                "The modulus of this RSA key is even, so it is damaged or forged: paste it again.".into(),
            );
        }
        let exponent = number(e).filter(|exponent| exponent % 2 == 1 && (3..1 << 33).contains(exponent));
        let exponent = exponent.ok_or(
            "The public exponent of this RSA key is not usable, so anybody could forge its signatures: make a new key.",
        )?;
        let parsed = |algorithm: &'static RsaParameters| {
            let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(algorithm);
            key.map_err(|_| KeyError::from("This RSA key is damaged: paste it again."))
        };
        Ok(Self(Arc::new(Parsed {
            verifiers: [
                parsed(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)?,
                parsed(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)?,
                parsed(&RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)?,
            ],
            spki: spki(n, e).map_err(|_| "This RSA key cannot be written down again.")?,
            bits,
            exponent,
            not_after: not_after.map(Timestamp::from_seconds),
        })))
    }
}

impl PartialEq for PublicKey {
    /// The same numbers, whatever they came in.
    fn eq(&self, other: &Self) -> bool {
        self.0.spki == other.0.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bits, {})", self.bits(), self.fingerprint())
    }
}

impl fmt::Display for KeyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { bits } => write!(f, "the key has only {bits} bits: ask for one of 2048 or more"),
            Self::SmallExponent { exponent } => {
                write!(
                    f,
                    "the key's public exponent is {exponent}: keys made today have 65537"
                )
            }
            Self::CertificateExpired => f.write_str(
                "the key came in a certificate that has expired: it still counts, but ask for a new one",
            ),
        }
    }
}

fn number(big_endian: &[u8]) -> Option<u64> {
    let fits = big_endian.len() <= 8;
    fits.then(|| {
        big_endian
            .iter()
            .fold(0, |number, &byte| number << 8 | u64::from(byte))
    })
}

/// The one DER of a key, so that equal keys are equal bytes.
fn spki(n: &[u8], e: &[u8]) -> Result<Vec<u8>, x509_cert::der::Error> {
    let key = rsa::pkcs1::RsaPublicKeyRef {
        modulus: UintRef::new(n)?,
        public_exponent: UintRef::new(e)?,
    };
    let key = key.to_der()?;
    let info: SubjectPublicKeyInfoRef<'_> = SubjectPublicKeyInfoRef {
        algorithm: rsa::pkcs1::ALGORITHM_ID,
        subject_public_key: BitStringRef::from_bytes(&key)?,
    };
    info.to_der()
}

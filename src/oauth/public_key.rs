//! RSA public keys (RFC 5849, section 3.4.3; RFC 8017), in every form in which an administrator may paste one.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RsaParameters, RsaPublicKeyComponents,
};
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use rsa::BoxedUint;
use rsa::pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use rsa::pkcs8::{EncodePublicKey, PrivateKeyInfoRef};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::request::CertReq;

use super::hash::Hash;
use super::timestamp::Timestamp;

/// An RSA public key, parsed once. Cloning it is cheap.
#[derive(Clone)]
pub struct PublicKey(Arc<ParsedKey>);

struct ParsedKey {
    /// In the order of [`enum@Hash`].
    verifiers: [ParsedPublicKey; 3],
    /// The `SubjectPublicKeyInfo` in DER.
    spki: Vec<u8>,
    bits: usize,
    exponent: u64,
    not_after: Option<Timestamp>,
}

/// Why a text is not a usable key: a sentence that names what it is and what to paste instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

impl From<&str> for KeyError {
    fn from(sentence: &str) -> Self {
        Self(sentence.to_owned())
    }
}

/// A weakness of a key that can be used. `Display` is a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the names say it")]
pub enum KeyWarning {
    #[error("the key has only {bits} bits: ask for one of 2048 or more")]
    SmallModulus { bits: usize },
    /// A public exponent below 65537: safe here, where the padding is checked strictly, and fragile elsewhere.
    #[error("the key's public exponent is {exponent}: keys made today have 65537")]
    SmallExponent { exponent: u64 },
    /// The key came in a certificate that has expired. The key is pinned, not the certificate, so it can be used.
    #[error("the key came in a certificate that has expired: it still counts, but ask for a new one")]
    CertificateExpired,
}

impl PublicKey {
    /// Parses PEM (`SubjectPublicKeyInfo`, PKCS#1, a certificate) or bare base64 of one of these, which is how Bitbucket shows
    /// its key. Keys have 1024 to 8192 bits: signatures of smaller ones can be forged, and those of larger ones take too long
    /// to verify.
    ///
    /// # Errors
    ///
    /// A sentence that names what the text is instead. Keys have 1024 to 8192 bits: the signatures of smaller ones can be
    /// forged, and verifying those of larger ones takes long enough for an attack.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > 64 * 1024 {
            return Err("This is far too long for a public key.".into());
        }
        let text = text.replace("\\r", "").replace("\\n", "\n");
        let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\u{feff}'));
        reject(|mark| matches!(mark, Mark::Text(is_it) if is_it(text)))?;
        let der = if text.contains("-----") {
            decode_pem(text)?
        } else {
            decode_base64(text).ok_or(NEITHER)?
        };
        Self::from_der(&der)
    }

    /// The weaknesses of this key at a time.
    pub fn warnings_at(&self, now: Timestamp) -> Vec<KeyWarning> {
        let ParsedKey { bits, exponent, .. } = *self.0;
        let modulus = (bits < 2048).then_some(KeyWarning::SmallModulus { bits });
        let exponent = (exponent < 65537).then_some(KeyWarning::SmallExponent { exponent });
        let is_expired = self.0.not_after.is_some_and(|end| end < now);
        let certificate = is_expired.then_some(KeyWarning::CertificateExpired);
        [modulus, exponent, certificate].into_iter().flatten().collect()
    }

    /// The size of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.0.bits
    }

    /// The key as bare base64 of its `SubjectPublicKeyInfo`, which is how Bitbucket shows and reads keys.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.0.spki)
    }

    /// SHA-256 of the `SubjectPublicKeyInfo`, as `SHA256:` and base64 without padding.
    pub fn fingerprint(&self) -> String {
        let digest = Hash::Sha256.digest(&self.0.spki);
        format!("SHA256:{}", STANDARD_NO_PAD.encode(digest))
    }

    /// Verifies an RSASSA-PKCS1-v1_5 signature (RFC 8017, section 8.2.2).
    pub fn verify(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let verifier = &self.0.verifiers[hash as usize];
        verifier.verify_sig(message, signature).is_ok()
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = SubjectPublicKeyInfoRef::try_from(der) {
            return Self::from_spki(&key, None);
        }
        if let Ok(key) = RsaPublicKeyRef::try_from(der) {
            return Self::from_pkcs1(&key, None);
        }
        if let Ok(certificate) = Certificate::from_der(der) {
            let certificate = certificate.tbs_certificate();
            let spki = certificate.subject_public_key_info().to_der().unwrap_or_default();
            let spki = SubjectPublicKeyInfoRef::try_from(spki.as_slice())
                .map_err(|_| "This is a certificate, but its public key cannot be read.")?;
            let not_after = certificate.validity().not_after.to_unix_duration().as_secs();
            return Self::from_spki(&spki, Some(i64::try_from(not_after).unwrap_or(i64::MAX)));
        }
        reject(|mark| matches!(mark, Mark::Der(is_it) if is_it(der)))?;
        Err(NOT_A_KEY.into())
    }

    fn from_spki(key: &SubjectPublicKeyInfoRef<'_>, not_after: Option<i64>) -> Result<Self, KeyError> {
        let oid = key.algorithm.oid.to_string();
        reject(|mark| matches!(mark, Mark::Algorithm(other) if oid.starts_with(other)))?;
        if key.algorithm.oid != rsa::pkcs1::ALGORITHM_OID {
            let sentence = format!("This is a key of another algorithm ({oid}): paste an RSA public key.");
            return Err(KeyError(sentence));
        }
        let pkcs1 = key.subject_public_key.as_bytes().unwrap_or_default();
        let pkcs1 = RsaPublicKeyRef::try_from(pkcs1)
            .map_err(|_| "This says that it is an RSA public key, but there is none inside.")?;
        Self::from_pkcs1(&pkcs1, not_after)
    }

    fn from_pkcs1(key: &RsaPublicKeyRef<'_>, not_after: Option<i64>) -> Result<Self, KeyError> {
        Self::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes(), not_after)
    }

    /// Checks and parses modulus and exponent, big-endian without leading zeros.
    pub(super) fn from_components(n: &[u8], e: &[u8], not_after: Option<i64>) -> Result<Self, KeyError> {
        let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        let unsuitable = match bits {
            ..1024 => Some("which is not safe: at least 1024, better 2048"),
            8193.. => Some("which is too large: at most 8192, and 2048 to 4096 are usual"),
            _ => None,
        };
        if let Some(why) = unsuitable {
            return Err(KeyError(format!("This RSA key has {bits} bits, {why}.")));
        }
        if n.last().is_none_or(|byte| byte % 2 == 0) {
            return Err(EVEN_MODULUS.into());
        }
        let digits = e.iter().map(|&byte| u64::from(byte));
        let exponent = digits.fold(0, |number, digit| number << 8 | digit);
        if e.len() > 8 || exponent % 2 == 0 || !(3..1 << 33).contains(&exponent) {
            return Err(BAD_EXPONENT.into());
        }
        let parse = |algorithm: &'static RsaParameters| {
            let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(algorithm);
            key.map_err(|_| KeyError::from(DAMAGED))
        };
        let [modulus, public_exponent] = [n, e].map(BoxedUint::from_be_slice_vartime);
        let spki = rsa::PublicKey::new_unchecked(modulus, public_exponent).to_public_key_der();
        Ok(Self(Arc::new(ParsedKey {
            verifiers: [
                parse(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)?,
                parse(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)?,
                parse(&RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)?,
            ],
            spki: spki.map_err(|_| DAMAGED)?.into_vec(),
            bits,
            exponent,
            not_after: not_after.map(Timestamp::from_seconds),
        })))
    }
}

impl PartialEq for PublicKey {
    /// Equal if modulus and exponent are.
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

fn decode_pem(text: &str) -> Result<Vec<u8>, KeyError> {
    let (_, after) = text
        .split_once("-----BEGIN ")
        .ok_or("The line -----BEGIN ...----- is missing or damaged: paste the whole block.")?;
    let block = after.split_once("-----").and_then(|(label, rest)| {
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        Some((label, body))
    });
    let (label, body) = block.ok_or("The line -----END ...----- is missing: paste the whole block.")?;
    if !["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", "X509 CERTIFICATE"].contains(&label) {
        reject(|mark| matches!(mark, Mark::Label(prefix) if label.starts_with(prefix)))?;
    }
    Ok(decode_base64(body).ok_or("What stands between the BEGIN and END lines is not base64.")?)
}

/// Decodes base64 with white space and with or without padding. `None` if it is not base64, or empty.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let text: String = text.split_ascii_whitespace().collect();
    LENIENT.decode(text).ok().filter(|der| !der.is_empty())
}

/// Returns the sentence of the first entry of [`NOT_A_PUBLIC_KEY`] that applies.
fn reject(applies: impl Fn(&Mark) -> bool) -> Result<(), KeyError> {
    let found = NOT_A_PUBLIC_KEY.iter().find(|(mark, _)| applies(mark));
    found.map_or(Ok(()), |(_, sentence)| Err((*sentence).into()))
}

/// How something that is not an RSA public key is recognised.
enum Mark {
    Text(fn(&str) -> bool),
    /// By the beginning of its PEM label.
    Label(&'static str),
    /// By the beginning of the algorithm in its `SubjectPublicKeyInfo`.
    Algorithm(&'static str),
    Der(fn(&[u8]) -> bool),
}

/// What is pasted instead of an RSA public key, and the sentence for the administrator. The first entry that applies counts.
const NOT_A_PUBLIC_KEY: &[(Mark, &str)] = &[
    (Mark::Text(str::is_empty), EMPTY),
    (Mark::Text(|text| text.contains("PRIVATE KEY")), PRIVATE),
    (Mark::Text(|text| text.contains("SSH2 PUBLIC KEY")), OPENSSH),
    (Mark::Text(|text| text.starts_with("ssh-")), OPENSSH),
    (Mark::Text(|text| text.starts_with("ecdsa-sha2-")), OPENSSH),
    (Mark::Text(|text| text.starts_with("sk-")), OPENSSH),
    (Mark::Text(|text| text.starts_with('<')), XML),
    (Mark::Text(|text| text.starts_with('{')), JSON),
    (Mark::Label("CERTIFICATE REQUEST"), REQUEST),
    (Mark::Label("NEW CERTIFICATE REQUEST"), REQUEST),
    (Mark::Label("EC "), EC),
    (Mark::Label("DSA "), DSA),
    (Mark::Label("PGP "), PGP),
    (Mark::Label(""), OTHER_LABEL),
    (Mark::Algorithm("1.2.840.10045.2.1"), EC),
    (Mark::Algorithm("1.2.840.10040.4.1"), DSA),
    (Mark::Algorithm("1.2.840.113549.1.1.10"), PSS),
    (Mark::Algorithm("1.3.101.11"), EDWARDS),
    (Mark::Der(|der| PrivateKeyInfoRef::try_from(der).is_ok()), PRIVATE),
    (Mark::Der(|der| RsaPrivateKeyRef::try_from(der).is_ok()), PRIVATE),
    (Mark::Der(is_sec1_or_encrypted), PRIVATE),
    (Mark::Der(|der| CertReq::from_der(der).is_ok()), REQUEST),
    (Mark::Der(|der| der.starts_with(b"\0\0\0\x07ssh-")), OPENSSH),
    (Mark::Der(|der| der.starts_with(b"\0\0\0\x0bssh-")), OPENSSH),
];

/// Whether DER is a private key of an elliptic curve (SEC 1), or an encrypted one (PKCS#5, 1.2.840.113549.1.5).
fn is_sec1_or_encrypted(der: &[u8]) -> bool {
    let pkcs5 = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05";
    let mut beginning = der[..der.len().min(40)].windows(pkcs5.len());
    matches!(der, [0x30, _, 0x02, 0x01, 0x01, 0x04, ..]) || beginning.any(|window| window == pkcs5)
}

const EMPTY: &str = "There is no key here: paste the consumer's RSA public key.";
const PRIVATE: &str = "This is a private key, and nobody but its owner may have it: \
    paste the public key, and replace this key pair if the private key went through other hands.";
const OPENSSH: &str =
    "This is a key in OpenSSH's own format: convert an RSA key with `ssh-keygen -e -m PKCS8 -f key.pub`.";
const XML: &str = "This is XML: paste only what stands inside its publicKey element.";
const JSON: &str = "This is JSON, perhaps a JWK: paste the key as PEM instead.";
const REQUEST: &str = "This is a certificate request: paste the certificate, or the public key alone.";
const EC: &str = "This is an elliptic-curve key: OAuth 1.0 signs with RSA, so paste an RSA public key.";
const DSA: &str = "This is a DSA key: OAuth 1.0 signs with RSA, so paste an RSA public key.";
const PGP: &str = "This is a PGP key: paste an RSA public key as PEM.";
const OTHER_LABEL: &str = "This PEM block is neither a public key nor a certificate: paste one of these.";
const PSS: &str = "This RSA key is restricted to RSA-PSS, which OAuth 1.0 does not sign with.";
const EDWARDS: &str = "This is a key of an Edwards curve, such as Ed25519: OAuth 1.0 signs with RSA, so paste an RSA public key.";
const NOT_A_KEY: &str =
    "This is base64, but of nothing that looks like an RSA public key or a certificate: is it complete?";
const BAD_EXPONENT: &str = "The public exponent of this RSA key is not usable, so anybody could forge its signatures: make a new key.";
const EVEN_MODULUS: &str = "The modulus of this RSA key is even, so it is damaged or forged: paste it again.";
const DAMAGED: &str = "This RSA key is damaged: paste it again.";
const NEITHER: &str =
    "This is neither PEM nor base64: paste the consumer's RSA public key or its certificate.";

//! What an administrator pasted: armour and base64 are taken off, and the structure inside says what it is.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rsa::pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use rsa::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::request::CertReq;

use super::KeyError;

/// The numbers of an RSA public key, and until when its certificate is valid when it came in one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pasted {
    /// The modulus, big-endian, without leading zeros.
    pub(super) modulus: Vec<u8>,
    /// The public exponent, likewise.
    pub(super) exponent: Vec<u8>,
    /// The end of the certificate's time, in seconds since 1970.
    pub(super) not_after: Option<i64>,
}

impl Pasted {
    /// Reads whatever was pasted.
    pub(super) fn read(text: &str) -> Result<Self, KeyError> {
        if text.len() > 64 * 1024 {
            return Err("This is far too long for a public key.".into());
        }
        let text = text.replace("\\r", "").replace("\\n", "\n");
        let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\u{feff}'));
        let der = match unarmoured(text)? {
            Some(der) => der,
            None => bare(text)?,
        };
        Self::from_der(&der)
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = SubjectPublicKeyInfoRef::try_from(der) {
            return Self::from_spki(&key);
        }
        if let Ok(key) = RsaPublicKeyRef::try_from(der) {
            return Ok(Self::from_pkcs1(&key));
        }
        if let Ok(certificate) = Certificate::from_der(der) {
            return Self::from_certificate(&certificate);
        }
        Err(other_structure(der).into())
    }

    fn from_spki(key: &SubjectPublicKeyInfoRef<'_>) -> Result<Self, KeyError> {
        if key.algorithm.oid != RSA {
            return Err(other_algorithm(key.algorithm.oid));
        }
        let bits = key.subject_public_key.as_bytes();
        let inner = bits.and_then(|bits| RsaPublicKeyRef::try_from(bits).ok());
        let inner = inner.ok_or("This says that it is an RSA public key, but there is none inside.")?;
        Ok(Self::from_pkcs1(&inner))
    }

    fn from_pkcs1(key: &RsaPublicKeyRef<'_>) -> Self {
        Self {
            modulus: key.modulus.as_bytes().to_vec(),
            exponent: key.public_exponent.as_bytes().to_vec(),
            not_after: None,
        }
    }

    fn from_certificate(certificate: &Certificate) -> Result<Self, KeyError> {
        let certificate = certificate.tbs_certificate();
        let spki = certificate.subject_public_key_info().to_der().ok();
        let spki = spki
            .as_deref()
            .and_then(|der| SubjectPublicKeyInfoRef::try_from(der).ok());
        let spki = spki.ok_or("This is a certificate, but its public key cannot be read.")?;
        let not_after = certificate.validity().not_after.to_unix_duration().as_secs();
        Ok(Self {
            not_after: Some(i64::try_from(not_after).unwrap_or(i64::MAX)),
            ..Self::from_spki(&spki)?
        })
    }
}

/// The DER inside the first PEM block. `None`: there is no armour.
fn unarmoured(text: &str) -> Result<Option<Vec<u8>>, KeyError> {
    if text.contains("PRIVATE KEY") {
        return Err(PRIVATE.into());
    }
    if text.contains("SSH2 PUBLIC KEY") {
        return Err(OPENSSH.into());
    }
    let Some((_, after)) = text.split_once("-----BEGIN ") else {
        return if text.contains("-----") {
            Err("The line -----BEGIN ...----- is missing or damaged: paste the whole block.".into())
        } else {
            Ok(None)
        };
    };
    let block = after.split_once("-----").and_then(|(label, rest)| {
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        Some((label, body))
    });
    let (label, body) = block.ok_or("The line -----END ...----- is missing: paste the whole block.")?;
    if let Some(sentence) = other_label(label) {
        return Err(sentence.into());
    }
    let der = base64(body).ok_or("What stands between the BEGIN and END lines is not base64.")?;
    Ok(Some(der))
}

/// The DER of bare base64, which is how Bitbucket shows its key.
fn bare(text: &str) -> Result<Vec<u8>, KeyError> {
    if text.is_empty() {
        return Err("There is no key here: paste the consumer's RSA public key.".into());
    }
    let first = text.split_ascii_whitespace().next().unwrap_or_default();
    if first.starts_with("ssh-") || first.starts_with("ecdsa-sha2-") || first.starts_with("sk-") {
        return Err(OPENSSH.into());
    }
    if text.starts_with('<') {
        return Err("This is XML: paste only what stands inside its publicKey element.".into());
    }
    if text.starts_with('{') {
        return Err("This is JSON, perhaps a JWK: paste the key as PEM instead.".into());
    }
    base64(text).ok_or_else(|| {
        KeyError::from(
            "This is neither PEM nor base64: paste the consumer's RSA public key or its certificate.",
        )
    })
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let der = LENIENT.decode(dense).ok()?;
    (!der.is_empty()).then_some(der)
}

fn other_label(label: &str) -> Option<&'static str> {
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" | "X509 CERTIFICATE" => None,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Some(REQUEST),
        _ if label.starts_with("EC ") => Some(EC),
        _ if label.starts_with("DSA ") => Some(DSA),
        _ if label.starts_with("PGP ") => Some("This is a PGP key: paste an RSA public key as PEM."),
        _ => Some("This PEM block is neither a public key nor a certificate: paste one of these."),
    }
}

fn other_structure(der: &[u8]) -> &'static str {
    let private = PrivateKeyInfoRef::try_from(der).is_ok()
        || RsaPrivateKeyRef::try_from(der).is_ok()
        // An encrypted one names a password-based scheme (PKCS#5) at its beginning.
        || der[..der.len().min(40)].windows(PKCS5.len()).any(|window| window == PKCS5)
        // SEC 1: a sequence that begins with the version 1 and an octet string.
        || matches!(der, [0x30, _, 0x02, 0x01, 0x01, 0x04, ..]);
    if private {
        PRIVATE
    } else if CertReq::from_der(der).is_ok() {
        REQUEST
    } else if der.starts_with(b"\0\0\0\x07ssh-") || der.starts_with(b"\0\0\0\x0bssh-") {
        OPENSSH
    } else {
        "This is base64, but of nothing that looks like an RSA public key or a certificate: is it complete?"
    }
}

fn other_algorithm(oid: ObjectIdentifier) -> KeyError {
    match oid.to_string().as_str() {
        "1.2.840.113549.1.1.10" => {
            "This RSA key is restricted to RSA-PSS, which OAuth 1.0 does not sign with.".into()
        }
        "1.2.840.10045.2.1" => EC.into(),
        "1.2.840.10040.4.1" => DSA.into(),
        "1.3.101.112" => {
            "This is an Ed25519 key: OAuth 1.0 signs with RSA, so paste an RSA public key.".into()
        }
        "1.3.101.110" | "1.3.101.111" | "1.3.101.113" => {
            "This is a key of an Edwards curve: OAuth 1.0 signs with RSA, so paste an RSA public key.".into()
        }
        other => KeyError(format!(
            "This is a key of another algorithm ({other}): paste an RSA public key."
        )),
    }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The object identifier 1.2.840.113549.1.5 of PKCS#5.
const PKCS5: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05";

const RSA: ObjectIdentifier = rsa::pkcs1::ALGORITHM_OID;

const PRIVATE: &str = "This is a private key, and nobody but its owner may have it: \
    paste the public key, and replace this key pair if the private key went through other hands.";
const OPENSSH: &str =
    "This is a key in OpenSSH's own format: convert an RSA key with `ssh-keygen -e -m PKCS8 -f key.pub`.";
const REQUEST: &str = "This is a certificate request: paste the certificate, or the public key alone.";
const EC: &str = "This is an elliptic-curve key: OAuth 1.0 signs with RSA, so paste an RSA public key.";
const DSA: &str = "This is a DSA key: OAuth 1.0 signs with RSA, so paste an RSA public key.";

//! A certificate and the key that belongs to it.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};

use x509_cert::der::Decode;

use super::cryptography;
use crate::oauth::Timestamp;

/// A certificate with its issuers, and the private key that belongs to it.
#[derive(Clone)]
pub struct Certificate {
    pub(super) certified: Arc<CertifiedKey>,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// Why two texts are no pair. Each says what to write instead, after a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No certificate in the first text.
    #[error(
        "There is no certificate in it: write a PEM file with \"-----BEGIN CERTIFICATE-----\", your own first, its issuers below."
    )]
    NoCertificate,
    /// Something that says it is a certificate, and is none.
    #[error("Its certificate cannot be read: copy the PEM file again, whole.")]
    BadCertificate,
    /// No key in the second text.
    #[error("There is no private key in it: write the PEM file with \"-----BEGIN PRIVATE KEY-----\".")]
    NoKey,
    /// A key that a password protects.
    #[error("The private key is encrypted: write it without a password, readable by linkgate's user alone.")]
    EncryptedKey,
    /// A key of a kind that TLS does not know, or that is broken.
    #[error(
        "The private key cannot be used: write an RSA key of at least 2048 bits, or one of P-256 or P-384."
    )]
    UnusableKey,
    /// Both are good, and do not belong together.
    #[error("The private key is not the certificate's: write the key that the certificate was made for.")]
    Mismatch,
}

impl CertificateError {
    /// Whether the text with the key is the one to change.
    pub const fn is_key_error(self) -> bool {
        !matches!(self, Self::NoCertificate | Self::BadCertificate)
    }
}

impl Certificate {
    /// Reads two texts in PEM (RFC 7468).
    pub fn parse(certificates: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|_| CertificateError::BadCertificate)?;
        let first = chain.first().ok_or(CertificateError::NoCertificate)?;
        let read = x509_cert::Certificate::from_der(first).map_err(|_| CertificateError::BadCertificate)?;
        let validity = read.tbs_certificate().validity();
        let [not_before, not_after] = [validity.not_before, validity.not_after].map(|time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs());
            Timestamp::from_seconds(seconds.unwrap_or(i64::MAX))
        });
        let certified = CertifiedKey::from_der(chain, private_key(key)?, &cryptography());
        let certified = certified.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => CertificateError::Mismatch,
            Error::InvalidCertificate(_) => CertificateError::BadCertificate,
            _ => CertificateError::UnusableKey,
        })?;
        Ok(Self {
            certified: Arc::new(certified),
            not_before,
            not_after,
        })
    }

    /// The first second at which the certificate is good.
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last second at which the certificate is good.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether the certificate is good for a host: a name, or an address (RFC 9525).
    pub fn is_valid_for(&self, host: &str) -> bool {
        let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']'])) else {
            return false;
        };
        let certificate = self.certified.end_entity_cert();
        let parsed = certificate.and_then(ParsedCertificate::try_from);
        parsed.is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, CertificateError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|_| {
        let has = |label: &[u8]| text.windows(label.len()).any(|at| at == label);
        if has(b"ENCRYPTED") {
            CertificateError::EncryptedKey
        } else if has(b"PRIVATE KEY-----") {
            CertificateError::UnusableKey
        } else {
            CertificateError::NoKey
        }
    })
}

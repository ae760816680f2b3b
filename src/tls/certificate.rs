//! A certificate chain with its private key, and the two files that hold them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};
use x509_cert::der::Decode;
use zeroize::Zeroizing;

use crate::oauth::Timestamp;

/// A server's certificate, the certificates of its issuers, and its private key.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(super) certified: Arc<CertifiedKey>,
    /// The first second at which the certificate is valid.
    pub not_before: Timestamp,
    /// The last second at which the certificate is valid.
    pub not_after: Timestamp,
}

/// The paths of a certificate chain and of its private key, both in PEM (RFC 7468).
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// The server's certificate, followed by those of its issuers.
    #[serde(rename = "cert_file")]
    pub certificate: PathBuf,
    /// The private key.
    #[serde(rename = "key_file")]
    pub key: PathBuf,
}

/// Why a certificate or its key cannot be used. The message ends with the remedy, after a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CertificateError {
    #[error(
        "There is no certificate in it: write a PEM file with \"-----BEGIN CERTIFICATE-----\", your own first, its issuers below."
    )]
    NoCertificate,
    #[error("Its certificate cannot be read: copy the PEM file again, whole.")]
    BadCertificate,
    #[error("There is no private key in it: write the PEM file with \"-----BEGIN PRIVATE KEY-----\".")]
    NoKey,
    #[error("The private key is encrypted: write it without a password, readable by linkgate's user alone.")]
    EncryptedKey,
    #[error(
        "The private key cannot be used: write an RSA key of at least 2048 bits, or one of P-256 or P-384."
    )]
    UnusableKey,
    #[error("The private key is not the certificate's: write the key that the certificate was made for.")]
    Mismatch,
}

/// Why the two files cannot be used. Names the file to change.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CertificateFileError {
    #[error("{} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("{}: {}", .0.display(), .1)]
    Unusable(PathBuf, CertificateError),
}

/// The hash of both files, to detect changes.
pub(super) type Fingerprint = [u8; 32];

impl CertificateError {
    /// Returns true if the private key has to be changed, false if the certificate has to be.
    pub const fn is_key_error(self) -> bool {
        !matches!(self, Self::NoCertificate | Self::BadCertificate)
    }
}

impl Certificate {
    /// Parses a certificate chain and its private key, both in PEM.
    pub fn parse(certificates: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let chain = chain.map_err(|_| CertificateError::BadCertificate)?;
        let first = chain.first().ok_or(CertificateError::NoCertificate)?;
        let parsed = x509_cert::Certificate::from_der(first).map_err(|_| CertificateError::BadCertificate)?;
        let validity = parsed.tbs_certificate().validity();
        let [not_before, not_after] = [validity.not_before, validity.not_after].map(|time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs());
            Timestamp::from_seconds(seconds.unwrap_or(i64::MAX))
        });
        let provider = aws_lc_rs::default_provider();
        let certified = CertifiedKey::from_der(chain, private_key(key)?, &provider).map(Arc::new);
        let certified = certified.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => CertificateError::Mismatch,
            Error::InvalidCertificate(_) => CertificateError::BadCertificate,
            _ => CertificateError::UnusableKey,
        })?;
        Ok(Self {
            certified,
            not_before,
            not_after,
        })
    }

    /// Returns true if the certificate is for this host name or IP address (RFC 9525).
    pub fn is_valid_for(&self, host: &str) -> bool {
        let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']'])) else {
            return false;
        };
        let certificate = self.certified.end_entity_cert();
        let parsed = certificate.and_then(ParsedCertificate::try_from);
        parsed.is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
    }
}

impl CertificateFiles {
    pub(super) fn load(&self) -> Result<(Certificate, Fingerprint), CertificateFileError> {
        let (certificates, key) = (read(&self.certificate)?, read(&self.key)?);
        let certificate = Certificate::parse(&certificates, &key).map_err(|error| {
            let file = if error.is_key_error() {
                &self.key
            } else {
                &self.certificate
            };
            CertificateFileError::Unusable(file.clone(), error)
        })?;
        Ok((certificate, fingerprint(&certificates, &key)))
    }

    /// Returns the fingerprint of both files, whatever they contain.
    pub(super) fn fingerprint(&self) -> Result<Fingerprint, CertificateFileError> {
        Ok(fingerprint(&read(&self.certificate)?, &read(&self.key)?))
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

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateFileError> {
    let read = std::fs::read(path).map(Zeroizing::new);
    read.map_err(|error| CertificateFileError::Unreadable(path.to_owned(), error))
}

fn fingerprint(certificates: &[u8], key: &[u8]) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(certificates.len().to_be_bytes());
    hash.update(certificates);
    hash.update(key);
    hash.finalize().into()
}

//! The two files in which a certificate and its key stand.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::certificate::{Certificate, CertificateError};

/// Where a certificate and its key stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, its issuers below it.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Why two files are no pair.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFileError {
    /// One of them cannot be read.
    #[error("{} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// They were read, and are no pair; the file is the one to change.
    #[error("{}: {}", .0.display(), .1)]
    Unusable(PathBuf, CertificateError),
}

/// What both files hold, by which a change is seen.
pub(super) type Fingerprint = [u8; 32];

impl CertificateFiles {
    /// Reads both files.
    pub fn read(&self) -> Result<Certificate, CertificateFileError> {
        self.load().map(|(pair, _)| pair)
    }

    /// Reads both files, and says by what to know them again.
    pub(super) fn load(&self) -> Result<(Certificate, Fingerprint), CertificateFileError> {
        let (certificate, key) = (read(&self.certificate)?, read(&self.key)?);
        let pair = Certificate::parse(&certificate, &key).map_err(|error| {
            let file = if error.is_key_error() {
                &self.key
            } else {
                &self.certificate
            };
            CertificateFileError::Unusable(file.clone(), error)
        })?;
        Ok((pair, fingerprint(&certificate, &key)))
    }

    /// What both files hold now; `None`: one of them cannot be read.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        let (certificate, key) = (read(&self.certificate).ok()?, read(&self.key).ok()?);
        Some(fingerprint(&certificate, &key))
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateFileError> {
    let read = std::fs::read(path).map(Zeroizing::new);
    read.map_err(|error| CertificateFileError::Unreadable(path.to_owned(), error))
}

fn fingerprint(certificate: &[u8], key: &[u8]) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(certificate.len().to_be_bytes());
    hash.update(certificate);
    hash.update(key);
    hash.finalize().into()
}

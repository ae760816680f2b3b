//! Whom we believe.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// The issuers of certificates that we believe.
#[derive(Clone)]
pub struct Roots(pub(super) Arc<RootCertStore>);

/// Why there are no issuers to believe. The sentence says what to write instead, after a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// A file without a certificate.
    #[error(
        "There is no certificate in it: write the issuer's, a PEM file with \"-----BEGIN CERTIFICATE-----\"."
    )]
    Empty,
    /// A certificate that cannot be read.
    #[error("A certificate in it cannot be read: copy the PEM file again, whole.")]
    Unreadable,
    /// A system that believes nobody.
    #[error("This system has no list of issuers: install ca-certificates, or name a ca_file.")]
    NoSystem,
}

impl Roots {
    /// Reads a PEM file: these, and nobody else.
    pub fn parse(text: &[u8]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate = certificate.map_err(|_| RootsError::Unreadable)?;
            roots.add(certificate).map_err(|_| RootsError::Unreadable)?;
        }
        if roots.is_empty() {
            return Err(RootsError::Empty);
        }
        Ok(Self(Arc::new(roots)))
    }

    /// Those that the operating system believes, with what its administrator added.
    pub fn system() -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a part of the system's list of issuers cannot be read");
        }
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(RootsError::NoSystem);
        }
        Ok(Self(Arc::new(roots)))
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({})", self.0.len())
    }
}

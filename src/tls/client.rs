//! TLS connections to servers, and the trust roots that their certificates must chain to.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::error::TlsError;
use crate::setting::{FileContent, FromFile};

/// Connects to servers whose certificates chain to given trust roots. Clones share TLS sessions.
#[derive(Clone, Debug)]
pub struct ClientTls(Arc<ClientConfig>);

/// Trust roots: certificates of issuers.
#[derive(Clone, Debug)]
pub struct Roots(Arc<RootCertStore>);

/// Why there are no trust roots. The message ends with the remedy, after a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RootsError {
    #[error(
        "There is no certificate in it: write the issuer's, a PEM file with \"-----BEGIN CERTIFICATE-----\"."
    )]
    Empty,
    #[error("A certificate in it cannot be read: copy the PEM file again, whole.")]
    Unreadable,
    #[error("This system has no list of issuers: install ca-certificates, or name a ca_file.")]
    NoSystem,
}

impl ClientTls {
    /// Trusts these roots, and offers HTTP/1.1 alone by ALPN.
    pub fn with_roots(roots: Roots) -> Self {
        let mut config = client_config(roots);
        Arc::make_mut(&mut config).alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(config)
    }

    /// Performs the handshake with a server whose certificate must be for this name.
    pub async fn connect(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, TlsError> {
        let connector = TlsConnector::from(Arc::clone(&self.0));
        Ok(connector.connect(name, stream).await?)
    }
}

/// The configuration of a client that trusts these roots, without ALPN.
pub(crate) fn client_config(roots: Roots) -> Arc<ClientConfig> {
    ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs supports TLS 1.2 and 1.3")
        .with_root_certificates(roots.0)
        .with_no_client_auth()
        .into()
}

impl Roots {
    /// Parses a PEM file (RFC 7468). The roots of the operating system are not added.
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

    /// The trust roots that a `ca_file` names, or those of the operating system, which may have none.
    pub fn or_system(ca_file: Option<&FromFile<Self>>) -> Result<Self, RootsError> {
        ca_file.map_or_else(Self::system, |file| Ok(file.content.clone()))
    }

    /// Loads the trust roots of the operating system.
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

impl FileContent for Roots {
    fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        Self::parse(&bytes).map_err(|why| why.to_string())
    }
}

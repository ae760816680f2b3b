//! What the public listener shows.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, rustls};

use super::certificate::Certificate;
use super::cryptography;
use super::files::{CertificateFileError, CertificateFiles, Fingerprint};

/// What the public listener shows: a certificate that is replaced while it serves. Clones share it.
#[derive(Clone)]
pub struct ServerTls {
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
    files: Arc<Mutex<(CertificateFiles, Fingerprint)>>,
}

/// The pair of the moment.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ServerTls {
    /// Reads the pair, and offers HTTP/2 and HTTP/1.1 over TLS 1.2 and 1.3 (RFC 7301, section 3.1).
    pub fn read(files: CertificateFiles) -> Result<Self, CertificateFileError> {
        let (pair, fingerprint) = files.load()?;
        let shown = Arc::new(Shown(RwLock::new(pair.certified)));
        Ok(Self {
            acceptor: Arc::new(config(Arc::clone(&shown))).into(),
            shown,
            files: Arc::new(Mutex::new((files, fingerprint))),
        })
    }

    /// Reads a pair again, possibly from other files. The error leaves the old one in use.
    pub fn reload(&self, files: CertificateFiles) -> Result<Certificate, CertificateFileError> {
        let (pair, fingerprint) = files.load()?;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&pair.certified);
        *self.files() = (files, fingerprint);
        Ok(pair)
    }

    /// Shakes hands with a client, which has ten seconds for it.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let handshake = tokio::time::timeout(HANDSHAKE, self.acceptor.accept(stream)).await;
        handshake.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    pub(super) fn files(&self) -> MutexGuard<'_, (CertificateFiles, Fingerprint)> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ServerTls").field(&self.files().0).finish()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn config(shown: Arc<Shown>) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(cryptography())
        .with_protocol_versions(VERSIONS)
        .expect("aws-lc-rs knows both versions")
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

pub(super) const VERSIONS: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

/// A client that is slower than this is not served: until then it holds a task and a descriptor.
const HANDSHAKE: Duration = Duration::from_secs(10);

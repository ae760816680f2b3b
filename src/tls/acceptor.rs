//! Accepts TLS connections with a certificate that can be replaced.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;

use super::certificate::{Certificate, CertificateFileError, CertificateFiles, Fingerprint};

/// The TLS side of the public listener. Clones share the certificate, which can be replaced at any time.
#[derive(Clone, Debug)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
    current: Arc<CurrentCertificate>,
}

/// The certificate for the next handshake, and the files that it was read from.
#[derive(Debug)]
struct CurrentCertificate(RwLock<(Arc<CertifiedKey>, CertificateFiles, Fingerprint)>);

impl ServerTls {
    /// Reads the certificate, and offers HTTP/2 and HTTP/1.1 by ALPN (RFC 7301, section 3.1).
    pub fn read(files: CertificateFiles) -> Result<Self, CertificateFileError> {
        let (certificate, fingerprint) = files.load()?;
        let loaded = (certificate.certified, files, fingerprint);
        let current = Arc::new(CurrentCertificate(RwLock::new(loaded)));
        let config = config(Arc::clone(&current)).into();
        Ok(Self { config, current })
    }

    /// Replaces the certificate, possibly by one from other files. If that fails, the old one stays in use.
    pub fn reload(&self, files: CertificateFiles) -> Result<Certificate, CertificateFileError> {
        let (certificate, fingerprint) = files.load()?;
        let loaded = (Arc::clone(&certificate.certified), files, fingerprint);
        *self.current.0.write() = loaded;
        Ok(certificate)
    }

    /// Performs the handshake with a client; fails with [`io::ErrorKind::TimedOut`] after ten seconds.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let handshake = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream);
        tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await?
    }

    /// Polls the files and replaces the certificate after they have changed. Never returns.
    pub async fn watch_files(self) {
        let (mut previous, mut rejected) = (None, None);
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            let (files, loaded) = {
                let current = self.current.0.read();
                (current.1.clone(), current.2)
            };
            let polled = files.clone();
            let poll = tokio::task::spawn_blocking(move || polled.fingerprint()).await;
            let Ok(Ok(found)) = poll else {
                continue;
            };
            // The two files are written one after the other: a change counts when two polls in a row have found it.
            let is_stable = previous.replace(found) == Some(found);
            if !is_stable || found == loaded || rejected == Some(found) {
                continue;
            }
            let server = self.clone();
            let reload = tokio::task::spawn_blocking(move || server.reload(files)).await;
            match reload {
                Ok(Ok(certificate)) => {
                    tracing::info!(not_after = %certificate.not_after, "a new certificate is in use");
                    continue;
                }
                Ok(Err(error)) => tracing::error!("the old certificate stays in use: {error}"),
                Err(error) => tracing::error!(%error, "the new certificate was not read"),
            }
            // Logged once, not at every poll.
            rejected = Some(found);
        }
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().0))
    }
}

fn config(current: Arc<CurrentCertificate>) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs supports TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// Until it ends, a handshake holds a task and a file descriptor.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_secs(2);

//! A connection to the application.

use std::fmt;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::acceptor::VERSIONS;
use super::cryptography;
use super::error::TlsError;
use super::roots::Roots;

/// Makes connections to servers that prove who they are. Clones share its sessions.
#[derive(Clone)]
pub struct ClientTls(TlsConnector);

impl ClientTls {
    /// Believes these issuers. Only HTTP/1.1 is offered.
    pub fn with_roots(roots: Roots) -> Self {
        Self(Arc::new(config(roots)).into())
    }

    /// Shakes hands with a server that must prove to have this name.
    pub async fn connect(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, TlsError> {
        self.0.connect(name, stream).await.map_err(TlsError::from)
    }
}

/// What a client goes by that offers a protocol of its own choice, or none: these issuers are believed.
pub fn client_config(roots: Roots) -> Arc<ClientConfig> {
    let mut config = config(roots);
    config.alpn_protocols.clear();
    Arc::new(config)
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTls")
    }
}

fn config(roots: Roots) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(cryptography())
        .with_protocol_versions(VERSIONS)
        .expect("aws-lc-rs knows both versions")
        .with_root_certificates(roots.0)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

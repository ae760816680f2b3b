//! TLS 1.2 and 1.3 (RFC 5246, RFC 8446) by rustls, with the cryptography of aws-lc-rs.
//!
//! 1. [`Certificate`]: a certificate chain with its private key; [`CertificateFiles`]: the two PEM files that hold them;
//! 2. [`ServerTls`]: accepts connections with a certificate that can be replaced, and watches its files;
//! 3. [`Roots`]: trust roots; [`ClientTls`]: connects to servers whose certificates chain to them;
//! 4. [`TlsError`]: why a server cannot be trusted or reached.

mod acceptor;
mod certificate;
mod client;
mod error;

pub use acceptor::ServerTls;
pub use certificate::{Certificate, CertificateError, CertificateFileError, CertificateFiles};
#[cfg(feature = "ldap")]
pub(crate) use client::client_config;
pub use client::{ClientTls, Roots, RootsError};
pub use error::TlsError;
pub use tokio_rustls::rustls::pki_types::ServerName;

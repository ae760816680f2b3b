//! TLS, both ways: who we prove to be when we are called, and whom we believe when we call.
//!
//! 1. [`Certificate`]: a certificate and its key, as they stand in two PEM files ([`CertificateFiles`]);
//! 2. [`ServerTls`]: what the public listener shows, replaced while it serves; `follow` looks at the files;
//! 3. [`Roots`]: whom we believe; [`ClientTls`]: a connection to the application; [`client_config`]: for connections to others;
//! 4. [`TlsError`]: why there is none, told apart.
//!
//! TLS 1.2 and 1.3 (RFC 5246, RFC 8446) by rustls, cryptography by aws-lc-rs.

mod acceptor;
mod certificate;
mod client;
mod error;
mod files;
mod follow;
mod roots;

use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use acceptor::ServerTls;
pub use certificate::{Certificate, CertificateError};
pub use client::{ClientTls, client_config};
pub use error::TlsError;
pub use files::{CertificateFileError, CertificateFiles};
pub use roots::{Roots, RootsError};
pub use tokio_rustls::rustls::pki_types::ServerName;

fn cryptography() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

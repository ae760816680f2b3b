//! Why a TLS connection to a server failed, told apart by what its administrator must change.

use std::io;

use tokio_rustls::rustls::{self, CertificateError};

/// Why a TLS connection to a server failed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum TlsError {
    #[error("the certificate is not trusted: its issuer is not in ca_file, or not in the system's list")]
    NotTrusted,
    #[error("the certificate has expired")]
    Expired,
    #[error("the certificate is not valid yet")]
    NotValidYet,
    #[error("the certificate is for another name{}", presented(.0))]
    WrongName(Vec<String>),
    #[error("the certificate is an issuer's own, and no server's: make one with basicConstraints=CA:FALSE")]
    CaUsedAsEndEntity,
    #[error("the certificate cannot be used: {0}")]
    Unusable(CertificateError),
    #[error("the server does not speak TLS at this port")]
    NotTls,
    #[error("the server did not answer the TLS handshake in time; does it speak TLS at this port?")]
    HandshakeTimeout,
    #[error("no TLS connection came about: {0}")]
    Failed(io::Error),
}

impl TlsError {
    /// Returns true if the server's certificate is wrong.
    pub const fn is_certificate_error(&self) -> bool {
        !matches!(self, Self::NotTls | Self::HandshakeTimeout | Self::Failed(_))
    }
}

impl From<io::Error> for TlsError {
    fn from(error: io::Error) -> Self {
        use CertificateError as E;
        // An I/O error does not return the rustls error that it wraps as its source.
        let error = match error.get_ref().and_then(|wrapped| wrapped.downcast_ref()) {
            Some(rustls::Error::InvalidCertificate(error)) => error.clone(),
            Some(rustls::Error::InvalidMessage(_)) => return Self::NotTls,
            _ => return Self::Failed(error),
        };
        match error {
            // A root of the same name with another key leads to a bad signature.
            E::UnknownIssuer | E::BadSignature => Self::NotTrusted,
            E::Expired | E::ExpiredContext { .. } => Self::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => Self::NotValidYet,
            E::NotValidForName => Self::WrongName(Vec::new()),
            E::NotValidForNameContext { presented, .. } => Self::WrongName(presented),
            // rustls has no variant for it, and wraps the verifier's error.
            E::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => Self::CaUsedAsEndEntity,
            other => Self::Unusable(other),
        }
    }
}

fn presented(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!(": it has {}", names.join(", "))
}

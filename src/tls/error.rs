//! Why a server was not believed, told apart by what its administrator must do.

use std::io;

use tokio_rustls::rustls::{CertificateError, Error};

/// Why a connection to a server did not become a TLS connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Its certificate's issuer is none of those that we believe.
    #[error("the certificate is not trusted: its issuer is not in ca_file, or not in the system's list")]
    NotTrusted,
    /// Its certificate was good until some time ago.
    #[error("the certificate has expired")]
    Expired,
    /// Its certificate is not good yet, or a clock is wrong.
    #[error("the certificate is not valid yet")]
    NotValidYet,
    /// Its certificate is somebody else's.
    #[error("the certificate is for another name{}", presented(.0))]
    WrongName(Vec<String>),
    /// Its certificate may issue others and be no server's, as `openssl req -x509` makes them.
    #[error("the certificate is an issuer's own, and no server's: make one with basicConstraints=CA:FALSE")]
    CaUsedAsEndEntity,
    /// Its certificate is wrong in another way.
    #[error("the certificate cannot be used: {0}")]
    Unusable(CertificateError),
    /// It speaks something else, possibly plain HTTP.
    #[error("the server does not speak TLS at this port")]
    NotTls,
    /// It accepts connections, and says nothing.
    #[error("the server did not answer the TLS handshake in time; does it speak TLS at this port?")]
    HandshakeTimeout,
    /// The connection broke off, or the two have no version or cipher in common.
    #[error("no TLS connection came about: {0}")]
    Failed(io::Error),
}

impl TlsError {
    /// Whether it is the certificate that is wrong.
    pub const fn is_certificate_error(&self) -> bool {
        !matches!(self, Self::NotTls | Self::HandshakeTimeout | Self::Failed(_))
    }
}

impl From<io::Error> for TlsError {
    fn from(error: io::Error) -> Self {
        Self::among(&error).unwrap_or(Self::Failed(error))
    }
}

impl TlsError {
    /// What an error comes from, when that is the other end's certificate, or that it speaks no TLS.
    pub fn among(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            match error.downcast_ref() {
                Some(Error::InvalidCertificate(why)) => return Some(Self::of_certificate(why.clone())),
                Some(Error::InvalidMessage(_)) => return Some(Self::NotTls),
                _ => {}
            }
            // An I/O error does not name what it wraps as its source.
            cause = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(wrapped) => Some(wrapped),
                None => error.source(),
            };
        }
        None
    }

    fn of_certificate(why: CertificateError) -> Self {
        use CertificateError as E;
        match why {
            // An issuer of the same name, with another key, is another issuer.
            E::UnknownIssuer | E::BadSignature => Self::NotTrusted,
            E::Expired | E::ExpiredContext { .. } => Self::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => Self::NotValidYet,
            E::NotValidForName => Self::WrongName(Vec::new()),
            E::NotValidForNameContext { presented, .. } => Self::WrongName(presented),
            // The verifier has no variant for it, only a name.
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

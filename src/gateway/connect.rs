//! A new connection to the application, or why there is none.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::connection::{Connection, Stream};
use super::error::GatewayError;
use super::upstream::{Security, Upstream};
use crate::tls::TlsError;

/// Why no connection to the application came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFault {
    /// The name in its address is not known.
    #[error("its name cannot be found: {0}")]
    NoSuchName(io::Error),
    /// Nobody listens at its address.
    #[error("it refused the connection: nothing listens there")]
    Refused,
    /// The network does not lead there.
    #[error("it cannot be reached: {0}")]
    Unreachable(io::Error),
    /// No connection in time.
    #[error("it did not accept a connection in time")]
    TimedOut,
    /// It did not prove to be the application.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its address is an `https` one, and nobody has said whom to believe.
    #[error("its address is https, and no certificates to believe are given")]
    NobodyToBelieve,
}

impl ConnectFault {
    /// Whether it is only that time has passed.
    pub(super) const fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Tls(TlsError::HandshakeTimeout))
    }

    /// The fault in one word, for machines.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchName(_) => "upstream_name_unknown",
            Self::Refused => "upstream_refused",
            Self::Unreachable(_) => "upstream_unreachable",
            Self::TimedOut => "upstream_connect_timeout",
            Self::Tls(TlsError::NotTrusted) => "upstream_certificate_untrusted",
            Self::Tls(TlsError::Expired) => "upstream_certificate_expired",
            Self::Tls(TlsError::NotValidYet) => "upstream_certificate_not_yet_valid",
            Self::Tls(TlsError::WrongName(_)) => "upstream_certificate_wrong_name",
            Self::Tls(tls) if tls.is_certificate_error() => "upstream_certificate_unusable",
            Self::Tls(TlsError::HandshakeTimeout) => "upstream_tls_timeout",
            Self::Tls(_) => "upstream_tls_failed",
            Self::NobodyToBelieve => "internal",
        }
    }

    /// What happened, and what to do: for people, and without a word about our inside.
    pub(super) const fn words(&self) -> (&'static str, &'static str) {
        const STARTING: &str = "It may be starting: try again in a moment.";
        const ADMINISTRATOR: &str = "Nothing was sent to it. Tell the administrator the reference below.";
        match self {
            Self::NoSuchName(_) => ("The application's host name cannot be found.", ADMINISTRATOR),
            Self::Refused => ("The application is not running.", STARTING),
            Self::Unreachable(_) => ("The application cannot be reached.", STARTING),
            Self::TimedOut => (
                "The application did not accept a connection in time.",
                "Nothing was sent to it: try again in a moment.",
            ),
            Self::Tls(TlsError::NotTrusted) => {
                ("The application's certificate is not trusted.", ADMINISTRATOR)
            }
            Self::Tls(TlsError::Expired) => ("The application's certificate has expired.", ADMINISTRATOR),
            Self::Tls(TlsError::NotValidYet) => (
                "The application's certificate is not valid yet, or a clock is wrong.",
                ADMINISTRATOR,
            ),
            Self::Tls(TlsError::WrongName(_)) => (
                "The application's certificate is for another name.",
                ADMINISTRATOR,
            ),
            Self::Tls(tls) if tls.is_certificate_error() => {
                ("The application's certificate cannot be used.", ADMINISTRATOR)
            }
            Self::Tls(_) => (
                "No secure connection to the application came about.",
                ADMINISTRATOR,
            ),
            Self::NobodyToBelieve => ("Something went wrong.", ADMINISTRATOR),
        }
    }
}

/// Makes a connection; the name, the network and TLS share the time.
pub(super) async fn connect(upstream: &Upstream, within: Duration) -> Result<Box<Connection>, GatewayError> {
    let until = Instant::now() + within;
    let stream = make(upstream, until).await.map_err(GatewayError::Unreachable)?;
    Ok(Box::new(Connection::new(stream)))
}

async fn make(upstream: &Upstream, until: Instant) -> Result<Stream, ConnectFault> {
    let stream = timeout_at(until, reach(upstream)).await;
    let stream = stream.unwrap_or(Err(ConnectFault::TimedOut))?;
    match upstream.security() {
        Security::Plain => Ok(Stream::Plain(stream)),
        Security::Tls(tls, name) => {
            let secured = timeout_at(until, tls.connect(name.clone(), stream)).await;
            Ok(Stream::Tls(Box::new(
                secured.unwrap_or(Err(TlsError::HandshakeTimeout))?,
            )))
        }
        Security::Missing => Err(ConnectFault::NobodyToBelieve),
    }
}

async fn reach(upstream: &Upstream) -> Result<TcpStream, ConnectFault> {
    let addresses = lookup_host(upstream.socket()).await;
    let addresses: Vec<_> = addresses.map_err(ConnectFault::NoSuchName)?.collect();
    let stream = TcpStream::connect(&addresses[..]).await;
    let stream = stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
    stream.map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => ConnectFault::Refused,
        ErrorKind::TimedOut => ConnectFault::TimedOut,
        _ => ConnectFault::Unreachable(error),
    })
}

//! Where a server is, and a new connection to it.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_util::io::InspectReader;
use tokio_util::task::AbortOnDropHandle;

use super::{HttpClientError, RequestBody};
use crate::tls::{ClientTls, ServerName, TlsError};

/// A server: host, port, and for `https` the name that its certificate must have.
#[derive(Clone, Debug)]
pub struct Address {
    /// The value of `Host` (RFC 9110, section 7.2).
    pub(super) authority: HeaderValue,
    /// As the URL names it, an IPv6 address without brackets.
    pub host: String,
    /// The port, also if it is the usual one.
    pub port: u16,
    /// `None`: clear text.
    server_name: Option<ServerName<'static>>,
}

/// A connection and the task that drives it. Dropped, it is closed, whatever is still being sent or received.
#[derive(Debug)]
pub(super) struct OpenConnection {
    pub(super) sender: SendRequest<RequestBody>,
    /// Whether anything was received. The client resets it before a request.
    pub(super) received: Arc<AtomicBool>,
    _task: AbortOnDropHandle<()>,
}

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Any.
    Anywhere,
    /// Not those of cloud metadata services, nor link-local, multicast and unspecified ones, if DNS returns them: a defence
    /// against server-side request forgery. An address that a URL itself contains is the administrator's choice.
    NotMetadata,
}

/// Makes connections.
#[derive(Clone, Debug)]
pub struct Connector {
    /// The trust roots of `https`; `None`: there are none.
    pub tls: Option<ClientTls>,
    /// Which addresses may be connected to.
    pub reach: Reach,
    /// The time for DNS, TCP and TLS together.
    pub timeout: Duration,
}

/// Why there is no connection. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ConnectError {
    #[error("its name cannot be found: {0}")]
    NameNotFound(io::Error),
    #[error("{0} is at {1}, which is no place for it")]
    Denied(String, IpAddr),
    #[error("it refused the connection: nothing listens there")]
    Refused,
    #[error("it cannot be reached: {0}")]
    Unreachable(io::Error),
    #[error("it did not accept a connection in time")]
    Timeout,
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("its address is https, and no certificates to believe are given")]
    NoTrustRoots,
}

impl Address {
    /// The server of an absolute `http` or `https` URL; `None` if it is neither, has user information, no host, or no port
    /// that exists.
    pub fn of(url: &Uri) -> Option<Self> {
        let authority = url.authority()?;
        let secure = url.scheme() == Some(&Scheme::HTTPS);
        if !secure && url.scheme() != Some(&Scheme::HTTP) {
            return None;
        }
        let usual = if secure { 443 } else { 80 };
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => usual,
            port => port.strip_prefix(':')?.parse::<NonZeroU16>().ok()?.get(),
        };
        let suffix = if port == usual {
            String::new()
        } else {
            format!(":{port}")
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return None;
        }
        let server_name = secure.then(|| ServerName::try_from(host.clone()));
        Some(Self {
            authority: HeaderValue::try_from(format!("{}{suffix}", authority.host())).ok()?,
            host,
            port,
            server_name: server_name.transpose().ok()?,
        })
    }

    /// The same server, whose certificate has another name than its address.
    #[must_use]
    pub fn with_server_name(mut self, name: ServerName<'static>) -> Self {
        self.server_name = Some(name);
        self
    }

    /// Whether the address is an `https` one.
    pub const fn is_secure(&self) -> bool {
        self.server_name.is_some()
    }
}

impl Connector {
    /// Connects to a server and starts the task that drives the connection, on the current runtime.
    pub(super) async fn connect(&self, address: &Address) -> Result<OpenConnection, HttpClientError> {
        let deadline = Instant::now() + self.timeout;
        let stream = timeout_at(deadline, self.connect_tcp(address)).await;
        let stream = stream.unwrap_or(Err(ConnectError::Timeout))?;
        let Some(name) = &address.server_name else {
            return handshake(stream).await;
        };
        let tls = self.tls.as_ref().ok_or(ConnectError::NoTrustRoots)?;
        let secured = timeout_at(deadline, tls.connect(name.clone(), stream)).await;
        let secured = secured
            .unwrap_or(Err(TlsError::HandshakeTimeout))
            .map_err(ConnectError::Tls)?;
        handshake(secured).await
    }

    async fn connect_tcp(&self, address: &Address) -> Result<TcpStream, ConnectError> {
        let Address { host, port, .. } = address;
        let found = lookup_host((host.as_str(), *port)).await;
        let found: Vec<SocketAddr> = found.map_err(ConnectError::NameNotFound)?.collect();
        if self.reach == Reach::NotMetadata
            && host.parse::<IpAddr>().is_err()
            && let Some(denied) = found.iter().find(|found| is_denied(found.ip()))
        {
            return Err(ConnectError::Denied(host.clone(), denied.ip()));
        }
        let stream = TcpStream::connect(&found[..]).await;
        let stream = stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        stream.map_err(|error| match error.kind() {
            ErrorKind::ConnectionRefused => ConnectError::Refused,
            ErrorKind::TimedOut => ConnectError::Timeout,
            _ => ConnectError::Unreachable(error),
        })
    }
}

async fn handshake<S>(stream: S) -> Result<OpenConnection, HttpClientError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let received = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&received);
    let stream = InspectReader::new(stream, move |bytes: &[u8]| {
        if !bytes.is_empty() {
            flag.store(true, Ordering::Relaxed);
        }
    });
    let (sender, connection) = http1::Builder::new()
        .max_headers(MAX_FIELDS)
        .max_header_size(MAX_HEAD)
        // They are removed, as RFC 9112, section 5.1 asks of a proxy.
        .allow_spaces_after_header_name_in_responses(true)
        .title_case_headers(true)
        // The client's listener writes the names of a response as the server did.
        .preserve_header_case(true)
        .handshake(TokioIo::new(stream))
        .await?;
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "an outgoing connection ended early");
        }
    }));
    Ok(OpenConnection {
        sender,
        received,
        _task: task,
    })
}

/// Link-local, unspecified, multicast and broadcast addresses, and those of metadata services outside these ranges.
fn is_denied(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let alibaba = v4.octets() == [100, 100, 100, 200];
            v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast() || alibaba
        }
        IpAddr::V6(v6) => {
            let amazon = v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() || amazon
        }
    }
}

/// The most header fields of a response.
const MAX_FIELDS: usize = 1000;
/// The largest head of a response, in bytes.
const MAX_HEAD: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_addresses_are_denied() {
        for denied in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "100.100.100.200",
            "fd00:ec2::254",
            "fe80::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(is_denied(denied.parse().unwrap()), "{denied}");
        }
        for allowed in ["127.0.0.1", "10.0.0.1", "::1", "203.0.113.7", "fd00::1"] {
            assert!(!is_denied(allowed.parse().unwrap()), "{allowed}");
        }
    }
}

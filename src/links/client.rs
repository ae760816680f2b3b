//! What carries our calls: HTTP/1.1 over TCP or TLS, the target as it was signed, no redirect followed.

use std::error::Error as _;
use std::fmt::Write as _;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use tower::Service;

use super::outgoing::{Outgoing, Progress};
use crate::tls::{self, Roots, TlsError};

/// Connections to one other side.
#[derive(Clone, Debug)]
pub struct Client {
    inner: legacy::Client<HttpsConnector<HttpConnector<Resolver>>, Outgoing>,
}

/// A small document, whole.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// What came with it.
    pub headers: HeaderMap,
    /// Its content.
    pub body: Vec<u8>,
}

/// Why there is no answer that could be used. `Display` is a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Nobody listens, the name is unknown, the certificate is not trusted, or the connection broke.
    #[error("The other side cannot be reached: {0}.")]
    Unreachable(String),
    /// It took too long.
    #[error("The other side did not answer within {} s.", .0.as_secs())]
    Late(Duration),
    /// The caller's own body broke off.
    #[error("The body did not arrive as a whole.")]
    BrokenBody,
    /// A document is larger than such documents are.
    #[error("The other side's document is larger than {} KiB.", LARGEST_DOCUMENT / 1024)]
    TooLarge,
    /// It leads elsewhere.
    #[error(
        "The other side redirects to {0}, which is not followed: write the URL under which it answers itself."
    )]
    Redirected(String),
    /// It refuses.
    #[error("The other side answers {0}.")]
    Status(StatusCode),
}

impl Client {
    /// A client that believes these issuers, and waits so long for a connection.
    pub fn new(roots: Roots, connect: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client_config(roots))
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MOST_IDLE)
            .build(connector);
        Self { inner }
    }

    /// Sends a request, and waits for the head of its answer as long as it is the other side's turn.
    pub(super) async fn send(
        &self,
        request: Request<Outgoing>,
        progress: &Progress,
        within: Duration,
    ) -> Result<Response<Incoming>, Unanswered> {
        tokio::select! {
            answer = self.inner.request(request) => answer.map_err(|error| unanswered(&error)),
            () = progress.stalled(within) => Err(Unanswered::Late(within)),
        }
    }

    /// Fetches a small document with a GET: 200, soon, whole.
    pub async fn fetch(&self, url: &str, accept: &'static str) -> Result<Fetched, Unanswered> {
        let (body, _) = Outgoing::new(Body::empty());
        let request = Request::get(url)
            .header(ACCEPT, accept)
            .header(USER_AGENT, AGENT)
            .body(body)
            .map_err(|error| Unanswered::Unreachable(error.to_string()))?;
        let fetching = async {
            let answer = self.inner.request(request).await;
            let (head, body) = answer.map_err(|error| unanswered(&error))?.into_parts();
            if head.status.is_redirection() {
                return Err(Unanswered::Redirected(shown(head.headers.get(LOCATION))));
            }
            if head.status != StatusCode::OK {
                return Err(Unanswered::Status(head.status));
            }
            let body = whole(body).await?;
            Ok(Fetched {
                headers: head.headers,
                body,
            })
        };
        let fetched = tokio::time::timeout(DOCUMENT_WITHIN, fetching).await;
        fetched.unwrap_or(Err(Unanswered::Late(DOCUMENT_WITHIN)))
    }
}

impl Fetched {
    /// The value of `Content-Type`.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }
}

/// Reads a small body, whole.
pub(super) async fn whole(body: Incoming) -> Result<Vec<u8>, Unanswered> {
    let collected = Limited::new(body, LARGEST_DOCUMENT).collect().await;
    let collected = collected.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            Unanswered::TooLarge
        } else {
            Unanswered::Unreachable(error.to_string())
        }
    })?;
    Ok(collected.to_bytes().to_vec())
}

/// Looks names up, and finds no address at which a machine in a cloud hears secrets about itself. A URL that has such an
/// address itself is not looked up.
#[derive(Clone, Debug)]
struct Resolver;

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if let Some(address) = found.iter().find(|address| is_forbidden(address.ip())) {
                return Err(io::Error::other(format!(
                    "{name} is at {}, which is no place for it",
                    address.ip()
                )));
            }
            Ok(found.into_iter())
        })
    }
}

/// Link-local addresses, those of metadata services, and those that are nobody's.
fn is_forbidden(address: IpAddr) -> bool {
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

fn unanswered(error: &legacy::Error) -> Unanswered {
    if let Some(fault) = TlsError::among(error) {
        return Unanswered::Unreachable(fault.to_string());
    }
    let mut why = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        if error
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_user)
        {
            return Unanswered::BrokenBody;
        }
        let said = error.to_string();
        if !why.ends_with(&said) {
            let separator = if why.is_empty() { "" } else { ": " };
            let _ = write!(why, "{separator}{said}");
        }
        cause = error.source();
    }
    if why.is_empty() {
        why = error.to_string();
    }
    Unanswered::Unreachable(why)
}

fn shown(location: Option<&HeaderValue>) -> String {
    let location = location
        .and_then(|location| location.to_str().ok())
        .unwrap_or("nowhere");
    location.chars().take(200).collect()
}

/// In bytes: consumer-info and manifests have two or three thousand.
const LARGEST_DOCUMENT: usize = 256 * 1024;
/// As long as peers wait for our documents.
const DOCUMENT_WITHIN: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_mins(1);
const MOST_IDLE: usize = 32;
pub(super) const AGENT: &str = concat!("linkgate/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_to_a_metadata_service() {
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "100.100.100.200",
            "fe80::1",
            "fd00:ec2::254",
            "0.0.0.0",
            "::",
            "224.0.0.1",
        ] {
            assert!(is_forbidden(address.parse().unwrap()), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "192.168.1.1",
            "::1",
            "fd12::1",
            "203.0.113.7",
        ] {
            assert!(!is_forbidden(address.parse().unwrap()), "{address}");
        }
    }
}

//! URLs of `[login]`, and requests to the application and to an identity provider.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};

use crate::http::client::{ConnectError, Connector, HttpClientError, Reach};
use crate::setting::{FromFile, deserialize_text};
use crate::tls::{ClientTls, Roots, RootsError};

/// An absolute `http` or `https` URL, byte for byte as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl(String);

deserialize_text! { HttpUrl = Self::parse; }

impl HttpUrl {
    /// Parses a URL. The error tells the administrator what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = text.parse::<Uri>().ok();
        let fits =
            |url: &Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some();
        url.filter(fits)
            .map(|_| Self(text.to_owned()))
            .ok_or("write it whole: \"http://127.0.0.1:8080/api/me\"")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Connects to the server of a URL; for `https`, with these trust roots or those of the operating system.
pub(super) fn connector(
    url: &str,
    ca_file: Option<&FromFile<Roots>>,
    timeout: Duration,
) -> Result<Connector, RootsError> {
    let is_secure = url.starts_with("https:");
    let roots = is_secure.then(|| Roots::or_system(ca_file)).transpose()?;
    Ok(Connector {
        tls: roots.map(ClientTls::with_roots),
        reach: Reach::Anywhere,
        timeout,
    })
}

/// Sends a request, and reads the whole response within the connector's timeout. A redirect is not followed.
pub(super) async fn send(
    connector: &Connector,
    request: Request<Vec<u8>>,
) -> Result<Response<Vec<u8>>, HttpClientError> {
    let request = request.map(Bytes::from);
    let response = connector
        .fetch(request, connector.timeout, MAX_RESPONSE_BYTES)
        .await?;
    Ok(response.map(Vec::from))
}

/// Tells an administrator what to change after a request that failed.
pub(super) fn help(error: &HttpClientError) -> &'static str {
    use ConnectError as Connect;
    match error {
        HttpClientError::Connect(Connect::Refused | Connect::Unreachable(_) | Connect::Denied(..)) => {
            "start it, or correct host and port"
        }
        HttpClientError::Connect(Connect::NameNotFound(_)) => "correct the host, or this machine's DNS",
        HttpClientError::Timeout(_) | HttpClientError::Connect(Connect::Timeout) => {
            "is it overloaded? Raise the timeout of the section if it is always slow"
        }
        HttpClientError::Connect(Connect::Tls(_) | Connect::NoTrustRoots) => {
            "name its issuer's certificate in the section's ca_file"
        }
        _ => "look at the URL: is it this one?",
    }
}

/// The largest response. Key sets and discovery documents have a few thousand bytes.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;

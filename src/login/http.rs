//! A call to the application or to an identity provider: once, without redirects, bounded in time and size.

use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use crate::tls::{ClientTls, ServerName, TlsError};

/// Makes calls, each on a connection of its own: a sign-in is rare, and a connection that was kept may be dead.
#[derive(Clone, Debug)]
pub struct HttpClient {
    tls: Option<ClientTls>,
    within: Duration,
}

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpFault {
    /// Its address is none.
    #[error("{0} is not an http or https URL with a host")]
    NotAUrl(Uri),
    /// The name in its address is not known.
    #[error("its name cannot be found: {0}")]
    NoSuchName(io::Error),
    /// Nobody listens at its address.
    #[error("it refused the connection: nothing listens there")]
    Refused,
    /// The network does not lead there.
    #[error("it cannot be reached: {0}")]
    Unreachable(io::Error),
    /// No whole answer in time.
    #[error("it did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// It did not prove to be the one that its address names.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// Its address is an `https` one, and nobody has said whom to believe.
    #[error("its address is https, and no certificates to believe are given")]
    NobodyToBelieve,
    /// The connection broke off, or what came is not HTTP.
    #[error("its answer broke off or is not HTTP: {0}")]
    Broken(hyper::Error),
    /// More than anybody needs to say.
    #[error("its answer is longer than {MOST} bytes")]
    TooLong,
}

impl HttpClient {
    /// Calls `http` addresses, and `https` ones whose certificates `tls` believes.
    pub const fn new(tls: Option<ClientTls>, within: Duration) -> Self {
        Self { tls, within }
    }

    /// Sends a request to its absolute URL, and reads the whole answer. A redirect is an answer.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpFault> {
        tokio::time::timeout(self.within, self.exchange(request))
            .await
            .map_err(|_| HttpFault::TimedOut(self.within))?
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpFault> {
        let url = request.uri().clone();
        let fail = || HttpFault::NotAUrl(url.clone());
        let authority = url.authority().ok_or_else(fail)?;
        let host = authority.host().trim_matches(['[', ']']);
        let secure = url.scheme() == Some(&Scheme::HTTPS);
        if host.is_empty() || !(secure || url.scheme() == Some(&Scheme::HTTP)) {
            return Err(fail());
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let request = origin_form(request)?;
        let stream = reach(host, port).await?;
        if !secure {
            return speak_http(stream, request).await;
        }
        let tls = self.tls.as_ref().ok_or(HttpFault::NobodyToBelieve)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| fail())?;
        speak_http(tls.connect(name, stream).await?, request).await
    }
}

/// Path and query in the request line, byte for byte; the host in its field.
fn origin_form(request: Request<Vec<u8>>) -> Result<Request<Full<Bytes>>, HttpFault> {
    let (mut parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let path = target.parse::<Uri>();
    let host = parts
        .uri
        .authority()
        .and_then(|authority| HeaderValue::try_from(authority.as_str()).ok());
    let (Ok(path), Some(host)) = (path, host) else {
        return Err(HttpFault::NotAUrl(parts.uri));
    };
    parts.uri = path;
    parts.headers.insert(HOST, host);
    parts
        .headers
        .insert(USER_AGENT, HeaderValue::from_static("linkgate"));
    Ok(Request::from_parts(parts, Full::from(body)))
}

async fn reach(host: &str, port: u16) -> Result<TcpStream, HttpFault> {
    let addresses = lookup_host((host, port)).await.map_err(HttpFault::NoSuchName)?;
    let addresses: Vec<_> = addresses.collect();
    TcpStream::connect(&addresses[..])
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::ConnectionRefused => HttpFault::Refused,
            _ => HttpFault::Unreachable(error),
        })
}

async fn speak_http<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Response<Vec<u8>>, HttpFault>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut connection, driver) = http1::Builder::new()
        .max_buf_size(MOST_HEADER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(HttpFault::Broken)?;
    let driver = tokio::spawn(driver);
    let answer = connection
        .send_request(request)
        .await
        .map_err(HttpFault::Broken)?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, MOST).collect().await;
    driver.abort();
    match body {
        Ok(body) => Ok(Response::from_parts(parts, body.to_bytes().to_vec())),
        Err(error) if error.is::<LengthLimitError>() => Err(HttpFault::TooLong),
        Err(error) => Err(error
            .downcast::<hyper::Error>()
            .map_or(HttpFault::TooLong, |error| HttpFault::Broken(*error))),
    }
}

/// Bytes of a body: key sets and discovery documents are a few thousand.
const MOST: usize = 256 * 1024;
const MOST_HEADER: usize = 64 * 1024;

//! Asks the application whether a user exists: `user_lookup_url` with `{user}`.
//!
//! 200: yes. 404 or 410: no. Whatever else comes, or does not come in time, says nothing. Answers are kept for some
//! seconds, silence is not.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::uri::PathAndQuery;
use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use moka::future::Cache;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::Standing;
use crate::oauth::encode;
use crate::tls::{ClientTls, ServerName};

/// Asks the application whether a user exists.
#[derive(Debug)]
pub struct UserLookup {
    template: String,
    host: String,
    port: u16,
    authority: String,
    tls: Option<(ClientTls, ServerName<'static>)>,
    within: Duration,
    known: Cache<String, bool>,
    asking: Semaphore,
}

impl UserLookup {
    /// Takes the URL, whose `{user}` stands for a name, how long an answer may take, and for an `https` URL whom to
    /// believe. The error is a sentence that says what to write instead.
    pub fn new(url: &str, within: Duration, tls: Option<ClientTls>) -> Result<Self, &'static str> {
        let [one, other] = ["a", "b"].map(|name| url.replace("{user}", name).parse::<Uri>());
        let (one, other) = (one.map_err(|_| EXAMPLE)?, other.map_err(|_| EXAMPLE)?);
        let authority = one.authority().ok_or(EXAMPLE)?;
        if url.matches("{user}").count() != 1 || other.authority() != Some(authority) {
            return Err(EXAMPLE);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let secure = match one.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(EXAMPLE),
        };
        let tls = match (secure, tls) {
            (true, Some(tls)) => Some((tls, ServerName::try_from(host.clone()).map_err(|_| EXAMPLE)?)),
            (true, None) => return Err("no certificates to believe are given for an https URL"),
            (false, _) => None,
        };
        let path = url
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        Ok(Self {
            template: path.ok_or(EXAMPLE)?.to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            host,
            tls,
            within,
            known: Cache::builder().max_capacity(10_000).time_to_live(KEPT).build(),
            asking: Semaphore::new(AT_ONCE),
        })
    }

    /// Says whether a user exists, as far as the application does.
    pub async fn standing(&self, subject: &str) -> Standing {
        if !can_stand_in_a_path(subject) {
            return Standing::Gone;
        }
        let asked = self.known.try_get_with_by_ref(subject, self.ask(subject)).await;
        match asked {
            Ok(true) => Standing::Known {
                display_name: subject.to_owned(),
            },
            Ok(false) => Standing::Gone,
            Err(why) => {
                tracing::warn!(user.subject = ?subject, "whether a user exists cannot be found out: {why}");
                Standing::CannotSay
            }
        }
    }

    async fn ask(&self, subject: &str) -> Result<bool, String> {
        let target = self.template.replace("{user}", &encode::encode(subject));
        let target: PathAndQuery = target.parse().map_err(|_| "the URL cannot be built".to_owned())?;
        let status = tokio::time::timeout(self.within, self.status(target)).await;
        let status = status.map_err(|_| "the application did not answer in time".to_owned())?;
        match status.map_err(|error| error.to_string())? {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(false),
            other => Err(format!("the application answered {}", other.as_u16())),
        }
    }

    /// The status that the application answers with. No redirect is followed, and no body is read.
    async fn status(
        &self,
        target: PathAndQuery,
    ) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
        let _turn = self.asking.acquire().await?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let request = Request::get(Uri::from(target))
            .header(HOST, &self.authority)
            .header(ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())?;
        match &self.tls {
            Some((tls, name)) => send(tls.connect(name.clone(), stream).await?, request).await,
            None => send(stream, request).await,
        }
    }
}

async fn send<S>(
    stream: S,
    request: Request<Empty<Bytes>>,
) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    driver.abort();
    Ok(answer?.status())
}

/// Some servers take `..`, `%2F` and `%5C` in a path for something else than a name.
fn can_stand_in_a_path(subject: &str) -> bool {
    !subject.is_empty() && ![".", ".."].contains(&subject) && !subject.contains(['/', '\\', '\0'])
}

const EXAMPLE: &str =
    "write it whole, with {user} once in its path: \"http://127.0.0.1:8080/api/users/{user}\"";

/// How long an answer is good.
const KEPT: Duration = Duration::from_secs(10);

/// How many names are asked about at once.
const AT_ONCE: usize = 16;

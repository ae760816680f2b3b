//! A user connects a link: request token, authorization at the remote application, access token (RFC 5849, section 2).

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::model::PendingAuthorization;
use crate::oauth::{Secret, Token, TokenCredentials, TokenParameter, UnsignedRequest, encoding};
use crate::store::StoreError;

use super::call::ReplayableBody;
use super::error::{LinkError, clock_advice};
use super::oauth_report::{OAuthProblem, form_pairs};
use super::{Link, Links};

/// Why a user could not connect a link. A token from an earlier authorization is untouched.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LinkAuthorizationError {
    #[error("no authorization of this user is pending")]
    NotPending,
    #[error("the user denied access at the other side")]
    Denied,
    /// The remote application rejected a request, or its response cannot be used. The text is for the user.
    #[error("{0}")]
    Rejected(String),
    /// The remote application sent no response; later it may.
    #[error("{0}")]
    NoResponse(String),
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// The response of a token endpoint (RFC 5849, sections 2.1 and 2.3).
struct TokenResponse {
    credentials: TokenCredentials,
    callback_confirmed: bool,
}

impl Links {
    /// Requests a request token for a user. Returns the URL at the remote application to which the browser is sent.
    pub async fn begin_authorization(
        &self,
        link: &Link,
        subject: &str,
        return_to: &str,
    ) -> Result<String, LinkAuthorizationError> {
        let response = self.request_token(link).await?;
        if !response.callback_confirmed {
            return Err(LinkAuthorizationError::Rejected(
                "The other side does not confirm the callback: it speaks an older OAuth than 1.0a."
                    .to_owned(),
            ));
        }
        let token = encoding::encode(response.credentials.token.as_str());
        let pending = PendingAuthorization {
            link: link.name().to_owned(),
            subject: subject.to_owned(),
            return_to: return_to.to_owned(),
            expires_at: self.clock.now().plus(PENDING_SECS),
            credentials: response.credentials,
        };
        self.store.add_pending_authorization(&pending).await?;
        Ok(format!(
            "{}{ENDPOINTS}/authorize?oauth_token={token}",
            link.config.url.as_str()
        ))
    }

    /// Exchanges the request token with which the browser came back, at `address`, for an access token. Returns the path
    /// where the user continues; empty if none was given.
    pub async fn finish_authorization(
        &self,
        link: &Link,
        subject: &str,
        address: IpAddr,
        token: &Token,
        verifier: &str,
    ) -> Result<String, LinkAuthorizationError> {
        let (name, now) = (link.name(), self.clock.now());
        let taking = self.store.take_pending_authorization(name, subject, token, now);
        let pending = taking.await?.ok_or(LinkAuthorizationError::NotPending)?;
        if verifier == "denied" {
            return Err(LinkAuthorizationError::Denied);
        }
        let token = TokenParameter::Token(pending.credentials.clone());
        let extra = ("oauth_verifier", verifier.to_owned());
        let response = self.call_token_endpoint(link, ACCESS_TOKEN, token, extra).await;
        if let Err(LinkAuthorizationError::NoResponse(_)) = response {
            // The same callback URL works again when the remote application is back.
            self.store.add_pending_authorization(&pending).await?;
        }
        let credentials = response?.credentials;
        let now = self.clock.now();
        self.store
            .connect_link(name, subject, &credentials, Some(address), now)
            .await?;
        tracing::info!(link = name, user.subject = ?subject, %address, "{subject:?} connected the link {name}");
        Ok(pending.return_to)
    }

    /// Requests a request token and discards it, to test whether the remote application accepts our key and signature.
    pub async fn test_credentials(&self, link: &Link) -> Result<(), LinkAuthorizationError> {
        self.request_token(link).await.map(drop)
    }

    async fn request_token(&self, link: &Link) -> Result<TokenResponse, LinkAuthorizationError> {
        let (base, name) = (&self.own_url, link.name());
        let extra = ("oauth_callback", format!("{base}/links/{name}/callback"));
        self.call_token_endpoint(link, "request-token", TokenParameter::Absent, extra)
            .await
    }

    async fn call_token_endpoint(
        &self,
        link: &Link,
        endpoint: &str,
        token: TokenParameter,
        parameter: (&'static str, String),
    ) -> Result<TokenResponse, LinkAuthorizationError> {
        use LinkAuthorizationError as E;
        let url = format!("{}{ENDPOINTS}/{endpoint}", link.config.url.as_str());
        let request = UnsignedRequest {
            parameters: vec![parameter],
            ..UnsignedRequest::new(Method::POST, url).token(token)
        };
        let mut body = ReplayableBody::Buffered(Bytes::new());
        let sent = self.send(link, &request, &HeaderMap::new(), &mut body).await;
        let (response, report) = sent.map_err(|error| match error {
            LinkError::NoResponse(_) => E::NoResponse(error.to_string()),
            _ => E::Rejected(error.to_string()),
        })?;
        let status = response.status();
        let timeout = link.config.response_timeout;
        let reading = axum::body::to_bytes(response.into_body(), MAX_TOKEN_RESPONSE_BYTES);
        let Ok(Ok(body)) = tokio::time::timeout(timeout, reading).await else {
            return Err(E::NoResponse(UNREADABLE.to_owned()));
        };
        let report = report.with_body(&body);
        self.record_response(link, &report).await;
        match &report.problem {
            Some(_) if report.is("permission_denied") && endpoint == ACCESS_TOKEN => Err(E::Denied),
            Some(_) if report.is("timestamp_refused") => Err(E::Rejected(clock_advice(report.clock_skew))),
            Some(problem) => Err(E::Rejected(explain(problem))),
            None if status.is_server_error() => {
                Err(E::NoResponse(format!("The other side answers {status}.")))
            }
            None if status != StatusCode::OK => Err(E::Rejected(format!("The other side answers {status}."))),
            None => TokenResponse::parse(&body)
                .ok_or_else(|| E::Rejected("The other side's answer has no token in it.".to_owned())),
        }
    }
}

impl TokenResponse {
    fn parse(body: &[u8]) -> Option<Self> {
        let pairs = form_pairs(body);
        let value = |name: &str| {
            let pair = pairs.iter().find(|(given, _)| given == name);
            pair.map(|(_, value)| value.as_str())
        };
        Some(Self {
            credentials: TokenCredentials {
                token: Token::parse(value("oauth_token")?)?,
                secret: Secret::new(value("oauth_token_secret")?),
            },
            callback_confirmed: value("oauth_callback_confirmed") == Some("true"),
        })
    }
}

fn explain(problem: &OAuthProblem) -> String {
    let hint = match problem.name.as_str() {
        "consumer_key_unknown" => " Register linkgate there: `linkgate link show` prints what to enter.",
        "signature_invalid" => {
            " Compare the public key that is registered there, and its base URL with the link's url."
        }
        "signature_method_rejected" => " It takes another method than RSA-SHA1 from us.",
        _ => "",
    };
    format!("{problem}{hint}")
}

/// The path of the three OAuth endpoints of every AppLinks provider.
const ENDPOINTS: &str = "/plugins/servlet/oauth";
const ACCESS_TOKEN: &str = "access-token";

/// How long a user may take at the remote application, where request tokens live for about ten minutes.
const PENDING_SECS: i64 = 15 * 60;

const MAX_TOKEN_RESPONSE_BYTES: usize = 64 * 1024;
const UNREADABLE: &str =
    "The other side's answer did not arrive as a whole in time, or is longer than 64 KiB.";

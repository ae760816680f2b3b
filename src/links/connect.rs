//! A user connects a link: request token, approval at the other side, access token (RFC 5849, section 2).

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::model::{Credentials, PendingAuthorization};
use crate::oauth::{Secret, Token, encode};

use super::client::{Unanswered, whole};
use super::error::clock_advice;
use super::oauth_report::{OAuthProblem, pairs};
use super::sending::{Failed, ReplayableBody};
use super::signing::{RequestToSign, TokenParameter};
use super::{Link, Links};
use crate::store::StoreError;

/// A user has connected a link.
#[derive(Debug)]
pub struct Connected {
    /// The path where they go on; empty: nowhere in particular.
    pub return_to: String,
}

/// Why a dance came to no good end. What the user gave us before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum LinkAuthorizationError {
    /// Nobody began it here for this user, it is over already, or it took too long.
    #[error("no such dance is under way for this user")]
    Unknown,
    /// The user said no at the other side.
    #[error("the user said no at the other side")]
    Denied,
    /// The other side refuses us.
    #[error("{0}")]
    Refused(String),
    /// No answer; later it may come.
    #[error("{0}")]
    Unanswered(Unanswered),
    /// Our database does not answer.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Links {
    /// Begins a dance for a user; where to send their browser.
    pub async fn begin(
        &self,
        peer: &Link,
        subject: &str,
        return_to: &str,
    ) -> Result<String, LinkAuthorizationError> {
        let callback = format!(
            "{}/oauth/links/{}/callback",
            self.public_url.as_str(),
            peer.name()
        );
        let extra = vec![("oauth_callback", callback)];
        let answer = self
            .token_call(peer, "request-token", TokenParameter::Absent, extra)
            .await?;
        if answer.confirmed.as_deref() != Some("true") {
            return Err(LinkAuthorizationError::Refused(
                "The other side does not confirm the callback: it speaks an older OAuth than 1.0a."
                    .to_owned(),
            ));
        }
        let dance = PendingAuthorization {
            link: peer.name().to_owned(),
            subject: subject.to_owned(),
            return_to: return_to.to_owned(),
            expires_at: self.clock.now().plus(LONGEST),
            credentials: answer.credentials,
        };
        self.store.add_pending_authorization(&dance).await?;
        let token = encode::encode(dance.credentials.token.as_str());
        Ok(format!(
            "{}{ENDPOINTS}/authorize?oauth_token={token}",
            peer.url().as_str()
        ))
    }

    /// Ends a dance: the user came back with the request token and a verifier. Only the user for whom it was begun can.
    /// `address`: where their browser is.
    pub async fn finish(
        &self,
        peer: &Link,
        subject: &str,
        address: IpAddr,
        token: &Token,
        verifier: &str,
    ) -> Result<Connected, LinkAuthorizationError> {
        let now = self.clock.now();
        let dance = self
            .store
            .take_pending_authorization(peer.name(), subject, token, now)
            .await?;
        let dance = dance.ok_or(LinkAuthorizationError::Unknown)?;
        if verifier == "denied" {
            return Err(LinkAuthorizationError::Denied);
        }
        let extra = vec![("oauth_verifier", verifier.to_owned())];
        let token = TokenParameter::Token(dance.credentials.clone());
        let answer = match self.token_call(peer, "access-token", token, extra).await {
            Ok(answer) => answer,
            Err(error) => {
                if let LinkAuthorizationError::Unanswered(_) = error {
                    // The same address works once more when the other side is there again.
                    self.store.add_pending_authorization(&dance).await?;
                }
                return Err(error);
            }
        };
        let (link, now) = (peer.name(), self.clock.now());
        self.store
            .connect_link(link, subject, &answer.credentials, Some(address), now)
            .await?;
        tracing::info!(link, user.subject = ?subject, %address, "{subject:?} connected the link {link}");
        Ok(Connected {
            return_to: dance.return_to,
        })
    }

    /// Whether the other side knows our key and signature: asks for a request token, and forgets it.
    pub async fn test_credentials(&self, peer: &Link) -> Result<(), LinkAuthorizationError> {
        let callback = format!(
            "{}/oauth/links/{}/callback",
            self.public_url.as_str(),
            peer.name()
        );
        let extra = vec![("oauth_callback", callback)];
        self.token_call(peer, "request-token", TokenParameter::Absent, extra)
            .await?;
        Ok(())
    }

    async fn token_call(
        &self,
        peer: &Link,
        endpoint: &str,
        token: TokenParameter,
        extra: Vec<(&'static str, String)>,
    ) -> Result<Answer, LinkAuthorizationError> {
        let request = RequestToSign {
            method: Method::POST,
            url: format!("{}{ENDPOINTS}/{endpoint}", peer.url().as_str()),
            form: Bytes::new(),
            extra,
            token,
        };
        let within = peer.options().response_timeout;
        let mut nothing = ReplayableBody::Whole(Bytes::new());
        let sent = self
            .send(peer, &request, &HeaderMap::new(), &mut nothing, within)
            .await;
        let (answer, heard) = sent.map_err(|failed| match failed {
            Failed::Unanswered(why) => LinkAuthorizationError::Unanswered(why),
            Failed::Unsignable(error) => {
                LinkAuthorizationError::Refused(format!("This call cannot be signed: {error}."))
            }
        })?;
        let status = answer.status();
        let body = tokio::time::timeout(within, whole(answer.into_body())).await;
        let body = body
            .unwrap_or(Err(Unanswered::Late(within)))
            .map_err(LinkAuthorizationError::Unanswered)?;
        let heard = heard.with_body(&body);
        self.record_response(peer, &heard).await;
        match heard.told {
            Some(told) if told.problem == "permission_denied" && endpoint == "access-token" => {
                Err(LinkAuthorizationError::Denied)
            }
            Some(told) if told.problem == "timestamp_refused" => {
                Err(LinkAuthorizationError::Refused(clock_advice(heard.clock_skew)))
            }
            Some(told) => Err(LinkAuthorizationError::Refused(refusal(&told))),
            None if status.is_server_error() => {
                Err(LinkAuthorizationError::Unanswered(Unanswered::Status(status)))
            }
            None if status != StatusCode::OK => Err(LinkAuthorizationError::Refused(
                Unanswered::Status(status).to_string(),
            )),
            None => Answer::read(&body).ok_or_else(|| {
                LinkAuthorizationError::Refused("The other side's answer has no token in it.".to_owned())
            }),
        }
    }
}

/// What a token endpoint answers (RFC 5849, sections 2.1 and 2.3).
struct Answer {
    credentials: Credentials,
    confirmed: Option<String>,
}

impl Answer {
    fn read(body: &[u8]) -> Option<Self> {
        let pairs = pairs(body);
        let value = |name: &str| {
            let (_, value) = pairs.iter().find(|(given, _)| given == name)?;
            Some(value.clone())
        };
        Some(Self {
            credentials: Credentials {
                token: Token::parse(&value("oauth_token")?)?,
                secret: Secret::new(value("oauth_token_secret")?),
            },
            confirmed: value("oauth_callback_confirmed"),
        })
    }
}

fn refusal(told: &OAuthProblem) -> String {
    let hint = match told.problem.as_str() {
        "consumer_key_unknown" => " Register linkgate there: `linkgate link show` prints what to enter.",
        "signature_invalid" => {
            " Compare the public key that is registered there, and its base URL with the link's url."
        }
        "signature_method_rejected" => " It takes another method than RSA-SHA1 from us.",
        _ => "",
    };
    format!("{}{hint}", told.sentence())
}

/// Where AppLinks providers have their three endpoints.
const ENDPOINTS: &str = "/plugins/servlet/oauth";

/// In seconds: how long a user may take at the other side, whose own request tokens live for ten minutes or so.
const LONGEST: i64 = 15 * 60;

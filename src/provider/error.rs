//! A problem of the consumer's or a failure of ours, and the response to it.

use http::{HeaderValue, Response, StatusCode, header};

use crate::oauth::authorization_header::challenge;
use crate::oauth::encoding::form_body;
use crate::oauth::{ConsumerKey, Problem};
use crate::store::StoreError;

/// Why a use case did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The peer must act.
    #[error("refused: {}", .0.problem)]
    Refused(Refusal),
    /// We must act.
    #[error(transparent)]
    Failed(#[from] StoreError),
    /// The user of a token may exist.
    #[error(
        "the login method does not find the user {subject:?} at the moment; their tokens are rejected only if that lasts, \
         and another user is found"
    )]
    #[expect(missing_docs, reason = "the name says it")]
    UncertainUser { subject: String },
}

/// A problem, and the consumer that the request names. Travels in the extensions of the answer, for the log.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub problem: Problem,
    pub consumer: Option<ConsumerKey>,
    pub is_registered: bool,
}

impl From<Problem> for ProviderError {
    fn from(problem: Problem) -> Self {
        let (consumer, is_registered) = (None, false);
        Self::Refused(Refusal {
            problem,
            consumer,
            is_registered,
        })
    }
}

impl ProviderError {
    /// The answer to the peer. A refusal has its status, exactly one `WWW-Authenticate: OAuth` field and the same pairs
    /// as its body (OAuth Problem Reporting 1.0). A failure is 503 without a problem: the consumer keeps its token.
    pub fn to_response(&self, realm: &str) -> Response<String> {
        match self {
            Self::Refused(refusal) => {
                let mut response = refused(&refusal.problem, realm);
                response.extensions_mut().insert(refusal.clone());
                response
            }
            cause => {
                let error = cause as &dyn std::error::Error;
                tracing::error!(error, "a signed request could not be judged");
                let mut response = Response::new(String::new());
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                let seconds = HeaderValue::from_static("1");
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
                response
            }
        }
    }

    /// The same error, with the consumer that the request names.
    pub(super) fn claimed_by(mut self, consumer: &ConsumerKey, is_registered: bool) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.consumer = Some(consumer.clone());
            refusal.is_registered = is_registered;
        }
        self
    }
}

fn refused(problem: &Problem, realm: &str) -> Response<String> {
    let pairs = problem.pairs();
    let body = form_body(pairs.iter().map(|(name, value)| (*name, value.as_str())));
    let mut response = Response::new(body);
    *response.status_mut() = problem.status();
    let headers = response.headers_mut();
    let challenge = HeaderValue::from_str(&challenge(realm, Some(problem)));
    let challenge = challenge.unwrap_or(HeaderValue::from_static("OAuth"));
    headers.insert(header::WWW_AUTHENTICATE, challenge);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if problem.status() == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    }
    response
}

const FORM: &str = "application/x-www-form-urlencoded;charset=UTF-8";

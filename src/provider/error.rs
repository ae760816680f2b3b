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
    UncertainUser {
        /// Whose token it is.
        subject: String,
    },
}

/// A problem, and who claims to have signed. Travels in the extensions of the answer, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the peer is told.
    pub problem: Problem,
    /// The consumer that the request names.
    pub consumer: Option<ConsumerKey>,
    /// Whether that is known to be a registered one.
    pub is_registered: bool,
}

impl From<Problem> for ProviderError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Refusal {
            problem,
            consumer: None,
            is_registered: false,
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
                tracing::error!(
                    error = cause as &dyn std::error::Error,
                    "a signed request could not be judged"
                );
                let mut response = Response::new(String::new());
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
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
    let value = HeaderValue::from_str(&challenge(realm, Some(problem)));
    headers.insert(
        header::WWW_AUTHENTICATE,
        value.unwrap_or(HeaderValue::from_static("OAuth")),
    );
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded;charset=UTF-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if problem.status() == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    }
    response
}

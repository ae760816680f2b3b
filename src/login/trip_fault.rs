//! Why a round trip of a browser fails.

use crate::http::client::HttpClientError;

use super::handoff::HandoffFault;
use super::oidc::OidcFault;

/// Why a round trip fails. For the log; the page has words of its own.
#[derive(Debug, thiserror::Error)]
pub enum TripFault {
    /// The source is not there: nothing was decided, and it may be tried again.
    #[error("the identity provider is not available: {0}")]
    Unavailable(HttpClientError),
    /// The application's answer.
    #[error(transparent)]
    Handoff(#[from] HandoffFault),
    /// The identity provider's answer.
    #[error(transparent)]
    Oidc(#[from] OidcFault),
}

//! What the administrator of linkgate does by hand, and the demo asks for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::oauth::Token;

/// The administrator, as two things that can be asked for.
pub struct Operator {
    revoke: Box<dyn Fn(Token) -> Asked<bool> + Send + Sync>,
    restart: Box<dyn Fn() -> Asked<()> + Send + Sync>,
}

/// An answer of the administrator, later.
pub type Asked<T> = Pin<Box<dyn Future<Output = Result<T, OperatorError>> + Send>>;

/// Why something asked for was not done.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OperatorError(pub String);

impl Operator {
    /// An administrator who revokes an access token (`false`: there is none such) and restarts the server on its store.
    pub fn new(
        revoke: impl Fn(Token) -> Asked<bool> + Send + Sync + 'static,
        restart: impl Fn() -> Asked<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            revoke: Box::new(revoke),
            restart: Box::new(restart),
        }
    }

    /// Revokes an access token, as `linkgate token revoke` does.
    pub async fn revoke(&self, token: &Token) -> Result<bool, OperatorError> {
        (self.revoke)(token.clone()).await
    }

    /// Stops linkgate and starts it again on the same store.
    pub async fn restart(&self) -> Result<(), OperatorError> {
        (self.restart)().await
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").finish_non_exhaustive()
    }
}

//! THE USE CASES: the only place where protocol, model, store and clock meet.

mod authorize;
pub use authorize::{Answer, Question};
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::Consumer;
use crate::oauth::{Problem, RequestView};

/// Who makes a guarded call, proved.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The consumer that signed.
    pub consumer: Arc<Consumer>,
    /// Whom the application shall see; `None`: only the consumer (2LO without `two_legged_user`).
    pub user: Option<CallingUser>,
    /// In which way the call names its user.
    pub kind: CallKind,
}

/// The user of a guarded call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallingUser {
    /// The name by which the application knows them.
    pub subject: String,
    /// The name to show to people.
    pub display_name: String,
}

/// In which way a guarded call names its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// By an access token that the user approved.
    ThreeLegged,
    /// Not at all: the consumer calls as itself.
    TwoLegged,
    /// By `xoauth_requestor_id`.
    Impersonated,
}

/// Why a use case did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The peer must act.
    #[error("refused: {0}")]
    Refused(#[from] Problem),
    /// We must act.
    #[error(transparent)]
    Failed(#[from] crate::store::StoreError),
}

/// The OAuth provider.
#[derive(Debug)]
pub struct Provider {}

impl Provider {
    /// Decides on a guarded call. `Ok(None)`: the request carries no OAuth at all.
    pub async fn admit(
        &self,
        _view: &RequestView<'_>,
        _peer: Option<IpAddr>,
    ) -> Result<Option<Caller>, Error> {
        todo!()
    }

    /// The realm of our challenges: the public URL.
    pub fn realm(&self) -> &str {
        todo!()
    }
}

impl Error {
    /// The answer to the peer: status, exactly one `WWW-Authenticate: OAuth`, and the same pairs as the body.
    pub fn to_response(&self, _realm: &str) -> http::Response<String> {
        todo!()
    }
}

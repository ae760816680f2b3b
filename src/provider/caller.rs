//! The consumer and the user of a guarded call.

use std::sync::Arc;

use strum::IntoStaticStr;

use crate::model::Consumer;

/// Who makes a guarded call, proved by a signature and, where there is one, a token.
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
#[expect(missing_docs, reason = "the names say it")]
pub struct CallingUser {
    /// The name by which the application knows them.
    pub subject: String,
    pub display_name: String,
}

impl CallingUser {
    pub(super) fn new(subject: impl Into<String>, display_name: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            display_name: display_name.into(),
        }
    }
}

/// In which way a guarded call names its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum CallKind {
    /// By an access token that the user approved.
    ThreeLegged,
    /// Not at all: the consumer calls as itself.
    TwoLegged,
    /// By `xoauth_requestor_id`.
    Impersonated,
}

impl CallKind {
    /// The name that `X-Linkgate-Call` and the assertion's `call` carry.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

//! The consumer and the user of a guarded call.

use std::sync::Arc;

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
pub struct CallingUser {
    /// The name by which the application knows them.
    pub subject: String,
    /// The name to show to people.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub const fn name(self) -> &'static str {
        match self {
            Self::ThreeLegged => "three-legged",
            Self::TwoLegged => "two-legged",
            Self::Impersonated => "impersonated",
        }
    }
}

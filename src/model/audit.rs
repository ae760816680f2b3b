//! The audit log: what happened, to whom and from where.

use std::net::IpAddr;

use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::oauth::{ConsumerKey, Timestamp};

/// One line of the audit log. Nothing in it is secret.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    pub at: Timestamp,
    pub kind: AuditKind,
    pub consumer: Option<ConsumerKey>,
    pub subject: Option<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// A few words more.
    pub detail: String,
}

impl AuditEvent {
    /// An event without a user or a consumer.
    pub const fn new(kind: AuditKind, at: Timestamp) -> Self {
        Self {
            at,
            kind,
            consumer: None,
            subject: None,
            address: None,
            detail: String::new(),
        }
    }

    /// The same event, of a user at an address.
    #[must_use]
    pub fn by(self, subject: impl Into<String>, address: Option<IpAddr>) -> Self {
        let subject = Some(subject.into());
        Self {
            subject,
            address,
            ..self
        }
    }
}

/// What happened. No refusal is among them: an unauthenticated client must not be able to make the log grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum AuditKind {
    SignedIn,
    SignedOut,
    Approved,
    Denied,
    /// A request token became an access token.
    Exchanged,
    /// An access token was replaced within its session.
    Renewed,
    Revoked,
    /// A user granted linkgate a token of a remote application.
    LinkConnected,
    LinkDisconnected,
    /// The remote application no longer accepts the token.
    LinkLost,
    ConsumerAdded,
    ConsumerUpdated,
    ConsumerEnabled,
    ConsumerDisabled,
    /// A consumer and all its tokens were deleted.
    ConsumerPurged,
}

impl AuditKind {
    /// The name by which it is kept and shown.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

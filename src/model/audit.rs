//! What happened, for people.

use std::net::IpAddr;

use crate::oauth::{ConsumerKey, Timestamp};

/// One line of the audit log. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: AuditKind,
    /// The consumer it is about.
    pub consumer: Option<ConsumerKey>,
    /// The user it is about.
    pub subject: Option<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The reference id that was shown to the person or peer.
    pub reference: Option<String>,
    /// One sentence more.
    pub detail: String,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditKind {
    /// A user signed in.
    SignedIn,
    /// Somebody did not.
    SignInFailed,
    /// A user signed out.
    SignedOut,
    /// A user said yes to a consumer.
    Approved,
    /// A user said no.
    Denied,
    /// A request token became an access token.
    Exchanged,
    /// An access token was replaced within its session.
    Renewed,
    /// An access token was revoked.
    Revoked,
    /// A request was refused; the detail explains why.
    Refused,
    /// A consumer was registered.
    ConsumerAdded,
    /// A consumer's settings changed.
    ConsumerUpdated,
    /// A consumer may act again.
    ConsumerEnabled,
    /// A consumer may not act any more.
    ConsumerDisabled,
    /// A consumer and all its tokens were deleted.
    ConsumerPurged,
}

impl AuditKind {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::SignedIn,
        Self::SignInFailed,
        Self::SignedOut,
        Self::Approved,
        Self::Denied,
        Self::Exchanged,
        Self::Renewed,
        Self::Revoked,
        Self::Refused,
        Self::ConsumerAdded,
        Self::ConsumerUpdated,
        Self::ConsumerEnabled,
        Self::ConsumerDisabled,
        Self::ConsumerPurged,
    ];

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name by which it is kept and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SignInFailed => "sign-in-failed",
            Self::SignedOut => "signed-out",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Exchanged => "exchanged",
            Self::Renewed => "renewed",
            Self::Revoked => "revoked",
            Self::Refused => "refused",
            Self::ConsumerAdded => "consumer-added",
            Self::ConsumerUpdated => "consumer-updated",
            Self::ConsumerEnabled => "consumer-enabled",
            Self::ConsumerDisabled => "consumer-disabled",
            Self::ConsumerPurged => "consumer-purged",
        }
    }
}

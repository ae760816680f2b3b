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
    /// A few words more.
    pub detail: String,
}

impl AuditEvent {
    /// Something that happened, about nobody yet.
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
}

/// What kind of thing happened.
///
/// No refusal is among them: a stranger must not be able to make the log grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditKind {
    /// A user signed in.
    SignedIn,
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
    /// A user allowed us to act for them at another side.
    LinkConnected,
    /// A user took that back here.
    LinkDisconnected,
    /// The other side does not take what the user gave us any more.
    LinkLost,
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
    pub const ALL: [Self; 15] = [
        Self::SignedIn,
        Self::SignedOut,
        Self::Approved,
        Self::Denied,
        Self::Exchanged,
        Self::Renewed,
        Self::Revoked,
        Self::LinkConnected,
        Self::LinkDisconnected,
        Self::LinkLost,
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
            Self::SignedOut => "signed-out",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Exchanged => "exchanged",
            Self::Renewed => "renewed",
            Self::Revoked => "revoked",
            Self::LinkConnected => "link-connected",
            Self::LinkDisconnected => "link-disconnected",
            Self::LinkLost => "link-lost",
            Self::ConsumerAdded => "consumer-added",
            Self::ConsumerUpdated => "consumer-updated",
            Self::ConsumerEnabled => "consumer-enabled",
            Self::ConsumerDisabled => "consumer-disabled",
            Self::ConsumerPurged => "consumer-purged",
        }
    }
}

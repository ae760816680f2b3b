//! Writes down what becomes of users' connections, for people.

use std::net::IpAddr;

use crate::model::{AuditEvent, AuditKind};

use super::{Links, Peer};

impl Links {
    /// Writes an event between a user and a link, in the audit log and in the log. `address`: where the user's browser is.
    /// `why`: a few words more, or none. A journal that cannot be written stops nobody's work; it is logged.
    pub(super) async fn record(
        &self,
        kind: AuditKind,
        peer: &Peer,
        subject: &str,
        address: Option<IpAddr>,
        why: &str,
    ) {
        tracing::info!(
            link = peer.name(),
            user.subject = ?subject,
            address = address.map(tracing::field::display),
            "{}: {} for {subject:?}{why}",
            kind.name(),
            peer.name(),
        );
        let event = AuditEvent {
            subject: Some(subject.to_owned()),
            address,
            detail: format!("the link {}{why}", peer.name()),
            ..AuditEvent::new(kind, self.clock.now())
        };
        if let Err(error) = self.store.record(&event).await {
            tracing::error!(%error, ?kind, "the audit log could not be written");
        }
    }
}

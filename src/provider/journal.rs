//! Writes what happened, for people.

use std::net::IpAddr;

use crate::model::{AuditEvent, AuditKind};
use crate::oauth::ConsumerKey;

use super::Provider;

impl Provider {
    /// Notes an event between a consumer and a user, in the audit log and in the log. `address`: where the request came
    /// from. A journal that cannot be written stops nobody's work; it is logged.
    pub(super) async fn note(
        &self,
        kind: AuditKind,
        consumer: &ConsumerKey,
        subject: &str,
        address: Option<IpAddr>,
    ) {
        tracing::info!(
            consumer.key = ?consumer,
            user.subject = ?subject,
            address = address.map(tracing::field::display),
            "{}: {consumer:?} for {subject:?}",
            kind.name(),
        );
        let event = AuditEvent {
            consumer: Some(consumer.clone()),
            subject: Some(subject.to_owned()),
            address,
            ..AuditEvent::new(kind, self.clock.now())
        };
        if let Err(error) = self.store.record(&event).await {
            tracing::error!(%error, ?kind, "the audit log could not be written");
        }
    }
}

//! Writes what happened, for people.

use crate::model::{AuditEvent, AuditKind};
use crate::oauth::ConsumerKey;

use super::Provider;

impl Provider {
    /// Notes an event. A journal that cannot be written stops nobody's work; it is logged.
    pub(super) async fn note(&self, kind: AuditKind, consumer: Option<&ConsumerKey>, subject: Option<&str>) {
        let event = AuditEvent {
            at: self.clock.now(),
            kind,
            consumer: consumer.cloned(),
            subject: subject.map(str::to_owned),
            address: None,
            reference: None,
            detail: String::new(),
        };
        if let Err(error) = self.store.record(&event).await {
            tracing::error!(%error, ?kind, "the audit log could not be written");
        }
    }
}

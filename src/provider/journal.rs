//! Says in the log what happened between a consumer and a user. The store has written it down for people.

use std::net::IpAddr;

use crate::model::AuditKind;
use crate::oauth::ConsumerKey;

/// Says what happened. `address`: where the request came from.
pub(super) fn say(kind: AuditKind, consumer: &ConsumerKey, subject: &str, address: Option<IpAddr>) {
    tracing::info!(
        consumer.key = ?consumer,
        user.subject = ?subject,
        address = address.map(tracing::field::display),
        "{}: {consumer:?} for {subject:?}",
        kind.name(),
    );
}

use linkgate::model::{AuditEvent, AuditKind};
use linkgate::store::{AuditFilter, StoreError};

use super::*;

on_both! {
    async fn events_are_listed_the_newest_first(db: Database) {
        let store = db.open().await;
        assert_eq!(store.audit(&newest(10)).await.unwrap(), []);
        let mut events: Vec<_> = AuditKind::ALL.into_iter().map(event).collect();
        for event in &events {
            store.record(event).await.unwrap();
        }
        events.reverse();
        assert_eq!(store.audit(&AuditFilter::default()).await.unwrap(), events);
        assert_eq!(store.audit(&newest(100)).await.unwrap(), events);
        assert_eq!(store.audit(&newest(2)).await.unwrap(), events[..2]);
        assert_eq!(store.audit(&newest(0)).await.unwrap(), []);
    }

    async fn events_are_found_by_what_they_are_about(db: Database) {
        let store = db.open().await;
        let about = |minute: i64, kind, consumer: Option<&str>, subject: &str| AuditEvent {
            consumer: consumer.map(key),
            subject: Some(subject.to_owned()),
            ..AuditEvent::new(kind, NOW.plus(60 * minute))
        };
        let events = [
            about(3, AuditKind::Revoked, Some("a"), "bob"),
            about(2, AuditKind::Approved, Some("b"), "alice"),
            about(1, AuditKind::Approved, Some("a"), "alice"),
            about(0, AuditKind::SignedIn, None, "alice"),
        ];
        for event in events.iter().rev() {
            store.record(event).await.unwrap();
        }
        let wanted = [
            (AuditFilter { kind: Some(AuditKind::Approved), ..newest(9) }, &[1, 2][..]),
            (AuditFilter { consumer: Some(key("a")), ..newest(9) }, &[0, 2]),
            (AuditFilter { subject: Some("alice".to_owned()), ..newest(2) }, &[1, 2]),
            (AuditFilter { subject: Some("Alice".to_owned()), ..newest(9) }, &[]),
            (AuditFilter { since: Some(NOW.plus(120)), ..newest(9) }, &[0, 1]),
            (AuditFilter { consumer: Some(key("a")), since: Some(NOW.plus(61)), ..newest(9) }, &[0]),
        ];
        for (filter, places) in wanted {
            let found = store.audit(&filter).await.unwrap();
            assert_eq!(found, places.iter().map(|&at| events[at].clone()).collect::<Vec<_>>(), "{filter:?}");
        }
    }

    async fn an_event_may_be_about_nobody(db: Database) {
        let store = db.open().await;
        let event = AuditEvent::new(AuditKind::SignedOut, NOW);
        store.record(&event).await.unwrap();
        assert_eq!(store.audit(&newest(1)).await.unwrap(), [event]);
    }

    async fn control_characters_of_others_are_not_kept(db: Database) {
        let store = db.open().await;
        let hostile = AuditEvent {
            subject: Some("a\0b\u{1b}[31m".to_owned()),
            detail: "one\r\ntwo\u{0}'; drop table audit; --".to_owned(),
            ..event(AuditKind::SignedIn)
        };
        store.record(&hostile).await.unwrap();
        let kept = store.audit(&newest(1)).await.unwrap().remove(0);
        assert_eq!(kept.subject.unwrap(), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(kept.detail, "one\u{fffd}\u{fffd}two\u{fffd}'; drop table audit; --");
    }

    async fn an_impossible_event_is_an_error(db: Database) {
        let store = db.open().await;
        store.record(&event(AuditKind::Approved)).await.unwrap();
        db.execute("update audit set kind = 'exploded'").await;
        let error = store.audit(&newest(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Inconsistent { table: "audit", .. }), "{error}");
    }
}

fn newest(limit: u32) -> AuditFilter {
    AuditFilter {
        limit: Some(limit),
        ..AuditFilter::default()
    }
}

fn event(kind: AuditKind) -> AuditEvent {
    AuditEvent {
        at: NOW,
        kind,
        consumer: Some(key("a")),
        subject: Some("alice".to_owned()),
        address: Some("2001:db8::1".parse().unwrap()),
        detail: "one sentence €".to_owned(),
    }
}

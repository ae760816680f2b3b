use linkgate::model::{AuditEvent, AuditKind};
use linkgate::store::StoreError;

use super::*;

on_both! {
    async fn events_are_listed_the_newest_first(db: Database) {
        let store = db.open().await;
        assert_eq!(store.audit(10).await.unwrap(), []);
        let events: Vec<_> = AuditKind::ALL.into_iter().map(event).collect();
        for event in &events {
            store.record(event).await.unwrap();
        }
        let mut newest = events.clone();
        newest.reverse();
        assert_eq!(store.audit(100).await.unwrap(), newest);
        assert_eq!(store.audit(2).await.unwrap(), newest[..2]);
        assert_eq!(store.audit(0).await.unwrap(), []);
    }

    async fn an_event_may_be_about_nobody(db: Database) {
        let store = db.open().await;
        let event = AuditEvent {
            consumer: None,
            subject: None,
            address: None,
            reference: None,
            detail: String::new(),
            ..event(AuditKind::Refused)
        };
        store.record(&event).await.unwrap();
        assert_eq!(store.audit(1).await.unwrap(), [event]);
    }

    async fn a_strangers_control_characters_are_not_kept(db: Database) {
        let store = db.open().await;
        let hostile = AuditEvent {
            subject: Some("a\0b".to_owned()),
            reference: Some("\u{1b}[31m".to_owned()),
            detail: "one\r\ntwo\u{0}'; drop table audit; --".to_owned(),
            ..event(AuditKind::SignInFailed)
        };
        store.record(&hostile).await.unwrap();
        let kept = store.audit(1).await.unwrap().remove(0);
        assert_eq!(kept.subject.unwrap(), "a\u{fffd}b");
        assert_eq!(kept.reference.unwrap(), "\u{fffd}[31m");
        assert_eq!(kept.detail, "one\u{fffd}\u{fffd}two\u{fffd}'; drop table audit; --");
    }

    async fn an_impossible_event_is_an_error(db: Database) {
        let store = db.open().await;
        store.record(&event(AuditKind::Approved)).await.unwrap();
        db.execute("update audit set kind = 'exploded'").await;
        let error = store.audit(1).await.unwrap_err();
        assert!(matches!(error, StoreError::Inconsistent { table: "audit", .. }), "{error}");
    }
}

fn event(kind: AuditKind) -> AuditEvent {
    AuditEvent {
        at: NOW,
        kind,
        consumer: Some(key("a")),
        subject: Some("alice".to_owned()),
        address: Some("2001:db8::1".parse().unwrap()),
        reference: Some("r-1234".to_owned()),
        detail: "one sentence €".to_owned(),
    }
}

use linkgate::model::{AuditEvent, AuditKind, BrowserSession, SessionId};
use linkgate::store::{AuditFilter, Revoke, StoreError};
use strum::VariantNames as _;

use super::*;

on_both! {
    async fn events_are_listed_the_newest_first(db: Database) {
        let store = db.open().await;
        assert_eq!(store.audit(&newest(10)).await.unwrap(), []);
        let mut events: Vec<_> = AuditKind::VARIANTS.iter().map(|name| event(name.parse().unwrap())).collect();
        for event in &events {
            record(&db, event).await;
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
            record(&db, event).await;
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

    async fn what_becomes_of_tokens_is_written_down_together_with_it(db: Database) {
        let store = open_with_consumers(&db).await;
        let (asked, refused, old, new) = (token(&db), token(&db), token(&db), token(&db));
        let address = Some("192.0.2.1".parse().unwrap());
        for token in [&asked, &refused] {
            store.add_request_token(token, &question("a")).await.unwrap();
        }
        let by = Actor { name: "carol", address };
        let later = NOW.plus(60);
        let all = Revoke::AllOf { subject: "alice" };
        // What is done a second time does nothing, and leaves no line.
        for first in [true, false] {
            let alice = user("alice");
            assert_eq!(store.authorize_request_token(&asked, &alice, address, NOW).await.unwrap(), first);
            assert_eq!(store.deny_request_token(&refused, &alice, address, NOW).await.unwrap(), first);
            let exchanged = store.exchange(&asked, &key("a"), NOW, &old, &access("s"), address).await.unwrap();
            assert_eq!(exchanged.is_some(), first);
            let renewed = store.renew(&old, &key("a"), "s", &new, later, later.plus(60), address).await.unwrap();
            assert_eq!(renewed.is_some(), first);
            assert_eq!(store.revoke(all, by, later).await.unwrap().len(), usize::from(first));
        }
        let id = store.access_token(&new).await.unwrap().unwrap().id;
        let line = |kind, at, detail: &str| AuditEvent {
            consumer: Some(key("a")),
            subject: Some("alice".to_owned()),
            address,
            detail: detail.to_owned(),
            ..AuditEvent::new(kind, at)
        };
        let of_tokens = AuditFilter { subject: Some("alice".to_owned()), ..AuditFilter::default() };
        let expected = [
            line(AuditKind::Revoked, later, &format!("the token {id}, by carol")),
            line(AuditKind::Renewed, later, ""),
            line(AuditKind::Exchanged, NOW, ""),
            line(AuditKind::Denied, NOW, ""),
            line(AuditKind::Approved, NOW, ""),
        ];
        assert_eq!(store.audit(&of_tokens).await.unwrap(), expected);
    }

    async fn who_signs_in_and_out_is_written_down_together_with_it(db: Database) {
        let store = db.open().await;
        let (id, address) = (SessionId::new(token(&db)), Some("192.0.2.1".parse().unwrap()));
        let session = session_of("alice");
        store.add_session(&id, &session, address).await.unwrap();
        assert!(store.add_session(&id, &session, address).await.is_err(), "it is there already");
        let later = NOW.plus(60);
        for first in [true, false] {
            assert_eq!(store.sign_out(&id, address, later).await.unwrap(), first);
        }
        let line = |kind, at| AuditEvent {
            subject: Some("alice".to_owned()),
            address,
            ..AuditEvent::new(kind, at)
        };
        let expected = [line(AuditKind::SignedOut, later), line(AuditKind::SignedIn, NOW)];
        assert_eq!(store.audit(&AuditFilter::default()).await.unwrap(), expected);
    }

    async fn what_cannot_be_written_down_does_not_happen(db: Database) {
        let store = open_with_consumers(&db).await;
        let (open, approved) = (token(&db), approved(&db, &store).await);
        let (granted, new) = (granted(&db, &store).await, token(&db));
        store.add_request_token(&open, &question("a")).await.unwrap();
        let before = store.access_token(&granted).await.unwrap().unwrap();
        let by_hand = Consumer { source: ConsumerSource::Command, ..consumer("c") };
        let (here, away) = (SessionId::new(token(&db)), SessionId::new(token(&db)));
        store.add_session(&here, &session_of("alice"), None).await.unwrap();
        db.execute("drop table audit").await;
        let alice = user("alice");
        assert!(store.authorize_request_token(&open, &alice, None, NOW).await.is_err());
        assert!(store.deny_request_token(&open, &alice, None, NOW).await.is_err());
        assert!(store.exchange(&approved, &key("a"), NOW, &new, &access("s"), None).await.is_err());
        assert!(store.renew(&granted, &key("a"), "session", &new, NOW, NOW.plus(60), None).await.is_err());
        assert!(store.revoke(Revoke::One { id: &before.id }, BY, NOW).await.is_err());
        for (token, state) in [
            (&open, RequestTokenState::Pending),
            (&approved, RequestTokenState::Authorized { by: alice }),
        ] {
            assert_eq!(store.request_token(token).await.unwrap().unwrap().state, state);
        }
        assert_eq!(store.access_token(&new).await.unwrap(), None);
        assert_eq!(store.access_token(&granted).await.unwrap(), Some(before));

        assert!(store.add_session(&away, &session_of("alice"), None).await.is_err());
        assert!(store.sign_out(&here, None, NOW).await.is_err());
        for (id, is_there) in [(&here, true), (&away, false)] {
            assert_eq!(store.session(id, NOW).await.unwrap().is_some(), is_there);
        }

        assert!(store.add_consumer(&by_hand, NOW).await.is_err());
        assert!(store.set_consumer_enabled(&key("a"), false, NOW).await.is_err());
        assert!(store.purge_consumer(&key("b"), NOW).await.is_err());
        assert_eq!(store.consumers().await.unwrap(), [consumer("a"), consumer("b")]);
    }

    async fn an_event_may_have_no_user(db: Database) {
        let store = db.open().await;
        let event = AuditEvent::new(AuditKind::SignedOut, NOW);
        record(&db, &event).await;
        assert_eq!(store.audit(&newest(1)).await.unwrap(), [event]);
    }

    async fn control_characters_of_others_are_not_kept(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = granted(&db, &store).await;
        let id = store.access_token(&token).await.unwrap().unwrap().id;
        let hostile = Actor { name: "one\r\ntwo\u{0}'; drop table audit; --", address: None };
        store.revoke(Revoke::One { id: &id }, hostile, NOW).await.unwrap();
        let kept = store.audit(&newest(1)).await.unwrap().remove(0);
        let detail = format!("the token {id}, by one\u{fffd}\u{fffd}two\u{fffd}'; drop table audit; --");
        assert_eq!(kept.detail, detail);
        let session = session_of("a\u{1b}[31m");
        store.add_session(&SessionId::new(self::token(&db)), &session, None).await.unwrap();
        let kept = store.audit(&newest(1)).await.unwrap().remove(0);
        assert_eq!(kept.subject.unwrap(), "a\u{fffd}[31m");
    }

    async fn an_impossible_event_is_an_error(db: Database) {
        let store = db.open().await;
        record(&db, &event(AuditKind::Approved)).await;
        db.execute("update audit set kind = 'exploded'").await;
        let error = store.audit(&newest(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Inconsistent { table: "audit", .. }), "{error}");
    }
}

/// Writes a line past the store.
async fn record(db: &Database, event: &AuditEvent) {
    let quoted = |text: Option<&str>| text.map_or("null".to_owned(), |text| format!("'{text}'"));
    let address = event.address.map(|address| address.to_string());
    let values = [
        Some(event.kind.name()),
        event.consumer.as_ref().map(ConsumerKey::as_str),
        event.subject.as_deref(),
        address.as_deref(),
        Some(&event.detail),
    ];
    let (at, values) = (event.at.seconds(), values.map(quoted).join(", "));
    let sql = format!(
        "insert into audit (at, kind, consumer_key, subject, address, detail) values ({at}, {values}) returning kind"
    );
    assert_eq!(db.texts(sql).await, [event.kind.name()]);
}

fn session_of(subject: &str) -> BrowserSession {
    BrowserSession {
        user: user(subject),
        created_at: NOW,
        seen_at: NOW,
        expires_at: NOW.plus(100),
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

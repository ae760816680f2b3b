use linkgate::model::{AuditEvent, AuditKind, BrowserSession, SessionId};
use linkgate::oauth::Window;
use linkgate::store::Swept;

use super::*;

on_both! {
    async fn nothing_that_matters_is_swept(db: Database) {
        let store = open_with_consumers(&db).await;
        let (open, used, token) = (token(&db), approved(&db, &store).await, granted(&db, &store).await);
        store.add_request_token(&open, &question("a")).await.unwrap();
        store.exchange(&used, &key("a"), NOW, &self::token(&db), &access("s")).await.unwrap().unwrap();
        store.remember(NOW.plus(-300), [1; 16]).await.unwrap();
        assert_eq!(store.sweep(NOW, Window::default()).await.unwrap(), Swept::default());
        // Dead, but a refusal still has to say of what.
        let late = NOW.plus(3_600);
        assert_eq!(store.sweep(late, Window::default()).await.unwrap(), Swept { nonces: 1, ..Swept::default() });
        assert!(store.request_token(&open).await.unwrap().is_some());
        assert_eq!(store.request_token(&used).await.unwrap().unwrap().state, RequestTokenState::Used);
        assert!(store.access_token(&token).await.unwrap().is_some());
    }

    async fn nonces_take_no_more_room_than_the_window(db: Database) {
        let (store, window) = (db.open().await, Window::default());
        let mut largest = 0;
        // A hundred minutes: ten times as long as a request can be early or late.
        for minute in 0..100 {
            let now = NOW.plus(60 * minute);
            for n in 0..40_u8 {
                // From the earliest time that is admitted to the latest.
                let at = now.plus(i64::from(n) * 15 - 300);
                let mut digest = [n; 16];
                digest[..8].copy_from_slice(&minute.to_be_bytes());
                assert!(store.remember(at, digest).await.unwrap());
            }
            store.sweep(now, window).await.unwrap();
            largest = largest.max(kept(&db).await);
        }
        // Each minute brings forty, of which none is of use for longer than ten.
        assert!((200..=400).contains(&largest), "{largest}");
    }

    async fn a_nonce_stays_as_long_as_its_request_would_be_admitted(db: Database) {
        let store = db.open().await;
        let window = Window { past: 300, future: 300 };
        for at in [NOW.plus(300), NOW, NOW.plus(-300)] {
            store.remember(at, [1; 16]).await.unwrap();
            for passed in 0..=700 {
                let now = NOW.plus(passed);
                if passed % 50 == 0 {
                    store.sweep(now, window).await.unwrap();
                }
                if passed % 100 == 0 && window.admit(at, now).is_ok() {
                    assert!(!store.remember(at, [1; 16]).await.unwrap(), "{at} at {now}");
                }
            }
        }
    }

    async fn what_is_long_dead_is_swept(db: Database) {
        let store = open_with_consumers(&db).await;
        let day = 86_400;
        approved(&db, &store).await;
        let swept = store.sweep(NOW.plus(600 + day), Window::default()).await.unwrap();
        assert_eq!(swept, Swept { request_tokens: 1, ..Swept::default() });

        // One whose session lives, one that was revoked; then a session's time is over too.
        let (token, revoked) = (granted(&db, &store).await, granted(&db, &store).await);
        let id = store.access_token(&revoked).await.unwrap().unwrap().id;
        store.revoke_access_token(&id, NOW).await.unwrap();
        let swept = store.sweep(NOW.plus(30 * day + 3_600), Window::default()).await.unwrap();
        assert_eq!(swept, Swept { access_tokens: 1, request_tokens: 2, ..Swept::default() });
        assert!(store.access_token(&token).await.unwrap().is_some(), "it can still be renewed");
        let swept = store.sweep(NOW.plus(31 * day), Window::default()).await.unwrap();
        assert_eq!(swept, Swept { access_tokens: 1, ..Swept::default() });
    }

    async fn a_dead_token_without_a_session_is_swept(db: Database) {
        let store = open_with_consumers(&db).await;
        let (asked, token) = (approved(&db, &store).await, token(&db));
        let access = NewAccess { session: None, ..access("") };
        store.exchange(&asked, &key("a"), NOW, &token, &access).await.unwrap().unwrap();
        let expiry = NOW.plus(3_600 + 30 * 86_400);
        assert_eq!(store.sweep(expiry.plus(-1), Window::default()).await.unwrap().access_tokens, 0);
        assert_eq!(store.sweep(expiry, Window::default()).await.unwrap().access_tokens, 1);
    }

    async fn sessions_and_old_events_are_swept(db: Database) {
        let store = db.open().await;
        let session = BrowserSession { user: user("alice"), created_at: NOW, seen_at: NOW, expires_at: NOW.plus(10) };
        store.add_session(&SessionId::new(token(&db)), &session).await.unwrap();
        let event = AuditEvent {
            at: NOW,
            kind: AuditKind::SignedIn,
            consumer: None,
            subject: None,
            address: None,
            reference: None,
            detail: String::new(),
        };
        store.record(&event).await.unwrap();
        assert_eq!(store.sweep(NOW.plus(9), Window::default()).await.unwrap(), Swept::default());
        let swept = store.sweep(NOW.plus(10), Window::default()).await.unwrap();
        assert_eq!(swept, Swept { sessions: 1, ..Swept::default() });
        let swept = store.sweep(NOW.plus(400 * 86_400), Window::default()).await.unwrap();
        assert_eq!(swept, Swept { audit: 1, ..Swept::default() });
    }
}

/// How many nonces are on the disk.
async fn kept(db: &Database) -> u64 {
    if !db.is_sqlite() {
        let count = db
            .texts(
                "select cast(coalesce(sum(length(digests)) / 16, 0) as text) from nonces where batch > 0"
                    .to_owned(),
            )
            .await;
        return count[0].parse().unwrap();
    }
    let minutes = db.nonces().read_dir().unwrap();
    minutes
        .map(|minute| minute.unwrap().metadata().unwrap().len() / 16)
        .sum()
}

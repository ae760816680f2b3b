use std::collections::HashMap;
use std::net::IpAddr;

use linkgate::store::{Filter, Revoke, Search, StoreError};

use super::*;

on_both! {
    async fn a_token_has_a_public_name(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = granted(&db, &store).await;
        let kept = store.access_token(&token).await.unwrap().unwrap();
        assert_eq!(kept.id.len(), 16);
        assert!(kept.id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!token.as_str().contains(&kept.id));
        assert_eq!(store.access_token(&self::token(&db)).await.unwrap(), None);
    }

    async fn a_token_without_a_session_is_kept_without(db: Database) {
        let store = open_with_consumers(&db).await;
        let (asked, token) = (approved(&db, &store).await, token(&db));
        let access = NewAccess { session: None, ..access("") };
        store.exchange(&asked, &key("a"), NOW, &token, &access, None).await.unwrap().unwrap();
        assert_eq!(store.access_token(&token).await.unwrap().unwrap().session, None);
        assert_eq!(renew(&store, &token, "a", "", &self::token(&db), NOW).await, None);
    }

    async fn a_renewed_token_takes_the_place_of_the_old_one(db: Database) {
        let store = open_with_consumers(&db).await;
        let (old, new) = (granted(&db, &store).await, token(&db));
        let before = store.access_token(&old).await.unwrap().unwrap();
        let late = NOW.plus(7_200);
        let renewed = renew(&store, &old, "a", "session", &new, late).await.unwrap();
        assert_eq!(renewed.id, before.id, "the connection is the same");
        assert_eq!((renewed.issued_at, renewed.expires_at), (late, late.plus(60)));
        assert_eq!((&renewed.user, &renewed.session), (&before.user, &before.session));
        assert_eq!(store.access_token(&new).await.unwrap(), Some(renewed));
        assert_eq!(store.access_token(&old).await.unwrap(), None);
        assert!(store.access_token_or_renewed(&old, late).await.unwrap().is_some());
        assert_eq!(store.access_token_or_renewed(&old, late.plus(1)).await.unwrap(), None);
        assert_eq!(renew(&store, &old, "a", "session", &token(&db), late).await, None);
    }

    async fn a_renewal_needs_its_own_consumer_and_a_living_session(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = granted(&db, &store).await;
        for (consumer, session, now) in [
            ("b", "session", NOW),
            ("a", "another", NOW),
            ("a", "", NOW),
            ("a", "session", NOW.plus(86_400)),
        ] {
            let new = self::token(&db);
            assert_eq!(renew(&store, &token, consumer, session, &new, now).await, None, "{consumer} {session}");
        }
        let id = store.access_token(&token).await.unwrap().unwrap().id;
        assert_eq!(store.revoke(Revoke::One { id: &id }, BY, NOW).await.unwrap().len(), 1);
        assert_eq!(renew(&store, &token, "a", "session", &self::token(&db), NOW).await, None);
    }

    async fn of_ten_renewals_one_wins(db: Database) {
        let store = open_with_consumers(&db).await;
        let old = granted(&db, &store).await;
        let renewals = (0..10).map(|_| {
            let (store, old, new) = (store.clone(), old.clone(), token(&db));
            async move { renew(&store, &old, "a", "session", &new, NOW).await.is_some() }
        });
        assert_eq!(count(&at_once(renewals).await), 1);
    }

    async fn tokens_are_listed_by_consumer_and_user(db: Database) {
        let store = open_with_consumers(&db).await;
        for (consumer, subject, age) in [("a", "alice", 0), ("a", "bob", 1), ("b", "alice", 2)] {
            let (asked, issued_at) = (token(&db), NOW.plus(-age));
            store.add_request_token(&asked, &question(consumer)).await.unwrap();
            store.authorize_request_token(&asked, &user(subject), None, NOW).await.unwrap();
            let access = NewAccess { issued_at, ..access("s") };
            store.exchange(&asked, &key(consumer), NOW, &token(&db), &access, None).await.unwrap().unwrap();
        }
        let list = async |consumer: Option<&str>, subject: Option<&str>| -> Vec<String> {
            let filter = Filter { consumer: consumer.map(key), subject: subject.map(str::to_owned), limit: None };
            let tokens = store.access_tokens(&filter).await.unwrap();
            let first = store.access_tokens(&Filter { limit: Some(1), ..filter }).await.unwrap();
            assert_eq!(first[..], tokens[..tokens.len().min(1)]);
            for token in &tokens {
                assert_eq!(store.access_token_by_id(&token.id).await.unwrap().as_ref(), Some(token));
            }
            tokens.iter().map(|token| format!("{} {}", token.consumer, token.user.subject)).collect()
        };
        assert_eq!(list(None, None).await, ["a alice", "a bob", "b alice"], "the newest first");
        assert_eq!(list(Some("a"), None).await, ["a alice", "a bob"]);
        assert_eq!(list(None, Some("alice")).await, ["a alice", "b alice"]);
        assert_eq!(list(Some("b"), Some("alice")).await, ["b alice"]);
        assert_eq!(list(Some("b"), Some("bob")).await, Vec::<String>::new());
        assert_eq!(store.access_token_by_id("0123456789abcdef").await.unwrap(), None);
    }

    async fn use_is_noted_to_the_minute(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = granted(&db, &store).await;
        let minute = Timestamp::from_seconds(NOW.minute() * 60);
        let (v4, v6): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        let touch = async |token: &Token, at, from| {
            store.touch_access_tokens(HashMap::from([(token.clone(), (at, from))])).await.unwrap();
        };
        let last_used = async || store.access_token(&token).await.unwrap().unwrap().last_used;
        assert_eq!(last_used().await, None);
        touch(&token, minute.plus(59), Some(v4)).await;
        assert_eq!(last_used().await, Some((minute, Some(v4))));
        touch(&token, minute.plus(5), Some(v6)).await;
        assert_eq!(last_used().await, Some((minute, Some(v4))), "once a minute is enough");
        touch(&token, minute.plus(-60), Some(v6)).await;
        assert_eq!(last_used().await, Some((minute, Some(v4))), "time does not run backwards");
        touch(&token, minute.plus(60), Some(v6)).await;
        assert_eq!(last_used().await, Some((minute.plus(60), Some(v6))));
        touch(&token, minute.plus(120), None).await;
        assert_eq!(last_used().await, Some((minute.plus(120), None)));
        touch(&self::token(&db), minute, None).await;
    }

    async fn uses_of_many_tokens_are_written_together_by_replicas(db: Database) {
        let (store, replica) = (open_with_consumers(&db).await, db.open().await);
        let mut tokens = Vec::new();
        for _ in 0..20 {
            tokens.push(granted(&db, &store).await);
        }
        let uses = |minutes: i64| tokens.iter().map(|token| (token.clone(), (NOW.plus(60 * minutes), None))).collect();
        for minutes in 0..5 {
            let (here, there) = tokio::join!(
                store.touch_access_tokens(uses(minutes)),
                replica.touch_access_tokens(uses(minutes + 1)),
            );
            here.unwrap();
            there.unwrap();
        }
        for token in &tokens {
            let last_used = store.access_token(token).await.unwrap().unwrap().last_used;
            assert_eq!(last_used, Some((NOW.plus(300), None)));
        }
    }

    async fn a_part_of_a_name_is_searched_among_the_newest_and_a_name_among_all(db: Database) {
        let store = open_with_consumers(&db).await;
        granted(&db, &store).await;
        // 60,000 tokens of others, issued later.
        let numbers = if db.is_sqlite() {
            "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 60000) "
        } else {
            "with numbers (n) as (select generate_series(1, 60000)) "
        };
        let bytes = if db.is_sqlite() { "cast(n as blob)" } else { "int8send(n)" };
        let insert = format!(
            "insert into access_tokens (digest, id, key_id, consumer_key, subject, display_name, proved_by, proved_at, \
             issued_at, expires_at) {numbers} \
             select {bytes}, 'x' || n, key_id, 'b', 'user' || n, 'Name', proved_by, proved_at, issued_at + n, expires_at + n \
             from numbers, access_tokens"
        );
        db.execute(insert.leak()).await;
        let began = std::time::Instant::now();
        let found = async |consumer: Option<&str>, user: &str| {
            let search = Search { consumer: consumer.map(key), user: user.to_owned(), skip: 0, limit: 5 };
            let found = store.search_access_tokens(&search).await.unwrap();
            found.into_iter().map(|token| token.user.subject).collect::<Vec<_>>()
        };
        assert_eq!(found(None, "ali").await, Vec::<String>::new());
        assert_eq!(found(None, "alice").await, ["alice"]);
        assert_eq!(found(Some("a"), "ali").await, ["alice"], "the newest of this consumer");
        assert_eq!(found(Some("b"), "alice").await, Vec::<String>::new());
        assert_eq!(found(None, "er5999").await, ["user59999", "user59998", "user59997", "user59996", "user59995"]);
        assert_eq!(found(None, "").await.len(), 5);
        assert!(began.elapsed() < std::time::Duration::from_secs(10));
    }

    async fn an_impossible_token_is_an_error(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = granted(&db, &store).await;
        db.execute("update access_tokens set session_expires_at = null").await;
        let error = store.access_token(&token).await.unwrap_err();
        assert!(matches!(error, StoreError::Inconsistent { table: "access_tokens", .. }), "{error}");
        assert!(store.access_tokens(&Filter::default()).await.is_err());
    }
}

/// Renews for a minute.
async fn renew(
    store: &Store,
    old: &Token,
    consumer: &str,
    session: &str,
    new: &Token,
    now: Timestamp,
) -> Option<linkgate::model::AccessToken> {
    store
        .renew(old, &key(consumer), session, new, now, now.plus(60), None)
        .await
        .unwrap()
}

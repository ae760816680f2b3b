use linkgate::model::AccessToken;
use linkgate::store::{AuditFilter, Revoke, Search};

use super::*;

on_both! {
    async fn a_connection_keeps_its_beginning_and_its_host(db: Database) {
        let store = open_with_consumers(&db).await;
        let (old, new) = (granted(&db, &store).await, token(&db));
        let kept = store.access_token(&old).await.unwrap().unwrap();
        assert_eq!((kept.connected_at, kept.host.as_deref()), (NOW, Some("bitbucket.example.com")));
        let later = NOW.plus(60);
        let renewed = store.renew(&old, &key("a"), "session", &new, later, later.plus(60), None).await.unwrap().unwrap();
        assert_eq!((renewed.connected_at, renewed.issued_at), (NOW, later));
        assert_eq!(renewed.host.as_deref(), Some("bitbucket.example.com"));
        db.execute("update access_tokens set connected_at = null, host = null").await;
        let of_before = store.access_token(&new).await.unwrap().unwrap();
        assert_eq!((of_before.connected_at, of_before.host), (later, None), "a token of an older version");
    }

    async fn revoking_all_takes_approvals_along_that_were_not_exchanged(db: Database) {
        let store = open_with_consumers(&db).await;
        let asked = approved(&db, &store).await;
        assert_eq!(store.revoke(Revoke::AllOf { subject: "bob" }, BY, NOW).await.unwrap(), []);
        assert!(matches!(store.request_token(&asked).await.unwrap().unwrap().state, RequestTokenState::Authorized { .. }));
        assert_eq!(store.revoke(Revoke::AllOf { subject: "alice" }, BY, NOW).await.unwrap(), []);
        assert_eq!(store.request_token(&asked).await.unwrap().unwrap().state, RequestTokenState::Denied);
        let events = store.audit(&AuditFilter { limit: Some(1), ..AuditFilter::default() }).await.unwrap();
        assert_eq!(events[0].detail, "an approval that was not exchanged yet, by carol");
        assert_eq!((events[0].consumer.clone(), events[0].subject.as_deref()), (Some(key("a")), Some("alice")));
    }

    async fn a_connection_out_of_band_has_no_host(db: Database) {
        let store = open_with_consumers(&db).await;
        let (asked, token) = (token(&db), token(&db));
        let question = RequestToken { callback: Callback::OutOfBand, ..question("a") };
        store.add_request_token(&asked, &question).await.unwrap();
        store.authorize_request_token(&asked, &user("alice"), None, NOW).await.unwrap();
        let granted = store.exchange(&asked, &key("a"), NOW, &token, &access("s"), None).await.unwrap().unwrap();
        assert_eq!(granted.host, None);
        assert_eq!(store.access_token(&token).await.unwrap(), Some(granted));
    }

    async fn what_is_connected_is_what_can_be_used_or_renewed(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = granted(&db, &store).await;
        let expected = store.access_token(&token).await.unwrap().unwrap();
        for (after, live) in [(0, true), (3_599, true), (3_600, true), (86_399, true), (86_400, false)] {
            let now = NOW.plus(after);
            let found = store.connections("alice", now).await.unwrap();
            assert_eq!(found, if live { vec![expected.clone()] } else { Vec::new() }, "{after}");
            assert_eq!(expected.is_live(now), live, "{after}");
        }
        assert_eq!(store.connections("Alice", NOW).await.unwrap(), []);
        store.revoke(Revoke::One { id: &expected.id }, BY, NOW).await.unwrap();
        assert_eq!(store.connections("alice", NOW).await.unwrap(), []);
    }

    async fn one_is_revoked_once_and_only_by_its_user_or_an_administrator(db: Database) {
        let store = open_with_consumers(&db).await;
        let (token, other) = (granted(&db, &store).await, granted(&db, &store).await);
        let id = store.access_token(&token).await.unwrap().unwrap().id;
        let own = |subject| Revoke::Own { id: &id, subject };
        assert_eq!(store.revoke(own("bob"), BY, NOW).await.unwrap(), []);
        assert_eq!(store.revoke(Revoke::One { id: "0123456789abcdef" }, BY, NOW).await.unwrap(), []);
        let revoked = store.revoke(own("alice"), BY, NOW.plus(1)).await.unwrap();
        assert_eq!(ids(&revoked), [id.as_str()]);
        assert_eq!(revoked[0].revoked_at, Some(NOW.plus(1)));
        assert_eq!(store.revoke(own("alice"), BY, NOW.plus(2)).await.unwrap(), []);
        assert_eq!(store.revoke(Revoke::One { id: &id }, BY, NOW.plus(2)).await.unwrap(), []);
        assert_eq!(store.access_token(&token).await.unwrap().as_ref(), Some(&revoked[0]));
        assert_eq!(store.access_token(&other).await.unwrap().unwrap().revoked_at, None);
    }

    async fn all_of_a_user_are_revoked_but_those_that_are_dead_already(db: Database) {
        let store = open_with_consumers(&db).await;
        let (first, second) = (granted(&db, &store).await, granted(&db, &store).await);
        let of_bob = token(&db);
        let asked = token(&db);
        store.add_request_token(&asked, &question("b")).await.unwrap();
        store.authorize_request_token(&asked, &user("bob"), None, NOW).await.unwrap();
        store.exchange(&asked, &key("b"), NOW, &of_bob, &access("s"), None).await.unwrap().unwrap();
        assert_eq!(store.revoke(Revoke::AllOf { subject: "alice" }, BY, NOW.plus(90_000)).await.unwrap(), []);
        assert_eq!(store.revoke(Revoke::AllOf { subject: "alice" }, BY, NOW).await.unwrap().len(), 2);
        for (token, revoked) in [(first, true), (second, true), (of_bob, false)] {
            let kept = store.access_token(&token).await.unwrap().unwrap();
            assert_eq!(kept.revoked_at.is_some(), revoked);
        }
    }

    async fn tokens_are_found_by_consumer_and_a_part_of_a_name(db: Database) {
        let store = open_with_consumers(&db).await;
        for (consumer, subject, age) in [("a", "Alice", 0), ("a", "bob%", 1), ("b", "alice2", 2), ("b", "b_b", 3)] {
            let (asked, issued_at) = (token(&db), NOW.plus(-age));
            store.add_request_token(&asked, &question(consumer)).await.unwrap();
            store.authorize_request_token(&asked, &user(subject), None, NOW).await.unwrap();
            let access = NewAccess { issued_at, ..access("s") };
            store.exchange(&asked, &key(consumer), NOW, &token(&db), &access, None).await.unwrap().unwrap();
        }
        let find = async |consumer: Option<&str>, user: &str, skip, limit| -> Vec<String> {
            let search = Search { consumer: consumer.map(key), user: user.to_owned(), skip, limit };
            let found = store.search_access_tokens(&search).await.unwrap();
            found.iter().map(|token| token.user.subject.clone()).collect()
        };
        assert_eq!(find(None, "", 0, 50).await, ["Alice", "bob%", "alice2", "b_b"], "the newest first");
        assert_eq!(find(None, "ALICE", 0, 50).await, ["Alice", "alice2"]);
        assert_eq!(find(Some("a"), "alice", 0, 50).await, ["Alice"]);
        assert_eq!(find(None, "example €", 0, 50).await.len(), 4, "the name to show counts too");
        assert_eq!(find(None, "%", 0, 50).await, ["bob%"]);
        assert_eq!(find(None, "b_b", 0, 50).await, ["b_b"]);
        assert_eq!(find(None, "!", 0, 50).await, Vec::<String>::new());
        assert_eq!(find(None, "\0'\"\\", 0, 50).await, Vec::<String>::new());
        assert_eq!(find(None, "", 1, 2).await, ["bob%", "alice2"]);
        assert_eq!(find(None, "", 4, 50).await, Vec::<String>::new());
    }
}

fn ids(tokens: &[AccessToken]) -> Vec<&str> {
    tokens.iter().map(|token| token.id.as_str()).collect()
}

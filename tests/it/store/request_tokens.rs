use linkgate::store::StoreError;

use super::*;

on_both! {
    async fn a_question_is_kept(db: Database) {
        let store = open_with_consumers(&db).await;
        let (first, second) = (token(&db), token(&db));
        let out_of_band = RequestToken { callback: Callback::OutOfBand, ..question("b") };
        store.add_request_token(&first, &question("a")).await.unwrap();
        store.add_request_token(&second, &out_of_band).await.unwrap();
        assert_eq!(store.request_token(&first).await.unwrap(), Some(question("a")));
        assert_eq!(store.request_token(&second).await.unwrap(), Some(out_of_band));
        assert_eq!(store.request_token(&token(&db)).await.unwrap(), None);
    }

    async fn a_request_token_is_pending_and_of_a_known_consumer(db: Database) {
        let store = open_with_consumers(&db).await;
        let answered = RequestToken { state: RequestTokenState::Denied, ..question("a") };
        assert!(store.add_request_token(&token(&db), &answered).await.is_err());
        assert!(store.add_request_token(&token(&db), &question("nobody")).await.is_err());
        let token = token(&db);
        store.add_request_token(&token, &question("a")).await.unwrap();
        assert!(store.add_request_token(&token, &question("a")).await.is_err());
    }

    async fn the_first_decision_counts(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = approved(&db, &store).await;
        assert!(!store.authorize_request_token(&token, &user("mallory"), None, NOW).await.unwrap());
        assert!(!store.deny_request_token(&token, &user("alice"), None, NOW).await.unwrap());
        let kept = store.request_token(&token).await.unwrap().unwrap();
        assert_eq!(kept.state, RequestTokenState::Authorized { by: user("alice") });

        let token = self::token(&db);
        store.add_request_token(&token, &question("a")).await.unwrap();
        assert!(store.deny_request_token(&token, &user("alice"), None, NOW).await.unwrap());
        assert!(!store.deny_request_token(&token, &user("alice"), None, NOW).await.unwrap());
        assert!(!store.authorize_request_token(&token, &user("alice"), None, NOW).await.unwrap());
        assert_eq!(store.request_token(&token).await.unwrap().unwrap().state, RequestTokenState::Denied);
    }

    async fn an_expired_question_is_kept_but_takes_no_answer(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = token(&db);
        store.add_request_token(&token, &question("a")).await.unwrap();
        let late = NOW.plus(600);
        assert!(!store.authorize_request_token(&token, &user("alice"), None, late).await.unwrap());
        assert!(!store.deny_request_token(&token, &user("alice"), None, late).await.unwrap());
        assert_eq!(store.request_token(&token).await.unwrap(), Some(question("a")));
        assert!(store.authorize_request_token(&token, &user("alice"), None, NOW.plus(599)).await.unwrap());
    }

    async fn an_exchange_consumes_the_question(db: Database) {
        let store = open_with_consumers(&db).await;
        let (asked, answer) = (approved(&db, &store).await, token(&db));
        let granted = store.exchange(&asked, &key("a"), NOW, &answer, &access("s"), None).await.unwrap().unwrap();
        assert_eq!(granted.consumer, key("a"));
        assert_eq!(granted.user, user("alice"));
        assert_eq!((granted.issued_at, granted.expires_at), (NOW, NOW.plus(3_600)));
        assert_eq!(granted.session, access("s").session);
        assert_eq!(store.access_token(&answer).await.unwrap(), Some(granted));
        assert!(matches!(store.request_token(&asked).await.unwrap().unwrap().state, RequestTokenState::Used { .. }));

        let second = token(&db);
        assert_eq!(store.exchange(&asked, &key("a"), NOW, &second, &access("t"), None).await.unwrap(), None);
        assert_eq!(store.access_token(&second).await.unwrap(), None);
    }

    async fn an_exchange_needs_a_yes_its_own_consumer_and_time(db: Database) {
        let store = open_with_consumers(&db).await;
        let (open, denied) = (token(&db), token(&db));
        for token in [&open, &denied] {
            store.add_request_token(token, &question("a")).await.unwrap();
        }
        store.deny_request_token(&denied, &user("alice"), None, NOW).await.unwrap();
        let yes = approved(&db, &store).await;
        let unknown = token(&db);
        for (asked, consumer, now) in [
            (&open, "a", NOW),
            (&denied, "a", NOW),
            (&yes, "b", NOW),
            (&yes, "a", NOW.plus(600)),
            (&unknown, "a", NOW),
        ] {
            let answer = token(&db);
            let granted = store.exchange(asked, &key(consumer), now, &answer, &access("s"), None).await.unwrap();
            assert_eq!(granted, None, "{asked:?} {consumer} {now}");
        }
        let state = store.request_token(&yes).await.unwrap().unwrap().state;
        assert_eq!(state, RequestTokenState::Authorized { by: user("alice") }, "no failure used it up");
        assert!(store.exchange(&yes, &key("a"), NOW, &token(&db), &access("s"), None).await.unwrap().is_some());
    }

    async fn an_exchange_that_fails_leaves_the_question_answered(db: Database) {
        let store = open_with_consumers(&db).await;
        let (taken, asked) = (granted(&db, &store).await, approved(&db, &store).await);
        // The new token exists already, so the second half of the exchange fails, and with it the first.
        assert!(store.exchange(&asked, &key("a"), NOW, &taken, &access("s"), None).await.is_err());
        let state = store.request_token(&asked).await.unwrap().unwrap().state;
        assert_eq!(state, RequestTokenState::Authorized { by: user("alice") });
    }

    async fn of_twenty_exchanges_one_wins(db: Database) {
        let (store, replica) = (open_with_consumers(&db).await, db.open().await);
        for _ in 0..5 {
            let asked = approved(&db, &store).await;
            let exchanges = (0..20).map(|n| {
                let store = if n % 2 == 0 { store.clone() } else { replica.clone() };
                let (asked, answer) = (asked.clone(), token(&db));
                async move {
                    let granted = store.exchange(&asked, &key("a"), NOW, &answer, &access("s"), None).await.unwrap();
                    (granted.is_some(), answer)
                }
            });
            let mut winners = 0;
            for (won, answer) in at_once(exchanges).await {
                assert_eq!(store.access_token(&answer).await.unwrap().is_some(), won);
                winners += u32::from(won);
            }
            assert_eq!(winners, 1);
        }
    }

    async fn of_a_yes_and_a_no_one_wins(db: Database) {
        let store = open_with_consumers(&db).await;
        for _ in 0..20 {
            let token = token(&db);
            store.add_request_token(&token, &question("a")).await.unwrap();
            let alice = user("alice");
            let (yes, no) = tokio::join!(
                store.authorize_request_token(&token, &alice, None, NOW),
                store.deny_request_token(&token, &alice, None, NOW)
            );
            assert!(yes.unwrap() ^ no.unwrap());
        }
    }

    async fn wrong_verifiers_are_counted_until_the_token_is_dead(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = approved(&db, &store).await;
        for expected in 1..=5 {
            assert_eq!(store.count_wrong_verifier(&token, 5, NOW).await.unwrap(), expected);
            let kept = store.request_token(&token).await.unwrap().unwrap();
            assert_eq!(kept.wrong_verifiers, expected);
            assert_eq!(matches!(kept.state, RequestTokenState::Used { .. }), expected == 5);
        }
        assert_eq!(store.count_wrong_verifier(&token, 5, NOW).await.unwrap(), 5, "it is dead");
        assert_eq!(store.exchange(&token, &key("a"), NOW, &self::token(&db), &access("s"), None).await.unwrap(), None);
    }

    async fn wrong_verifiers_are_counted_one_by_one(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = approved(&db, &store).await;
        let mut counts = at_once((0..10).map(|_| {
            let (store, token) = (store.clone(), token.clone());
            async move { store.count_wrong_verifier(&token, 100, NOW).await.unwrap() }
        })).await;
        counts.sort_unstable();
        assert_eq!(counts, (1..=10).collect::<Vec<_>>());
    }

    async fn live_questions_are_counted_for_each_consumer(db: Database) {
        let store = open_with_consumers(&db).await;
        assert_eq!(store.live_request_tokens(&key("a"), NOW).await.unwrap(), 0);
        let denied = token(&db);
        for token in [&denied, &token(&db)] {
            store.add_request_token(token, &question("a")).await.unwrap();
        }
        store.add_request_token(&token(&db), &question("b")).await.unwrap();
        approved(&db, &store).await;
        granted(&db, &store).await;
        assert_eq!(store.live_request_tokens(&key("a"), NOW).await.unwrap(), 3);
        store.deny_request_token(&denied, &user("alice"), None, NOW).await.unwrap();
        assert_eq!(store.live_request_tokens(&key("a"), NOW).await.unwrap(), 2);
        assert_eq!(store.live_request_tokens(&key("b"), NOW).await.unwrap(), 1);
        assert_eq!(store.live_request_tokens(&key("a"), NOW.plus(600)).await.unwrap(), 0);
    }

    async fn an_impossible_question_is_an_error(db: Database) {
        let store = open_with_consumers(&db).await;
        let (nobody, nowhere) = (approved(&db, &store).await, token(&db));
        db.execute("update request_tokens set subject = null").await;
        store.add_request_token(&nowhere, &question("a")).await.unwrap();
        db.execute("update request_tokens set callback = 'javascript:alert(1)' where state = 'pending'").await;
        for token in [nobody, nowhere] {
            let error = store.request_token(&token).await.unwrap_err();
            assert!(matches!(error, StoreError::Inconsistent { table: "request_tokens", .. }), "{error}");
        }
    }
}

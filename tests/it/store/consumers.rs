use std::sync::Arc;

use linkgate::oauth::{PrivateKey, PublicKey};
use linkgate::store::{Keyring, StoreError, SyncReport};

use super::*;

on_both! {
    async fn a_consumer_is_kept_with_all_it_has(db: Database) {
        let store = db.open().await;
        let plain = consumer("plain");
        let full = everything();
        for consumer in [&plain, &full] {
            store.add_consumer(consumer, NOW).await.unwrap();
            assert_eq!(store.consumer(&consumer.key).await.unwrap().as_ref(), Some(consumer));
        }
        assert_eq!(store.consumers().await.unwrap(), [full, plain], "sorted by key, as bytes");
        assert_eq!(store.consumer(&key("nobody")).await.unwrap(), None);
    }

    async fn a_key_is_registered_once(db: Database) {
        let store = db.open().await;
        store.add_consumer(&consumer("a"), NOW).await.unwrap();
        let again = Consumer { name: "Another".to_owned(), ..consumer("a") };
        let error = store.add_consumer(&again, NOW).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict { .. }));
        assert_eq!(error.to_string(), "the consumer `a` exists already");
        assert_eq!(store.consumer(&key("a")).await.unwrap(), Some(consumer("a")));
    }

    async fn the_configuration_is_the_truth_for_what_it_names(db: Database) {
        let store = db.open().await;
        let by_command = Consumer { source: ConsumerSource::Command, ..consumer("command") };
        store.add_consumer(&by_command, NOW).await.unwrap();

        let first = [consumer("b"), consumer("a"), everything()];
        let done = store.synchronise_consumers(&first, NOW).await.unwrap();
        assert_eq!(done.added, [everything().key, key("a"), key("b")]);
        let again = store.synchronise_consumers(&first, NOW).await.unwrap();
        assert_eq!(again, SyncReport::default(), "nothing is written when nothing changed");

        let renamed = Consumer { name: "B".to_owned(), ..consumer("b") };
        let taken_over = Consumer { source: ConsumerSource::Config, ..by_command.clone() };
        let second = [everything(), renamed.clone(), taken_over.clone()];
        let done = store.synchronise_consumers(&second, NOW).await.unwrap();
        let expected =
            SyncReport { updated: vec![key("b"), key("command")], disabled: vec![key("a")], ..SyncReport::default() };
        assert_eq!(done, expected);
        let disabled = Consumer { enabled: false, ..consumer("a") };
        assert_eq!(store.consumers().await.unwrap(), [everything(), disabled, renamed.clone(), taken_over]);

        let done = store.synchronise_consumers(&first, NOW).await.unwrap();
        assert_eq!(done.updated, [key("b")]);
        assert_eq!(done.enabled, [key("a")], "an entry that is back enables its consumer");
        assert_eq!(done.disabled, [key("command")]);

        let switched_off = Consumer { enabled: false, ..renamed };
        let done = store.synchronise_consumers(&[consumer("a"), everything(), switched_off], NOW).await.unwrap();
        assert_eq!((done.updated, done.disabled), (vec![key("b")], vec![key("b")]));
    }

    async fn a_vanished_entry_leaves_commands_consumers_alone(db: Database) {
        let store = db.open().await;
        let by_command = Consumer { source: ConsumerSource::Command, ..consumer("command") };
        store.add_consumer(&by_command, NOW).await.unwrap();
        let done = store.synchronise_consumers(&[], NOW).await.unwrap();
        assert_eq!(done, SyncReport::default());
        assert_eq!(store.consumers().await.unwrap(), [by_command]);
    }

    async fn a_secret_that_changed_is_an_update(db: Database) {
        let store = open_with_consumers(&db).await;
        let keys = vec![VerificationKey::Hmac(Secret::new("another"))];
        let changed = Consumer { keys, ..consumer("a") };
        let done = store.synchronise_consumers(&[changed.clone(), consumer("b")], NOW).await.unwrap();
        assert_eq!(done.updated, [key("a")]);
        assert_eq!(store.consumer(&key("a")).await.unwrap(), Some(changed));
    }

    async fn replicas_that_start_together_agree(db: Database) {
        let consumers: Vec<_> = (0..20).map(|n| consumer(&format!("c{n}"))).collect();
        let mut starting = Vec::new();
        for n in 0..4 {
            let (store, mut consumers) = (db.open().await, consumers.clone());
            consumers.rotate_left(n * 5);
            starting.push(async move { store.synchronise_consumers(&consumers, NOW).await.unwrap().added.len() });
        }
        let added: usize = at_once(starting.into_iter()).await.iter().sum();
        assert!(added >= 20, "{added}");
        assert_eq!(db.open().await.consumers().await.unwrap().len(), 20);
    }

    async fn a_consumer_is_disabled_and_keeps_its_tokens(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = granted(&db, &store).await;
        assert!(store.set_consumer_enabled(&key("a"), false, NOW).await.unwrap());
        assert!(!store.set_consumer_enabled(&key("a"), false, NOW).await.unwrap());
        assert!(!store.set_consumer_enabled(&key("nobody"), false, NOW).await.unwrap());
        assert!(!store.consumer(&key("a")).await.unwrap().unwrap().enabled);
        assert!(store.consumer(&key("b")).await.unwrap().unwrap().enabled);
        assert!(store.access_token(&token).await.unwrap().is_some());
        assert!(store.set_consumer_enabled(&key("a"), true, NOW).await.unwrap());
        assert_eq!(store.consumer(&key("a")).await.unwrap(), Some(consumer("a")));
    }

    async fn a_purged_consumer_takes_its_tokens_along(db: Database) {
        let store = open_with_consumers(&db).await;
        let (asked, token) = (approved(&db, &store).await, granted(&db, &store).await);
        let other = self::token(&db);
        store.add_request_token(&other, &question("b")).await.unwrap();
        assert!(store.purge_consumer(&key("a"), NOW).await.unwrap());
        assert!(!store.purge_consumer(&key("a"), NOW).await.unwrap());
        assert_eq!(store.consumer(&key("a")).await.unwrap(), None);
        assert_eq!(store.request_token(&asked).await.unwrap(), None);
        assert_eq!(store.access_token(&token).await.unwrap(), None);
        assert!(store.request_token(&other).await.unwrap().is_some());
    }

    async fn without_its_secret_key_a_consumer_is_never_overwritten(db: Database) {
        open_with_consumers(&db).await.close().await;
        let keyring = Arc::new(Keyring::generate(&mut rng()));
        let foreign = Store::open_without_keys(&db.options(), keyring).await.unwrap();
        let error = foreign.consumer(&key("a")).await.unwrap_err();
        assert!(matches!(error, StoreError::Sealed { .. }));
        assert!(error.to_string().contains("the consumer `a`"), "{error}");
        assert!(error.to_string().contains("the key file has no key"), "{error}");
        let error = foreign.synchronise_consumers(&[consumer("a"), consumer("b")], NOW).await.unwrap_err();
        assert!(matches!(error, StoreError::Sealed { .. }));
        foreign.close().await;
        assert_eq!(db.open().await.consumer(&key("a")).await.unwrap(), Some(consumer("a")));
    }

    async fn a_sealed_secret_cannot_be_moved_to_another_consumer(db: Database) {
        let store = open_with_consumers(&db).await;
        db.execute("update consumers set secrets = (select secrets from consumers where key = 'a') where key = 'b'").await;
        assert!(matches!(store.consumer(&key("b")).await, Err(StoreError::Sealed { .. })));
    }

    async fn settings_that_make_no_sense_are_an_error(db: Database) {
        let store = open_with_consumers(&db).await;
        db.execute("update consumers set settings = replace(settings, '\"two_legged\":false', '\"two_legged\":false,\"forbid\":true') where key = 'a'").await;
        db.execute("update consumers set secrets = null where key = 'b'").await;
        for name in ["a", "b"] {
            let error = store.consumer(&key(name)).await.unwrap_err();
            assert!(matches!(error, StoreError::Inconsistent { table: "consumers", .. }), "{error}");
            assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        }
    }
}

/// A consumer with a value in every place.
fn everything() -> Consumer {
    Consumer {
        key: key("Stash:82 77/€'\"\\"),
        name: "Bitbucket <\"'> €".to_owned(),
        keys: vec![
            VerificationKey::Rsa(public_key().clone()),
            VerificationKey::Hmac(Secret::new("first \"quoted\" \\ €")),
            VerificationKey::Hmac(Secret::new("second")),
        ],
        methods: SignatureMethod::ALL.into(),
        callbacks: vec![
            AllowedCallback::parse("https://bitbucket.example.com").unwrap(),
            AllowedCallback::parse("http://127.0.0.1:*").unwrap(),
        ],
        default_callback: Some(Callback::OutOfBand),
        two_legged: true,
        two_legged_user: Some("svc-bitbucket".to_owned()),
        impersonation: true,
        session_handles: false,
        require_body_hash: true,
        addresses: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        enabled: true,
        source: ConsumerSource::Config,
    }
}

fn public_key() -> &'static PublicKey {
    static KEY: std::sync::OnceLock<PublicKey> = std::sync::OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate(2048, &mut rng()).unwrap().public_key())
}

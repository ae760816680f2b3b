//! Secret keys: which ones rows need, and what a process without them may do.

use std::sync::Arc;

use linkgate::model::AuditKind;
use linkgate::store::{AuditFilter, KeyUse, Keyring, StoreError, SyncReport};

use super::*;

on_both! {
    async fn a_start_without_a_needed_key_is_refused_by_name(db: Database) {
        let store = open_with_consumers(&db).await;
        granted(&db, &store).await;
        let needed = db.keyring().ids().next().unwrap().to_owned();
        let stranger = Keyring::generate(&mut rng());
        let present = stranger.ids().next().unwrap().to_owned();
        let error = Store::open(&db.options(), Arc::new(stranger), NOW).await.unwrap_err();
        // The exchanged request token is there as well.
        let expected = format!("needs the secret key `{needed}` (2 consumers, 2 tokens), and the key file has only `{present}`");
        assert!(error.to_string().contains(&expected), "{error}");
        let [kept] = &store.key_uses().await.unwrap()[..] else { panic!("the stranger's key is not registered") };
        assert_eq!(*kept, KeyUse { id: needed, first_used_at: NOW, consumers: 2, tokens: 2 });
    }

    async fn another_key_under_the_same_id_is_refused(db: Database) {
        db.open().await.close().await;
        let id = db.keyring().ids().next().unwrap().to_owned();
        let other = Keyring::generate(&mut rng()).to_text();
        let other = other.expose().lines().last().unwrap();
        let other = Keyring::read(&format!("{id}{}", &other[4..])).unwrap();
        let error = Store::open(&db.options(), Arc::new(other), NOW).await.unwrap_err();
        assert!(matches!(&error, StoreError::KeyDiffers { id: differs } if *differs == id), "{error}");
    }

    async fn a_key_that_nothing_needs_is_not_asked_for(db: Database) {
        db.open().await.close().await;
        let store = db.open_with(Arc::new(Keyring::generate(&mut rng()))).await;
        assert_eq!(store.key_uses().await.unwrap().len(), 2);
        let id = db.keyring().ids().next().unwrap().to_owned();
        assert!(store.is_key_missing(&id).await.unwrap());
        assert!(!store.is_key_missing("none").await.unwrap());
        assert!(store.retire_key(&id).await.unwrap());
        assert!(!store.is_key_missing(&id).await.unwrap());
    }

    async fn a_rotation_in_two_steps_loses_nothing(db: Database) {
        let first = open_with_consumers(&db).await;
        let old = granted(&db, &first).await;
        let read = |keyring: &Keyring| Keyring::read(keyring.to_text().expose()).unwrap();
        let prepared = read(&db.keyring()).with_next(&mut rng());
        let rotated = Arc::new(read(&prepared).rotated());
        // One replica is a step ahead of the other, and each reads what the other makes.
        let behind = db.open_with(Arc::new(prepared)).await;
        let ahead = db.open_with(Arc::clone(&rotated)).await;
        let new = rotated.new_token(&mut rng());
        ahead.add_request_token(&new, &question("a")).await.unwrap();
        assert!(behind.request_token(&new).await.unwrap().is_some());
        assert!(ahead.access_token(&old).await.unwrap().is_some());
        assert_eq!(ahead.consumer(&key("a")).await.unwrap(), Some(consumer("a")));

        // The configuration's secrets are sealed again with the new key, so that the old one can be retired one day.
        let done = ahead.synchronise_consumers(&[consumer("a"), consumer("b")], NOW).await.unwrap();
        assert_eq!(done, SyncReport::default());
        assert_eq!(behind.consumer(&key("b")).await.unwrap(), Some(consumer("b")));
        let uses = ahead.key_uses().await.unwrap();
        let counts: Vec<_> = uses.iter().map(|key| (&*key.id, key.consumers, key.tokens)).collect();
        let ids: Vec<_> = rotated.ids().collect();
        assert_eq!(counts.len(), 2);
        assert!(counts.contains(&(ids[0], 2, 1)) && counts.contains(&(ids[1], 0, 2)), "{counts:?}");
        assert!(!ahead.retire_key(ids[1]).await.unwrap(), "tokens need it");
    }

    async fn a_lost_key_takes_along_only_what_it_opened(db: Database) {
        let first = open_with_consumers(&db).await;
        let lost = granted(&db, &first).await;
        let id = db.keyring().ids().next().unwrap().to_owned();
        let keyring = Arc::new(Keyring::generate(&mut rng()));
        let store = Store::open_without_keys(&db.options(), Arc::clone(&keyring)).await.unwrap();
        assert!(!store.retire_key(&id).await.unwrap(), "rows need it");
        store.delete_lost(&id, NOW).await.unwrap();
        let revoked = store.audit(&AuditFilter { kind: Some(AuditKind::Revoked), ..AuditFilter::default() }).await.unwrap();
        let [revoked] = &revoked[..] else { panic!("{revoked:?}") };
        assert_eq!((&revoked.consumer, revoked.subject.as_deref()), (&Some(key("a")), Some("alice")));
        assert!(revoked.detail.ends_with(&format!(", as the secret key {id} is lost")), "{revoked:?}");
        assert!(store.retire_key(&id).await.unwrap());
        let store = db.open_with(keyring).await;
        assert_eq!(store.access_token(&lost).await.unwrap(), None);
        let done = store.synchronise_consumers(&[consumer("a"), consumer("b")], NOW).await.unwrap();
        assert_eq!(done.updated, [key("a"), key("b")]);
        assert_eq!(store.consumer(&key("a")).await.unwrap(), Some(consumer("a")));
    }
}

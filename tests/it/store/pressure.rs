use linkgate::store::StoreError;

use super::*;

on_both! {
    async fn writers_get_their_turn_while_nonces_pour_in(db: Database) {
        let store = open_with_consumers(&db).await;
        let pouring: Vec<_> = (0..64_u8).map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                for m in 0..40_u8 {
                    let mut digest = [n; 16];
                    digest[15] = m;
                    assert!(store.record_nonce(NOW, digest, NOW, soon()).await.unwrap());
                }
            })
        }).collect();
        for _ in 0..10 {
            granted(&db, &store).await;
        }
        for pour in pouring {
            pour.await.unwrap();
        }
    }

    async fn what_is_queued_is_written_before_the_store_closes(db: Database) {
        let store = db.open().await;
        let mut calls = Vec::new();
        for n in 0..100_u8 {
            let store = store.clone();
            calls.push(tokio::spawn(async move { store.record_nonce(NOW, [n; 16], NOW, soon()).await }));
        }
        tokio::task::yield_now().await;
        store.close().await;
        let reopened = db.open().await;
        for (n, call) in (0..).zip(calls) {
            match call.await.unwrap() {
                // A nonce that was answered as new is recorded.
                Ok(new) => {
                    assert!(new);
                    assert!(!reopened.record_nonce(NOW, [n; 16], NOW, soon()).await.unwrap(), "{n}");
                }
                Err(error) => assert!(matches!(error, StoreError::Closed), "{error}"),
            }
        }
    }

    async fn without_its_place_no_nonce_is_admitted(db: Database) {
        let (store, next) = (db.open().await, NOW.plus(60));
        assert!(store.record_nonce(NOW, [1; 16], NOW, soon()).await.unwrap());
        db.hide_nonces().await;
        let (a, b) = tokio::join!(store.record_nonce(next, [2; 16], NOW, soon()), store.record_nonce(next, [3; 16], NOW, soon()));
        assert!(matches!(a, Err(StoreError::Nonces(_))), "{a:?}");
        assert!(matches!(b, Err(StoreError::Nonces(_))), "{b:?}");
        db.show_nonces().await;
        assert!(store.record_nonce(next, [2; 16], NOW, soon()).await.unwrap(), "it recovers, and nothing was burnt");
        assert!(!store.record_nonce(NOW, [1; 16], NOW, soon()).await.unwrap());
    }
}

#[tokio::test]
async fn a_database_that_falls_behind_is_an_error_at_once() {
    crate::support::with(Database::postgres().await, falls_behind).await;
}

async fn falls_behind(db: Database) {
    let store = db.open().await;
    // One thread: nothing is written before all have asked.
    let calls = (0..20_000_u64).map(|n| {
        let store = store.clone();
        let mut digest = [0; 16];
        digest[8..].copy_from_slice(&n.to_be_bytes());
        tokio::spawn(async move { store.record_nonce(NOW, digest, NOW, soon()).await })
    });
    let (mut new, mut refused) = (0, 0);
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(written) => new += u32::from(written),
            Err(StoreError::Overloaded) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(new > 0 && refused > 0, "{new} written, {refused} refused");
    assert_eq!(new + refused, 20_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_to_postgresql_is_made_again() {
    let db = Database::postgres().await;
    crate::support::with(db, async |db| {
        let store = db.open().await;
        assert!(store.record_nonce(NOW, [1; 16], NOW, soon()).await.unwrap());
        db.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await;
        // The batch that finds out is lost; none is told that its nonce is new.
        let first = store.record_nonce(NOW, [2; 16], NOW, soon()).await;
        assert!(first.is_err(), "{first:?}");
        assert!(store.record_nonce(NOW, [2; 16], NOW, soon()).await.unwrap());
        assert!(!store.record_nonce(NOW, [1; 16], NOW, soon()).await.unwrap());
        store.ping().await.unwrap();
    })
    .await;
}

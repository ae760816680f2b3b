use linkgate::store::StoreError;

use super::*;

on_both! {
    async fn a_nonce_is_new_once(db: Database) {
        let store = db.open().await;
        assert!(store.remember(NOW, digest(1)).await.unwrap());
        assert!(!store.remember(NOW, digest(1)).await.unwrap());
        assert!(store.remember(NOW, digest(2)).await.unwrap());
        assert!(store.remember(NOW.plus(60), digest(1)).await.unwrap(), "another minute");
        assert!(!store.remember(NOW, digest(1)).await.unwrap());
    }

    async fn a_nonce_outlives_its_store(db: Database) {
        let store = db.open().await;
        assert!(store.remember(NOW, digest(1)).await.unwrap());
        // No close: a process that is killed does not say goodbye either.
        std::mem::forget(store);
        let reopened = db.open().await;
        assert!(!reopened.remember(NOW, digest(1)).await.unwrap());
        reopened.close().await;
        assert!(!db.open().await.remember(NOW, digest(1)).await.unwrap());
    }

    async fn of_a_thousand_with_five_hundred_digests_five_hundred_are_new(db: Database) {
        let store = db.open().await;
        let calls: Vec<_> = (0..1_000).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.remember(NOW, digest(n % 500)).await.unwrap() })
        }).collect();
        let mut new = 0;
        for call in calls {
            new += u32::from(call.await.unwrap());
        }
        assert_eq!(new, 500);
    }

    async fn equal_nonces_in_one_batch_have_one_winner(db: Database) {
        let store = db.open().await;
        for round in 0..20 {
            let call = || store.remember(NOW, digest(round));
            let (first, second, third) = tokio::join!(call(), call(), call());
            let new = [first, second, third].map(Result::unwrap);
            assert_eq!(new, [true, false, false], "the first to come");
        }
    }

    async fn two_replicas_race_and_one_of_them_wins(db: Database) {
        let (here, there) = (db.open().await, db.open().await);
        for round in 0..100 {
            let (here, there) = (here.clone(), there.clone());
            let here = tokio::spawn(async move { here.remember(NOW, digest(round)).await.unwrap() });
            let there = tokio::spawn(async move { there.remember(NOW, digest(round)).await.unwrap() });
            assert!(here.await.unwrap() ^ there.await.unwrap(), "round {round}");
        }
    }

    async fn two_replicas_with_the_same_batches_never_block_each_other(db: Database) {
        let (here, there) = (db.open().await, db.open().await);
        let call = |store: &Store, n: u64| {
            let store = store.clone();
            tokio::spawn(async move { store.remember(NOW, digest(n)).await.unwrap() })
        };
        // One replica gets them forwards, the other backwards: without an order of locks, PostgreSQL finds deadlocks here.
        let count = 2_000;
        let calls: Vec<_> = (0..count)
            .flat_map(|n| [call(&here, n), call(&there, count - 1 - n)])
            .collect();
        let mut new = 0;
        for call in calls {
            new += u64::from(call.await.unwrap());
        }
        assert_eq!(new, count);
    }

    async fn old_minutes_are_forgotten_whole(db: Database) {
        let store = db.open().await;
        let minute = Timestamp::from_seconds(NOW.bucket() * 60);
        for (n, at) in [(1, minute.plus(-61)), (2, minute.plus(-1)), (3, minute), (4, minute.plus(59))] {
            assert!(store.remember(at, digest(n)).await.unwrap());
        }
        assert_eq!(store.forget_nonces_before(NOW.bucket()).await.unwrap(), 2);
        assert_eq!(store.forget_nonces_before(NOW.bucket()).await.unwrap(), 0);
        assert!(!store.remember(minute, digest(3)).await.unwrap());
        assert!(!store.remember(minute.plus(59), digest(4)).await.unwrap());
        assert!(store.remember(minute.plus(-1), digest(2)).await.unwrap());
    }
}

#[tokio::test]
async fn what_a_power_cut_may_have_taken_is_not_admitted() {
    let db = Database::sqlite();
    let store = db.open().await;
    assert!(store.remember(NOW, digest(1)).await.unwrap());
    store.close().await;
    // The machine starts again, and the disk never saw the last nonce.
    let power_cut = async || {
        db.execute("delete from nonces").await;
        db.execute("update nonce_mark set start = 'an earlier start'")
            .await;
    };
    power_cut().await;
    let store = db.open().await;
    for (at, n) in [(NOW, 1), (NOW, 2), (NOW.plus(-60), 3)] {
        let unsure = store.remember(at, digest(n)).await;
        assert!(matches!(unsure, Err(StoreError::Forgotten)), "{unsure:?}");
    }
    let next = NOW.plus(60);
    assert!(store.remember(next, digest(1)).await.unwrap(), "signed after it");
    assert!(!store.remember(next, digest(1)).await.unwrap());
    store.close().await;
    // A process that starts again knows as much as before, and another cut takes no less.
    let store = db.open().await;
    assert!(store.remember(NOW, digest(4)).await.is_err());
    assert!(!store.remember(next, digest(1)).await.unwrap());
    store.close().await;
    power_cut().await;
    let store = db.open().await;
    assert!(store.remember(next, digest(1)).await.is_err());
    assert!(store.remember(next.plus(60), digest(1)).await.unwrap());
}

#[tokio::test]
async fn after_a_power_cut_nothing_is_admitted_before_the_old_mark() {
    let db = Database::sqlite();
    let store = db.open().await;
    assert!(store.remember(NOW, digest(1)).await.unwrap());
    store.close().await;
    db.execute("update nonce_mark set start = 'an earlier start'")
        .await;
    // Two cuts, and not a single call between them.
    let store = db.open().await;
    assert!(store.remember(NOW, digest(1)).await.is_err());
    store.close().await;
    db.execute("update nonce_mark set start = 'another start'").await;
    assert!(db.open().await.remember(NOW, digest(1)).await.is_err());
}

/// The digest of the `n`th nonce.
fn digest(n: u64) -> [u8; 16] {
    let mut digest = [0xa5; 16];
    digest[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    digest
}

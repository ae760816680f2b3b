use std::fs;

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
        assert!(store.remember(NOW, digest(1_000)).await.unwrap());
        for round in 0..20 {
            let call = || store.remember(NOW, digest(round));
            let (first, second, third) = tokio::join!(call(), call(), call());
            let new = [first, second, third].map(Result::unwrap);
            assert_eq!(new, [true, false, false], "the first to come");
        }
    }

    async fn equal_nonces_on_many_threads_have_one_winner(db: Database) {
        let store = db.open().await;
        for round in 0..100 {
            let calls: Vec<_> = (0..8).map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.remember(NOW, digest(round)).await.unwrap() })
            }).collect();
            let mut new = 0;
            for call in calls {
                new += u32::from(call.await.unwrap());
            }
            assert_eq!(new, 1, "round {round}");
        }
    }

    async fn who_goes_away_takes_nobody_along(db: Database) {
        let store = db.open().await;
        assert!(store.remember(NOW, digest(0)).await.unwrap());
        for round in 1..50 {
            let calls: Vec<_> = (0..10).map(|n| {
                let store = store.clone();
                let digest = digest(100 * round + n);
                (n, tokio::spawn(async move { store.remember(NOW, digest).await.unwrap() }))
            }).collect();
            tokio::task::yield_now().await;
            for (n, call) in calls {
                if n % 3 == round % 3 {
                    call.abort();
                } else {
                    assert!(call.await.unwrap());
                    assert!(!store.remember(NOW, digest(100 * round + n)).await.unwrap());
                }
            }
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
        // One replica gets them forwards, the other backwards, and both want the same row or the same bytes of a file.
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
        for minute in db.nonces().read_dir().unwrap() {
            fs::write(minute.unwrap().path(), "").unwrap();
        }
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

#[tokio::test]
async fn where_the_files_are_gone_nothing_is_admitted_before_the_mark() {
    let db = Database::sqlite();
    let store = db.open().await;
    assert!(store.remember(NOW, digest(1)).await.unwrap());
    store.close().await;
    fs::remove_dir_all(db.nonces()).unwrap();
    for _ in 0..2 {
        let store = db.open().await;
        let unsure = store.remember(NOW, digest(1)).await;
        assert!(matches!(unsure, Err(StoreError::Forgotten)), "{unsure:?}");
        store.close().await;
    }
    let store = db.open().await;
    assert!(store.remember(NOW.plus(60), digest(1)).await.unwrap());
}

#[tokio::test]
async fn the_minutes_of_a_process_before_are_forgotten_too() {
    let db = Database::sqlite();
    let store = db.open().await;
    for n in 0..70 {
        assert!(store.remember(NOW.plus(-60 * n), digest(0)).await.unwrap());
    }
    store.close().await;
    fs::write(db.nonces().join("not ours"), "a").unwrap();
    let store = db.open().await;
    assert!(!store.remember(NOW.plus(-60), digest(0)).await.unwrap());
    let oldest = NOW.bucket() - 5;
    assert_eq!(store.forget_nonces_before(oldest).await.unwrap(), 64);
    assert_eq!(db.nonces().read_dir().unwrap().count(), 7);
    for n in 0..6 {
        assert!(!store.remember(NOW.plus(-60 * n), digest(0)).await.unwrap());
    }
    assert!(db.nonces().join("not ours").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn over_one_file_every_nonce_has_one_winner() {
    let db = Database::sqlite();
    let stores = [db.open().await, db.open().await, db.open().await];
    let calls: Vec<_> = (0..6_000)
        .map(|n| {
            let store = stores[n % 3].clone();
            let n = n as u64 / 6;
            tokio::spawn(async move { (n, store.remember(NOW, digest(n)).await.unwrap()) })
        })
        .collect();
    let mut won = vec![0; 1_000];
    for call in calls {
        let (n, new) = call.await.unwrap();
        won[usize::try_from(n).unwrap()] += u32::from(new);
    }
    assert!(won.iter().all(|&winners| winners == 1), "{won:?}");
}

#[tokio::test]
async fn a_full_disk_is_an_error_for_the_whole_batch() {
    let db = Database::sqlite();
    let store = db.open().await;
    assert!(store.remember(NOW, digest(1)).await.unwrap());
    let next = NOW.plus(60);
    let minute = db.nonces().join(next.bucket().to_string());
    std::os::unix::fs::symlink("/dev/full", minute).unwrap();
    for _ in 0..2 {
        // Two of them belong to a minute whose file can be written.
        let (first, fresh, second, known, equal) = tokio::join!(
            store.remember(next, digest(1)),
            store.remember(NOW, digest(2)),
            store.remember(next, digest(2)),
            store.remember(NOW, digest(1)),
            store.remember(next, digest(1)),
        );
        for unknown in [first, second, equal] {
            assert!(matches!(unknown, Err(StoreError::Nonces(_))), "{unknown:?}");
        }
        assert!(fresh.is_ok() && !known.unwrap());
    }
}

/// Nobody is told that a nonce is new when it is not written.
#[tokio::test]
async fn what_has_not_been_written_when_the_store_closes_is_not_admitted() {
    let db = Database::sqlite();
    let store = db.open().await;
    assert!(store.remember(NOW, digest(1)).await.unwrap());
    let (a, b, ()) = tokio::join!(
        store.remember(NOW, digest(2)),
        store.remember(NOW, digest(3)),
        store.close()
    );
    for closed in [a, b] {
        assert!(matches!(closed, Err(StoreError::Closed)), "{closed:?}");
    }
    let store = db.open().await;
    assert!(store.remember(NOW, digest(2)).await.unwrap());
    assert!(!store.remember(NOW, digest(1)).await.unwrap());
}

/// The digest of the `n`th nonce.
fn digest(n: u64) -> [u8; 16] {
    let mut digest = [0xa5; 16];
    digest[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    digest
}

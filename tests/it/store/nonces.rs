//! Nonces in good order: each is accepted once, by all processes together, for as long as its request is in the window.

use std::time::Duration;

use linkgate::oauth::TimestampWindow;
use linkgate::store::StoreError;

use super::*;

on_both! {
    async fn a_nonce_is_accepted_once(db: Database) {
        let store = db.open().await;
        assert!(record(&store, NOW, 1).await.unwrap());
        assert!(!record(&store, NOW, 1).await.unwrap());
        assert!(record(&store, NOW, 2).await.unwrap());
        assert!(record(&store, NOW.plus(60), 1).await.unwrap(), "another minute");
        assert!(!record(&store, NOW, 1).await.unwrap());
    }

    async fn f8_a_process_that_is_killed_loses_no_nonce(db: Database) {
        let store = db.open().await;
        assert!(record(&store, NOW, 1).await.unwrap());
        // Not closed, as if it was killed.
        std::mem::forget(store);
        let reopened = db.open().await;
        assert!(!record(&reopened, NOW, 1).await.unwrap());
        reopened.close().await;
        assert!(!record(&db.open().await, NOW, 1).await.unwrap());
    }

    async fn each_of_five_hundred_nonces_is_accepted_once(db: Database) {
        let store = db.open().await;
        let calls = (0..1_000).map(|n| spawned(&store, NOW, n % 500)).collect();
        assert_eq!(accepted(calls).await, 500);
    }

    async fn of_equal_nonces_in_one_batch_the_first_is_accepted(db: Database) {
        let store = db.open().await;
        assert!(record(&store, NOW, 1_000).await.unwrap());
        for round in 0..20 {
            let call = || record(&store, NOW, round);
            let (first, second, third) = tokio::join!(call(), call(), call());
            assert_eq!([first, second, third].map(Result::unwrap), [true, false, false]);
        }
    }

    async fn a_batch_has_nonces_of_several_minutes(db: Database) {
        let store = db.open().await;
        let at = |n: u64| NOW.plus(60 * (i64::try_from(n).unwrap() * 7 % 5));
        for expected in [200, 0] {
            let calls = (0..200).map(|n| spawned(&store, at(n), n)).collect();
            assert_eq!(accepted(calls).await, expected);
        }
    }

    async fn p1_equal_nonces_at_three_processes_are_accepted_once(db: Database) {
        let stores = [db.open().await, db.open().await, db.open().await];
        let calls: Vec<_> = (0..6_000).map(|n| {
            (n / 6, spawned(&stores[usize::try_from(n % 3).unwrap()], NOW, n / 6))
        }).collect();
        let mut winners = vec![0; 1_000];
        for (n, call) in calls {
            winners[usize::try_from(n).unwrap()] += u32::from(call.await.unwrap().unwrap());
        }
        assert!(winners.iter().all(|&winners| winners == 1), "{winners:?}");
    }

    async fn p1_two_processes_race_and_one_of_them_accepts(db: Database) {
        let (here, there) = (db.open().await, db.open().await);
        for round in 0..100 {
            let calls = vec![spawned(&here, NOW, round), spawned(&there, NOW, round)];
            assert_eq!(accepted(calls).await, 1, "round {round}");
        }
    }

    async fn p1_two_processes_with_the_same_nonces_do_not_block_each_other(db: Database) {
        let (here, there) = (db.open().await, db.open().await);
        let count = 2_000;
        // One gets them forwards, the other backwards.
        let calls = (0..count).flat_map(|n| [spawned(&here, NOW, n), spawned(&there, NOW, count - 1 - n)]);
        assert_eq!(accepted(calls.collect()).await, count);
    }

    async fn p1_a_process_compares_with_all_that_others_have_recorded(db: Database) {
        let (here, there) = (db.open().await, db.open().await);
        assert!(record(&there, NOW, 0).await.unwrap());
        // More rows than are read at once.
        for n in 1..=600 {
            assert!(record(&here, NOW, n).await.unwrap());
        }
        let late = db.open().await;
        for store in [&there, &late] {
            for n in (0..=600).rev().step_by(50) {
                assert!(!record(store, NOW, n).await.unwrap(), "{n}");
            }
            assert!(!record(store, NOW, 600).await.unwrap());
        }
    }

    async fn f3_the_lease_is_stored_before_the_answer(db: Database) {
        let store = db.open().await;
        let leased = async || {
            db.texts("select cast(minute as text) from nonce_lease".to_owned()).await[0].parse::<i64>().unwrap()
        };
        assert_eq!(leased().await, -1);
        for minute in [3, 1, 7] {
            let at = NOW.plus(60 * minute);
            assert!(record(&store, at, 1).await.unwrap());
            assert!(leased().await >= at.minute());
        }
        // Without a lease there is no row: the nonce is not spent.
        db.hide_nonces().await;
        let next = NOW.plus(60 * 9);
        record(&store, next, 1).await.unwrap_err();
        let rows = db.texts_of_nonces("select cast(max(minute) as text) from nonces").await;
        assert_eq!(rows, [NOW.plus(60 * 7).minute().to_string()]);
        db.show_nonces().await;
        assert!(record(&store, next, 1).await.unwrap());
    }

    async fn f2_after_a_failed_write_nothing_is_accepted_and_nothing_is_spent(db: Database) {
        let (store, next) = (db.open().await, NOW.plus(60));
        assert!(record(&store, NOW, 1).await.unwrap());
        refuse_rows(&db).await;
        for _ in 0..2 {
            let (first, second, known) =
                tokio::join!(record(&store, next, 1), record(&store, next, 1), record(&store, NOW, 1));
            for failed in [first, second] {
                assert!(matches!(failed, Err(StoreError::Nonces(_))), "{failed:?}");
            }
            assert!(!known.unwrap_or(false));
        }
        accept_rows(&db).await;
        assert!(record(&store, next, 1).await.unwrap());
        assert!(!record(&store, NOW, 1).await.unwrap());
    }

    async fn p6_a_nonce_whose_write_timed_out_is_accepted_once_at_most(db: Database) {
        let store = db.open().await;
        assert!(record(&store, NOW, 1).await.unwrap());
        let holder = db.hold_nonces().await;
        let unknown = record(&store, NOW, 2).await;
        assert!(matches!(unknown, Err(StoreError::Nonces(_))), "{unknown:?}");
        drop(holder);
        // PostgreSQL goes on with the statement that was given up; SQLite does not.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(record(&store, NOW, 2).await.unwrap(), db.is_sqlite());
        assert!(!record(&store, NOW, 2).await.unwrap());
        assert!(!record(&db.open().await, NOW, 2).await.unwrap());
    }

    async fn a_nonce_is_recorded_even_if_its_request_goes_away(db: Database) {
        let store = db.open().await;
        assert!(record(&store, NOW, 0).await.unwrap());
        for n in 1..50 {
            let given_up = tokio::time::timeout(Duration::ZERO, record(&store, NOW, n)).await;
            assert!(!given_up.is_ok_and(|answer| !answer.unwrap()));
            assert!(!record(&store, NOW, n).await.unwrap(), "{n}");
        }
    }

    async fn f7_what_was_forgotten_is_never_accepted_again(db: Database) {
        let (here, there, elsewhere) = (db.open().await, db.open().await, db.open().await);
        assert!(record(&here, NOW, 1).await.unwrap());
        // When the rows of this minute are deleted, one process has one of them still to read, and one has read none.
        assert!(!record(&there, NOW, 1).await.unwrap());
        assert!(record(&elsewhere, NOW.plus(60), 1).await.unwrap());
        assert!(record(&here, NOW, 2).await.unwrap());
        let (late, narrow) = (NOW.plus(720 + 60), TimestampWindow { past: 60, future: 60 });
        assert!(record(&here, late, 1).await.unwrap());
        here.sweep(late, TimestampWindow::default()).await.unwrap();
        for store in [&here, &there, &elsewhere, &db.open().await] {
            for n in [2, 1, 3] {
                let answer = record(store, NOW, n).await;
                assert!(matches!(answer, Ok(false) | Err(StoreError::BelowNonceFloor { .. })), "{answer:?}");
            }
            assert!(!record(store, late, 1).await.unwrap());
        }
        // A window that is wider again, after a restart, brings back nothing.
        assert!(record(&here, late.plus(-180), 1).await.unwrap());
        here.sweep(late, narrow).await.unwrap();
        for store in [here, there, elsewhere] {
            store.close().await;
        }
        let wide = db.open().await;
        wide.sweep(late, TimestampWindow::default()).await.unwrap();
        let answer = record(&wide, late.plus(-300), 1).await;
        assert!(matches!(answer, Err(StoreError::BelowNonceFloor { .. })), "{answer:?}");
        assert!(record(&wide, late.plus(-120), 1).await.unwrap());
    }

    async fn f7_the_clock_of_the_server_forgets_nothing(db: Database) {
        let (here, there) = (db.open().await, db.open().await);
        for n in 0..20 {
            assert!(record(&here, NOW.plus(-15 * n), n.unsigned_abs()).await.unwrap());
        }
        // Years ahead and back, here and at a process that has recorded nothing.
        for now in [NOW.plus(200_000_000), NOW, NOW.plus(-200_000_000), NOW.plus(900)] {
            here.sweep(now, TimestampWindow::default()).await.unwrap();
            there.sweep(now, TimestampWindow::default()).await.unwrap();
        }
        for store in [&here, &there, &db.open().await] {
            for n in 0..20 {
                assert!(!record(store, NOW.plus(-15 * n), n.unsigned_abs()).await.unwrap(), "{n}");
            }
        }
    }
}

/// PostgreSQL reads a statement's state before it writes, so the floor must wait for statements under way.
#[tokio::test(flavor = "multi_thread")]
async fn p8_the_floor_is_not_raised_while_a_row_is_written() {
    crate::support::with(Database::postgres().await, async |db| {
        let (store, late) = (db.open().await, NOW.plus(720 + 60));
        assert!(record(&store, NOW, 1).await.unwrap());
        assert!(record(&store, late, 1).await.unwrap());
        let floor = async || {
            db.texts_of_nonces("select number::text from nonces where minute = -1")
                .await
        };
        let holder = db.write_nonce().await;
        let (before, swept) = (floor().await, store.sweep(late, TimestampWindow::default()).await);
        assert!(swept.is_err() && floor().await == before);
        drop(holder);
        assert!(record(&store, late, 2).await.unwrap());
        store.sweep(late, TimestampWindow::default()).await.unwrap();
        assert_eq!(floor().await, [(NOW.minute() + 1).to_string()]);
    })
    .await;
}

/// Makes every write of a row fail, as a full disk does.
async fn refuse_rows(db: &Database) {
    db.execute_on_nonces(if db.is_sqlite() {
        "create trigger full before insert on nonces begin select raise(abort, 'the disk is full'); end"
    } else {
        "alter table nonces add constraint full_disk check (false) not valid"
    })
    .await;
}

async fn accept_rows(db: &Database) {
    db.execute_on_nonces(if db.is_sqlite() {
        "drop trigger full"
    } else {
        "alter table nonces drop constraint full_disk"
    })
    .await;
}

fn spawned(store: &Store, at: Timestamp, n: u64) -> tokio::task::JoinHandle<Result<bool, StoreError>> {
    let store = store.clone();
    tokio::spawn(async move { record(&store, at, n).await })
}

async fn accepted(calls: Vec<tokio::task::JoinHandle<Result<bool, StoreError>>>) -> u64 {
    let mut accepted = 0;
    for call in calls {
        accepted += u64::from(call.await.unwrap().unwrap());
    }
    accepted
}

use super::*;

on_both! {
    async fn attempts_are_counted_by_the_minute(db: Database) {
        let store = db.open().await;
        for _ in 0..3 {
            assert!(store.count_attempt(7, 100, 3).await.unwrap());
        }
        assert!(!store.count_attempt(7, 100, 3).await.unwrap());
        assert!(store.count_attempt(8, 100, 3).await.unwrap(), "another slot");
        assert!(store.count_attempt(7, 101, 3).await.unwrap(), "another minute");
        let rows = "select cast(slot as text) || ' ' || cast(minute as text) || ' ' || cast(attempts as text) \
                    from sign_in_slots order by slot";
        assert_eq!(db.texts(rows.to_owned()).await, ["7 101 1", "8 100 1"]);
    }

    async fn a_clock_that_is_behind_gives_no_more_attempts(db: Database) {
        let (ahead, behind) = (db.open().await, db.open().await);
        assert!(ahead.count_attempt(7, 101, 3).await.unwrap());
        assert!(behind.count_attempt(7, 100, 3).await.unwrap());
        assert!(ahead.count_attempt(7, 101, 3).await.unwrap());
        assert!(!behind.count_attempt(7, 100, 3).await.unwrap());
        assert!(!ahead.count_attempt(7, 101, 3).await.unwrap());
    }

    async fn counts_of_a_wrong_clock_lock_no_user_out(db: Database) {
        let store = db.open().await;
        for _ in 0..3 {
            assert!(store.count_attempt(7, 200, 3).await.unwrap());
        }
        for _ in 0..3 {
            assert!(store.count_attempt(7, 100, 3).await.unwrap(), "a clock that was ahead");
        }
        assert!(!store.count_attempt(7, 100, 3).await.unwrap());
    }

    async fn racing_attempts_are_all_counted(db: Database) {
        let stores = [db.open().await, db.open().await];
        let attempts = (0..40).map(|at: usize| {
            let store = stores[at % 2].clone();
            async move { store.count_attempt(7, 100, 10).await.unwrap() }
        });
        assert_eq!(count(&at_once(attempts).await), 10);
    }

    async fn a_login_flow_ends_once(db: Database) {
        let (one, two) = (db.open().await, db.open().await);
        let (trip, other) = (token(&db), token(&db));
        let (a, b) = tokio::join!(one.finish_trip(&trip, NOW), two.finish_trip(&trip, NOW));
        assert_ne!(a.unwrap(), b.unwrap(), "one of two");
        assert!(!one.finish_trip(&trip, NOW.plus(9)).await.unwrap());
        assert!(two.finish_trip(&other, NOW.plus(9)).await.unwrap());
        let swept = one.sweep(NOW.plus(8), linkgate::oauth::TimestampWindow::default()).await.unwrap();
        assert_eq!(swept["finished_trips"], 1);
        assert!(!two.finish_trip(&other, NOW.plus(9)).await.unwrap(), "the younger one is remembered");
    }
}

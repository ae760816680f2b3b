use std::time::Duration;

use linkgate::model::{BrowserSession, SessionId};
use linkgate::oauth::TimestampWindow;
use linkgate::store::{Revoke, Search, Swept};
use tokio::task::block_in_place;

use super::*;
use crate::support::{Program, echo};

on_both! {
    async fn a_clock_that_jumps_ahead_deletes_an_hour_at_a_time(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = granted(&db, &store).await;
        store.sweep(NOW, TimestampWindow::default()).await.unwrap();
        let in_six_years = NOW.plus(6 * 365 * 86_400);
        for _ in 0..24 {
            store.sweep(in_six_years, TimestampWindow::default()).await.unwrap();
        }
        assert!(store.access_token(&token).await.unwrap().is_some());
        // The clock is right again: the next jump starts from here.
        store.sweep(NOW.plus(60), TimestampWindow::default()).await.unwrap();
        for _ in 0..24 {
            store.sweep(in_six_years, TimestampWindow::default()).await.unwrap();
        }
        assert!(store.access_token(&token).await.unwrap().is_some());
    }

    async fn nothing_that_matters_is_swept(db: Database) {
        let store = open_with_consumers(&db).await;
        let (open, used, token) = (token(&db), approved(&db, &store).await, granted(&db, &store).await);
        store.add_request_token(&open, &question("a")).await.unwrap();
        store.exchange(&used, &key("a"), NOW, &self::token(&db), &access("s"), None).await.unwrap().unwrap();
        assert_eq!(store.sweep(NOW, TimestampWindow::default()).await.unwrap(), Swept::default());
        // Dead, but a refusal still has to say of what.
        let late = NOW.plus(3_600);
        assert_eq!(store.sweep(late, TimestampWindow::default()).await.unwrap(), Swept::default());
        assert!(store.request_token(&open).await.unwrap().is_some());
        assert!(matches!(store.request_token(&used).await.unwrap().unwrap().state, RequestTokenState::Used { .. }));
        assert!(store.access_token(&token).await.unwrap().is_some());
    }

    async fn nonces_take_no_more_room_than_the_window(db: Database) {
        let (store, window) = (db.open().await, TimestampWindow::default());
        let mut largest = 0;
        // A hundred minutes: ten times as long as a request can be early or late.
        for minute in 0..100 {
            let now = NOW.plus(60 * minute);
            for n in 0..40_u8 {
                // From the earliest time that is admitted to the latest.
                let at = now.plus(i64::from(n) * 15 - 300);
                let mut digest = [n; 16];
                digest[..8].copy_from_slice(&minute.to_be_bytes());
                assert!(store.record_nonce(at, digest, NOW, soon()).await.unwrap());
            }
            store.sweep(now, window).await.unwrap();
            largest = largest.max(kept(&db).await);
        }
        // Each minute brings forty, of which none is of use for longer than ten.
        assert!((200..=400).contains(&largest), "{largest}");
    }

    async fn a_nonce_stays_as_long_as_its_request_would_be_admitted(db: Database) {
        let store = db.open().await;
        let window = TimestampWindow { past: 300, future: 300 };
        for (hour, offset) in [(0, 300), (1, 0), (2, -300)] {
            let start = NOW.plus(3_600 * hour);
            let at = start.plus(offset);
            store.record_nonce(at, [1; 16], start, soon()).await.unwrap();
            for passed in 0..=700 {
                let now = start.plus(passed);
                if passed % 50 == 0 {
                    // The latest request that can be verified.
                    store.record_nonce(now.plus(window.future), [2; 16], now, soon()).await.unwrap();
                    store.sweep(now, window).await.unwrap();
                }
                if passed % 100 == 0 && window.check(at, now).is_ok() {
                    assert!(!store.record_nonce(at, [1; 16], now, soon()).await.unwrap(), "{at} at {now}");
                }
            }
        }
    }

    async fn what_is_long_dead_is_swept(db: Database) {
        let store = open_with_consumers(&db).await;
        let day = 86_400;
        approved(&db, &store).await;
        let swept = store.sweep(NOW.plus(600 + day), TimestampWindow::default()).await.unwrap();
        assert_eq!(swept, Swept::from([("request_tokens", 1)]));

        // One whose session lives, one that was revoked; then a session's time is over too.
        let (token, revoked) = (granted(&db, &store).await, granted(&db, &store).await);
        let id = store.access_token(&revoked).await.unwrap().unwrap().id;
        store.revoke(Revoke::One { id: &id }, BY, NOW).await.unwrap();
        db.execute("delete from sweep").await; // the sweeps of the time in between
        let swept = store.sweep(NOW.plus(30 * day + 3_600), TimestampWindow::default()).await.unwrap();
        assert_eq!(swept, Swept::from([("access_tokens", 1), ("request_tokens", 2)]));
        assert!(store.access_token(&token).await.unwrap().is_some(), "it can still be renewed");
        db.execute("delete from sweep").await; // the sweeps of the time in between
        let swept = store.sweep(NOW.plus(31 * day), TimestampWindow::default()).await.unwrap();
        assert_eq!(swept, Swept::from([("access_tokens", 1)]));
    }

    async fn a_dead_token_without_a_session_is_swept(db: Database) {
        let store = open_with_consumers(&db).await;
        let (asked, token) = (approved(&db, &store).await, token(&db));
        let access = NewAccess { session: None, ..access("") };
        store.exchange(&asked, &key("a"), NOW, &token, &access, None).await.unwrap().unwrap();
        let expiry = NOW.plus(3_600 + 30 * 86_400);
        assert!(!store.sweep(expiry.plus(-1), TimestampWindow::default()).await.unwrap().contains_key("access_tokens"));
        assert_eq!(store.sweep(expiry, TimestampWindow::default()).await.unwrap()["access_tokens"], 1);
    }

    async fn sessions_and_old_events_are_swept(db: Database) {
        let store = db.open().await;
        let session = BrowserSession { user: user("alice"), created_at: NOW, seen_at: NOW, expires_at: NOW.plus(10) };
        store.add_session(&SessionId::new(token(&db)), &session, None).await.unwrap();
        assert_eq!(store.sweep(NOW.plus(9), TimestampWindow::default()).await.unwrap(), Swept::default());
        let swept = store.sweep(NOW.plus(10), TimestampWindow::default()).await.unwrap();
        assert_eq!(swept, Swept::from([("sessions", 1)]));
        db.execute("delete from sweep").await; // the sweeps of the time in between
        let swept = store.sweep(NOW.plus(400 * 86_400), TimestampWindow::default()).await.unwrap();
        assert_eq!(swept, Swept::from([("audit", 1)]));
    }

    async fn more_than_a_portion_is_swept_at_once(db: Database) {
        let store = db.open().await;
        db.execute(MANY_USERS).await;
        for (second, users) in [(4_200, 4_200), (9_999, 300), (9_999, 0)] {
            let now = Timestamp::from_seconds(400 * 86_400 + second);
            let swept = store.sweep(now, TimestampWindow::default()).await.unwrap();
            assert_eq!(swept.get("users").copied().unwrap_or(0), users);
        }
    }

    async fn a_sweep_under_way_ends_with_the_program(db: Database) {
        let mut linkgate = Program::start(&db, echo::start().await);
        db.execute("delete from users").await;
        db.execute(MORE_USERS).await;
        let left = async || {
            let users = db.texts("select cast(count(*) as text) from users".to_owned()).await;
            users[0].parse::<u32>().unwrap()
        };
        block_in_place(|| linkgate.crash_and_restart());
        while left().await == 190_000 {}
        linkgate.ask_to_stop();
        let status = block_in_place(|| linkgate.end(Duration::from_secs(30)));
        assert_eq!(status.code(), Some(0), "{}", linkgate.log());
        let left = left().await;
        assert!(left > 0 && left % 2_000 == 0, "whole portions were forgotten: {left}");
    }
}

#[tokio::test]
async fn no_query_reads_all_tokens_in_postgres() {
    crate::support::with(Database::postgres().await, async move |db: Database| {
        let store = open_with_consumers(&db).await;
        granted(&db, &store).await;
        store.close().await;
        db.execute(MANY_TOKENS).await;
        let before = db.texts(SCANS.to_owned()).await;
        let (store, late) = (db.open().await, NOW.plus(40 * 86_400));
        let swept = store.sweep(late, TimestampWindow::default()).await.unwrap();
        assert_eq!(swept["access_tokens"], 101);
        let one = store
            .revoke(
                Revoke::One {
                    id: "g0000000000001000",
                },
                BY,
                late,
            )
            .await
            .unwrap();
        assert_eq!(one.len(), 1);
        let of_one = store
            .revoke(Revoke::AllOf { subject: "user 7" }, BY, late)
            .await
            .unwrap();
        assert_eq!(of_one.len(), 5);
        let newest = Search {
            limit: 50,
            ..Search::default()
        };
        assert_eq!(store.search_access_tokens(&newest).await.unwrap().len(), 50);
        store.close().await;
        // What a connection has done is counted when it ends, a moment later than we are told.
        let mut after = before.clone();
        for _ in 0..100 {
            after = db.texts(SCANS.to_owned()).await;
            if after[1] != before[1] {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_ne!(
            after[1], before[1],
            "nothing was found by an index, so nothing was counted"
        );
        assert_eq!(after[0], before[0], "all of the table was read");
    })
    .await;
}

/// Four thousand and five hundred people who proved who they are long ago, one in each second.
const MANY_USERS: &str = "
    insert into users (subject, proved_by, display_name, proved_at)
        with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 4500)
        select 'user ' || n, 'file', 'User ' || n, n from numbers";

/// So many that forgetting them, in 95 portions, takes longer than to see that it has begun.
const MORE_USERS: &str = "
    insert into users (subject, proved_by, display_name, proved_at)
        with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 190000)
        select 'user ' || n, 'file', 'User ' || n, n from numbers";

/// Twenty thousand tokens of four thousand users, that have expired and can be renewed for long; fifty of them were revoked long
/// ago, fifty cannot be renewed.
const MANY_TOKENS: &str = "
    insert into access_tokens (digest, id, key_id, consumer_key, subject, display_name, proved_by, proved_at, issued_at, expires_at,
            session_id, session_expires_at, revoked_at)
        select sha256(n::text::bytea), 'g' || lpad(n::text, 16, '0'), key_id, consumer_key, 'user ' || n % 4000, display_name, proved_by,
            proved_at, issued_at + n, expires_at,
            'session', case when n between 101 and 150 then expires_at else expires_at + 400 * 86400 end,
            case when n between 201 and 250 then issued_at end
        from access_tokens, generate_series(1, 20000) n;
    analyze access_tokens";

/// How often all tokens were read, and how often an index of theirs was.
const SCANS: &str = "
    select unnest(array[seq_scan, idx_scan])::text from pg_stat_user_tables where relname = 'access_tokens'";

/// How many nonces are on the disk.
async fn kept(db: &Database) -> u64 {
    let count = "select cast(coalesce(sum(length(digests)) / 16, 0) as text) from nonces where minute >= 0";
    db.texts_of_nonces(count).await[0].parse().unwrap()
}

use std::error::Error;
use std::sync::Arc;

use linkgate::oauth::TimestampWindow;
use linkgate::store::{Keyring, Revoke, StoreConfig, StoreError};

use super::*;
use crate::support::{FrontProxy, Network, Text as _, reserved, with};

on_both! {
    async fn a_database_opens_again_and_again(db: Database) {
        for _ in 0..3 {
            let store = open_with_consumers(&db).await;
            store.ping().await.unwrap();
            assert_eq!(store.consumers().await.unwrap().len(), 2);
            store.close().await;
        }
    }

    async fn a_new_database_can_be_opened_by_many_at_once(db: Database) {
        at_once((0..6).map(|_| {
            let db = db.clone();
            async move { db.open().await.ping().await.unwrap() }
        })).await;
    }

    async fn tables_of_a_newer_version_are_refused(db: Database) {
        db.open().await.close().await;
        db.execute("update _sqlx_migrations set version = 9999 where version = 1").await;
        for error in [
            Store::open(&db.options(), db.keyring(), NOW).await.unwrap_err(),
            Store::open_without_keys(&db.options(), db.keyring()).await.unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::NewerSchema { found: 9999, .. }), "{error}");
            assert!(error.to_string().contains("was made by a newer linkgate"), "{error}");
        }
    }

    async fn only_a_store_that_may_migrate_creates_tables(db: Database) {
        let opened = Store::open_without_keys(&db.options(), db.keyring()).await;
        // A SQLite file that is missing is not created either.
        assert_eq!(matches!(opened, Err(StoreError::Unreachable { .. })), db.is_sqlite());
        assert_eq!(matches!(opened, Err(StoreError::OlderSchema { found: 0, .. })), !db.is_sqlite());
        Store::migrate(&db.options(), db.keyring()).await.unwrap().close().await;
        let store = Store::open_without_keys(&db.options(), db.keyring()).await.unwrap();
        assert_eq!(store.consumers().await.unwrap(), []);
    }

    // What the next version adds while this one serves.
    async fn later_columns_and_tables_change_nothing(db: Database) {
        let store = open_with_consumers(&db).await;
        let token = granted(&db, &store).await;
        for later in [
            "alter table consumers add column later integer",
            "alter table request_tokens add column later integer not null default 7",
            "alter table access_tokens add column later integer",
            "alter table sessions add column later integer",
            "alter table audit add column later integer",
            "create table later (one integer not null primary key)",
            "create index later_index on access_tokens (display_name)",
        ] {
            db.execute(later).await;
        }
        assert!(store.access_token(&token).await.unwrap().is_some());
        granted(&db, &store).await;
        store.synchronise_consumers(&[consumer("a"), consumer("c")], NOW).await.unwrap();
        let revoked = store.revoke(Revoke::AllOf { subject: "alice" }, BY, NOW).await.unwrap();
        assert_eq!(revoked.len(), 2);
        assert!(store.record_nonce(NOW, [1; 16], NOW, soon()).await.unwrap());
        store.sweep(NOW, TimestampWindow::default()).await.unwrap();
    }

    async fn a_closed_store_answers_with_errors(db: Database) {
        let store = db.open().await;
        let clone = store.clone();
        store.close().await;
        store.close().await;
        assert!(matches!(clone.record_nonce(NOW, [1; 16], NOW, soon()).await, Err(StoreError::Closed)));
        assert!(clone.ping().await.is_err());
        assert!(clone.consumers().await.is_err());
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    for (url, shown) in [
        ("mysql://me:s3cr3t@127.0.0.1/x".to_owned(), "mysql:…".to_owned()),
        (
            "postgres://me:s3cr3t@127.0.0.1:1/x".to_owned(),
            "postgres://me@127.0.0.1:1/x".to_owned(),
        ),
        (
            format!("sqlite://{}/missing/x.db", folder.path().display()),
            format!("sqlite://{}/missing/x.db", folder.path().display()),
        ),
    ] {
        let options = StoreConfig {
            password: Some(Secret::new("s3cr3t")),
            ..StoreConfig::new(url)
        };
        let keyring = Arc::new(Keyring::generate(&mut rng()));
        let error = Store::open(&options, keyring, NOW).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot open the database {shown}"));
        assert!(!format!("{error:?} {options:?}").contains("s3cr3t"));
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn an_unreachable_server_is_an_error_with_its_reason() {
    let options = StoreConfig::new("postgres://me@127.0.0.1:1/x");
    let keyring = Arc::new(Keyring::generate(&mut rng()));
    let error = Store::open(&options, keyring, NOW).await.unwrap_err();
    error.source().unwrap().to_string().has("refused");
}

#[tokio::test]
async fn a_database_in_memory_is_whole() {
    let options = StoreConfig::new("sqlite::memory:");
    let store = Store::open(&options, Arc::new(Keyring::generate(&mut rng())), NOW)
        .await
        .unwrap();
    store
        .synchronise_consumers(&[consumer("a"), consumer("b")], NOW)
        .await
        .unwrap();
    let calls = (0..100).map(|n: u8| {
        let store = store.clone();
        async move {
            let new = store.record_nonce(NOW, [n % 50; 16], NOW, soon()).await.unwrap();
            assert_eq!(store.consumers().await.unwrap().len(), 2);
            new
        }
    });
    assert_eq!(count(&at_once(calls).await), 50);
    store.close().await;
}

/// A quiet linkgate has idle connections only, and would answer 503 once for each.
#[tokio::test]
async fn connections_that_a_silence_cut_off_cost_no_request() {
    let db = Database::postgres().await;
    let network = Network::before(&db).await;
    let options = StoreConfig::new(network.url(&db));
    let store = Store::open(&options, db.keyring(), NOW).await.unwrap();
    let (one, two, three) = tokio::join!(store.ping(), store.ping(), store.ping());
    one.and(two).and(three).unwrap();
    network.go_silent();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    network.come_back();
    for _ in 0..3 {
        store.ping().await.unwrap();
    }
}

/// A server that keeps the sessions of clients which are gone has none left for others after some silences.
#[tokio::test]
async fn the_server_looks_after_half_a_minute_whether_a_client_is_there() {
    let db = Database::postgres().await;
    let store = db.open().await;
    store.ping().await.unwrap();
    let ports = "select client_port::text as port from pg_stat_activity \
                 where application_name = 'linkgate' and datname = current_database()";
    let ports = db.texts(ports.to_owned()).await;
    assert!(!ports.is_empty());
    for port in ports {
        let peer = format!("0100007F:{:04X}", port.parse::<u16>().unwrap());
        // What was sent last is acknowledged first.
        let hundredths = loop {
            if let Some(left) = keepalive_of(&peer) {
                break left;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert!(hundredths <= 3_000, "{hundredths}");
    }
    store.close().await;
}

/// The time until the next keepalive probe, in hundredths of a second, of the socket whose peer this is (`/proc/net/tcp`, proc(5)).
fn keepalive_of(peer: &str) -> Option<u32> {
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let socket = sockets
        .lines()
        .find(|line| line.split_whitespace().nth(2) == Some(peer));
    let timer = socket.unwrap().split_whitespace().nth(5).unwrap();
    Some(u32::from_str_radix(timer.strip_prefix("02:")?, 16).unwrap())
}

/// The server is there, and its network has gone: nothing refuses, and nothing answers.
#[tokio::test]
async fn a_silent_server_is_an_error_within_seconds_and_is_found_again() {
    let db = Database::postgres().await;
    let network = Network::before(&db).await;
    let options = StoreConfig {
        max_connections: 2_u32.try_into().unwrap(),
        ..StoreConfig::new(network.url(&db))
    };
    let store = Store::open(&options, db.keyring(), NOW).await.unwrap();
    store.ping().await.unwrap();
    network.go_silent();
    let asked = std::time::Instant::now();
    // More than there are connections.
    let (one, two, three) = tokio::join!(store.ping(), store.ping(), store.ping());
    for answer in [one, two, three] {
        let error = answer.unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::TimedOut | StoreError::Database(sqlx::Error::PoolTimedOut)
            ),
            "{error:?}"
        );
    }
    assert!(asked.elapsed() < std::time::Duration::from_secs(20));
    network.come_back();
    // The connections that were given up are closed meanwhile.
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_serves_in_session_mode_alone() {
    with(Database::postgres().await, async |db| {
        let server = db.url();
        let (before, rest) = server.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        for mode in ["session", "transaction", "statement"] {
            let bouncer = FrontProxy::pgbouncer(reserved(), server.parse().unwrap(), "postgres", mode);
            let options = StoreConfig {
                url: format!("{before}@{}/{name}", bouncer.address),
                ..db.options()
            };
            // More than once: PgBouncer keeps its connections for the next process.
            for turn in 0..2 {
                let opened = Store::open(&options, db.keyring(), NOW).await;
                if mode == "session" {
                    let store = opened.unwrap();
                    let reads = (0..20).map(|_| store.consumers());
                    for read in reads.collect::<Vec<_>>() {
                        assert_eq!(read.await.unwrap(), []);
                    }
                    assert!(store.record_nonce(NOW, [turn; 16], NOW, soon()).await.unwrap());
                    store.close().await;
                } else {
                    let error = opened.unwrap_err();
                    let said = format!("{error}: {}", error.source().unwrap());
                    assert!(said.contains("pool_mode = session"), "{mode}: {said}");
                }
            }
        }
    })
    .await;
}

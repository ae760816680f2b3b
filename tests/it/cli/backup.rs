//! `linkgate backup` and `linkgate restore`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use linkgate::clock::Clock;
use linkgate::model::Consumer;
use linkgate::oauth::{ConsumerKey, Timestamp};
use linkgate::store::{Keyring, Store, StoreConfig, StoreError};
use tokio::task::block_in_place;

use super::Here;
use super::operate::connect;
use crate::support::{Database, Text as _, databases};

/// A directory whose database has a token.
async fn connected() -> (Here, String) {
    let here = Here::migrated();
    here.run("consumer add ci --generate-secret").succeeds();
    let token = connect(&here, 3_600).await;
    (here, token)
}

fn options(here: &Here) -> StoreConfig {
    StoreConfig::new(format!("sqlite://{}", here.path("linkgate.db").display()))
}

async fn open(options: &StoreConfig, key: &Path) -> Store {
    let keyring = Keyring::open_file(key).unwrap().keyring;
    Store::open(options, Arc::new(keyring), Clock::System.now())
        .await
        .unwrap()
}

/// Records the nonces of twenty calls that were signed in the last and next minutes; how many are accepted.
async fn calls(store: &Store, now: Timestamp) -> usize {
    let mut accepted = 0;
    for n in 0..20_u8 {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
        match store
            .record_nonce(now.plus(15 * i64::from(n) - 10), [n; 16], now, deadline)
            .await
        {
            Ok(is_first) => accepted += usize::from(is_first),
            Err(StoreError::BelowNonceFloor { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_and_nothing_from_before_passes_again() {
    let (here, token) = connected().await;
    // As a server has it open.
    let store = open(&options(&here), &here.path("linkgate.key")).await;
    let now = Clock::System.now();
    assert_eq!(calls(&store, now).await, 20);
    here.run("backup --with-key monday").succeeds();
    for (name, mode) in [("", 0o700), ("/linkgate.db", 0o600), ("/linkgate.key", 0o600)] {
        let file = fs::metadata(here.path(&format!("monday{name}"))).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, mode, "{name}");
    }
    let names = fs::read_dir(here.path("monday")).unwrap().count();
    assert_eq!(names, 2);
    let again = here.run("backup monday");
    again.fails("monday cannot take a backup");

    here.run(&format!("token revoke {token}")).succeeds();
    let refused = here.run("restore monday");
    refused.fails("is in use: stop every");
    store.close().await;
    drop(store);

    // What is left of the former database, and would spoil the new one.
    for suffix in ["-wal", "-shm", "-nonces-wal"] {
        fs::write(here.path(&format!("linkgate.db{suffix}")), "of another database").unwrap();
    }
    here.run("restore monday").succeeds();
    assert!(!here.path("linkgate.db-nonces").exists() && !here.path("linkgate.db-wal").exists());
    assert!(here.run("token list").out.contains(&token));
    let found = here.run("audit --kind revoked").out.lines().count();
    assert_eq!(found, 1, "it was revoked after the backup");
    let store = open(&options(&here), &here.path("linkgate.key")).await;
    assert_eq!(calls(&store, now).await, 0);
}

/// A backup is the database at one moment: of consumers that were added one after the other, it has the first ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_whole_while_others_write() {
    let (here, _) = connected().await;
    let (options, key) = (options(&here), here.path("linkgate.key"));
    let store = open(&options, &key).await;
    let written = Arc::new(AtomicUsize::new(0));
    let writing = tokio::spawn({
        let (store, written) = (store.clone(), Arc::clone(&written));
        async move {
            let [template] = &store.consumers().await.unwrap()[..] else {
                panic!("there is one consumer");
            };
            loop {
                let number = written.load(Ordering::Relaxed);
                let key = ConsumerKey::parse(&format!("written-{number:06}")).unwrap();
                let consumer = Consumer {
                    key,
                    ..template.clone()
                };
                store.add_consumer(&consumer, Clock::System.now()).await.unwrap();
                written.store(number + 1, Ordering::Relaxed);
            }
        }
    });
    for backup in ["one", "two", "three"] {
        let before = written.load(Ordering::Relaxed);
        let answer = block_in_place(|| here.run(&format!("backup {backup}")));
        answer.succeeds();
        let after = written.load(Ordering::Relaxed) + 1;
        let url = format!("sqlite://{}", here.path(backup).join("linkgate.db").display());
        let copy = open(&StoreConfig::new(url), &key).await;
        copy.check_integrity().await.unwrap();
        let consumers = copy.consumers().await.unwrap();
        let numbers = consumers
            .iter()
            .filter_map(|consumer| consumer.key.as_str().strip_prefix("written-"));
        let numbers: Vec<usize> = numbers.map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>());
        assert!(
            (before..=after).contains(&numbers.len()),
            "{before} {} {after}",
            numbers.len()
        );
        copy.close().await;
    }
    assert!(written.load(Ordering::Relaxed) > 0 && !writing.is_finished());
    writing.abort();
}

#[tokio::test]
async fn what_is_no_good_backup_is_not_restored() {
    let (here, _) = connected().await;
    here.run("backup good").succeeds();
    let before = here.run("token list").out;
    let refused = |why: &str| {
        let answer = here.run("restore bad");
        assert!(answer.code != 0, "{why}: {}", answer.err);
        assert!(answer.err.contains(why), "{why}: {}", answer.err);
        assert_eq!(here.run("token list").out, before);
        let left = fs::read_dir(here.path("")).unwrap();
        let left = left.filter(|file| {
            file.as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with('.')
        });
        assert_eq!(left.count(), 0);
    };
    refused("bad/linkgate.db cannot be copied");
    fs::create_dir(here.path("bad")).unwrap();
    fs::write(here.path("bad/linkgate.db"), "no database at all, but some bytes").unwrap();
    refused("file is not a database");
    let mut copy = fs::read(here.path("good/linkgate.db")).unwrap();
    fs::write(here.path("bad/linkgate.db"), &copy[..copy.len() / 2]).unwrap();
    refused("bad cannot be restored");
    let end = copy.len() - 4096;
    copy[end..].fill(0x55);
    fs::write(here.path("bad/linkgate.db"), &copy).unwrap();
    refused("bad cannot be restored");
    // Another installation's key.
    let key = fs::read(here.path("linkgate.key")).unwrap();
    fs::copy(here.path("good/linkgate.db"), here.path("bad/linkgate.db")).unwrap();
    fs::remove_file(here.path("linkgate.key")).unwrap();
    here.run("key generate --out linkgate.key").succeeds();
    let answer = here.run("restore bad");
    assert!(answer.code != 0, "{}", answer.err);
    answer.err.has("the database needs the secret key");
    fs::write(here.path("linkgate.key"), key).unwrap();
    here.run("restore bad").succeeds();
}

#[tokio::test]
async fn an_empty_machine_takes_the_key_from_the_backup() {
    let (here, token) = connected().await;
    here.run("backup --with-key all").succeeds();
    for name in ["linkgate.db", "linkgate.key"] {
        fs::remove_file(here.path(name)).unwrap();
    }
    here.run("restore all").succeeds();
    assert!(here.run("token list").out.contains(&token));
    let key = fs::metadata(here.path("linkgate.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_postgresql_ends_with_a_command() {
    databases::with(Database::postgres().await, async |db: Database| {
        let here = Here::new();
        fs::write(here.path("linkgate.key"), db.keyring().to_text().expose()).unwrap();
        let url = db.url();
        let variables = [
            ("LINKGATE__STORE__URL", &*url),
            ("LINKGATE__KEYS__SECRET_KEY_FILE", "linkgate.key"),
        ];
        let run = |line: &str| block_in_place(|| here.run_with(line, "", &variables));
        run("migrate").succeeds();
        let (store, now) = (db.open().await, Clock::System.now());
        assert_eq!(calls(&store, now).await, 20);
        store.close().await;
        let refused = run("backup monday");
        refused.fails("pg_dump");
        let refused = run("restore monday");
        refused.fails("--nonces-lost");
        // An earlier state of both tables: the epoch is the same.
        db.execute("delete from nonces where minute >= 0").await;
        run("restore --nonces-lost").succeeds();
        assert_eq!(calls(&db.open().await, now).await, 0);
    })
    .await;
}

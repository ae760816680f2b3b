//! Nonces that are lost, damaged or taken away: requests of their time are answered 503, and later ones are accepted again by
//! themselves.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rand::RngExt as _;

use super::*;

/// Requests that were recorded, six in each of five minutes.
const RECORDED: u64 = 30;

/// When the `n`th of them was signed; the latest in the minute of `start`.
fn signed(start: Timestamp, n: u64) -> Timestamp {
    start.plus(50 - 10 * i64::try_from(n).unwrap())
}

/// When requests are signed that no loss concerns.
fn later(start: Timestamp) -> Timestamp {
    start.plus(120)
}

async fn record_all(store: &Store, start: Timestamp) {
    for n in 0..RECORDED {
        assert!(record(store, signed(start, n), n).await.unwrap());
    }
}

/// Nothing that was recorded is accepted by any process, also when it asks again; what is signed later is, and once.
async fn is_safe_and_recovers(what: &str, start: Timestamp, stores: &[&Store]) {
    for _ in 0..2 {
        for store in stores {
            for n in 0..RECORDED {
                let answer = record(store, signed(start, n), n).await;
                assert!(!matches!(answer, Ok(true)), "{what}: {n}");
            }
        }
    }
    for store in stores {
        let n = rng().random();
        assert!(settled(store, later(start), n).await.unwrap(), "{what}");
        for store in stores {
            assert!(!settled(store, later(start), n).await.unwrap(), "{what}");
        }
    }
}

/// A request of a lost time that nothing is known of is answered 503.
async fn is_lost(what: &str, start: Timestamp, store: &Store) {
    let unknown = settled(store, start, 1_000).await;
    assert!(
        matches!(unknown, Err(StoreError::BelowNonceFloor { .. })),
        "{what}: {unknown:?}"
    );
}

/// Asks until a connection that was lost is made again.
async fn settled(store: &Store, at: Timestamp, n: u64) -> Result<bool, StoreError> {
    for _ in 0..20 {
        match record(store, at, n).await {
            Err(StoreError::Nonces(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            answer => return answer,
        }
    }
    record(store, at, n).await
}

/// What may happen to the table. Of a row that vanished alone, only a process that has not read it learns.
const LOSSES: [(&str, bool); 6] = [
    ("delete from nonces", true),
    ("delete from nonces where minute = -1", true),
    (
        "update nonces set digests = substr(digests, 2) where minute = -1",
        true,
    ),
    ("delete from nonces where minute > 0 and number = 0", false),
    ("delete from nonces where minute > 0 and number = 1", false),
    (
        "update nonces set digests = substr(digests, 2) where minute > 0 and number = 1",
        false,
    ),
];

on_both! {
    async fn f4_what_is_missing_from_the_table_is_not_accepted(db: Database) {
        for (hour, (loss, is_for_all)) in (0..).zip(LOSSES) {
            let start = NOW.plus(3_600 * hour);
            let store = db.open().await;
            record_all(&store, start).await;
            db.execute_on_nonces(loss).await;
            let other = db.open().await;
            is_lost(loss, start, &other).await;
            if is_for_all {
                is_lost(loss, start, &store).await;
            }
            is_safe_and_recovers(loss, start, &[&other, &store, &db.open().await]).await;
            store.close().await;
            other.close().await;
        }
    }

    async fn p3_a_missing_lease_or_one_of_another_epoch_accepts_nothing(db: Database) {
        for (hour, loss) in (0..).zip(["delete from nonce_lease", "update nonce_lease set epoch = 'another'"]) {
            let start = NOW.plus(3_600 * hour);
            let store = db.open().await;
            record_all(&store, start).await;
            db.execute(loss).await;
            let other = db.open().await;
            // The lease is read again when one is needed.
            record(&store, start.plus(60), 1).await.unwrap_err();
            for store in [&store, &other] {
                is_lost(loss, start, store).await;
            }
            if hour == 1 {
                is_safe_and_recovers(loss, start.plus(60), &[&store, &other]).await;
            }
            store.close().await;
            other.close().await;
        }
    }

    /// An epoch that one process has begun is the others' too, and they do not begin more of them.
    async fn p5_processes_agree_on_one_epoch(db: Database) {
        let first = db.open().await;
        record_all(&first, NOW).await;
        db.execute_on_nonces("delete from nonces").await;
        let stores = [first, db.open().await, db.open().await, db.open().await];
        let lost = stores.each_ref().map(|store| {
            let store = store.clone();
            tokio::spawn(async move { is_lost("all", NOW, &store).await })
        });
        for lost in lost {
            lost.await.unwrap();
        }
        let state = "select cast(number as text) from nonces where minute = -1";
        assert_eq!(db.texts_of_nonces(state).await, [later(NOW).minute().to_string()]);
        for store in &stores {
            assert!(record(store, later(NOW), rng().random()).await.unwrap(), "nobody began another one");
        }
    }

    /// A restored database knows less of what was leased than the time tells.
    async fn f5_the_lease_of_an_old_copy_is_not_believed(db: Database) {
        let store = db.open().await;
        record_all(&store, NOW).await;
        store.close().await;
        db.execute("update nonce_lease set epoch = 'of the copy', minute = minute - 60").await;
        let restored = db.open().await;
        is_lost("an old copy", NOW, &restored).await;
        is_safe_and_recovers("an old copy", NOW, &[&restored]).await;
    }
}

/// What may happen to SQLite's files.
type Damage = fn(&Path);

const DAMAGES: [(&str, Damage); 6] = [
    ("all removed", |nonces| {
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(side(nonces, suffix));
        }
    }),
    ("removed", |nonces| fs::remove_file(nonces).unwrap()),
    ("emptied", |nonces| fs::write(nonces, "").unwrap()),
    ("text", |nonces| fs::write(nonces, "no database").unwrap()),
    ("zeroed", |nonces| overwrite(nonces, |file| file.fill(0))),
    ("partly zeroed", |nonces| {
        overwrite(nonces, |file| file[4_096..].fill(0));
    }),
];

fn side(nonces: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", nonces.display()))
}

fn overwrite(path: &Path, change: impl Fn(&mut [u8])) {
    let mut content = fs::read(path).unwrap();
    change(&mut content);
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, &content).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn f5_a_file_that_is_gone_or_damaged_is_replaced() {
    for (what, damage) in DAMAGES {
        let db = Database::sqlite();
        let store = db.open().await;
        record_all(&store, NOW).await;
        store.close().await;
        damage(&db.nonces());
        let stores = [db.open().await, db.open().await];
        is_safe_and_recovers(what, NOW, &[&stores[0], &stores[1]]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f5_a_file_that_is_taken_away_from_a_running_process_is_replaced() {
    for (what, damage) in DAMAGES {
        let db = Database::sqlite();
        let store = db.open().await;
        record_all(&store, NOW).await;
        damage(&db.nonces());
        let other = db.open().await;
        is_safe_and_recovers(what, NOW, &[&store, &other]).await;
        is_safe_and_recovers(what, NOW, &[&other, &store, &db.open().await]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_file_is_removed_goes_on() {
    let db = Database::sqlite();
    let store = db.open().await;
    record_all(&store, NOW).await;
    DAMAGES[0].1(&db.nonces());
    for minute in 0..5 {
        assert!(record(&store, later(NOW).plus(60 * minute), 1).await.unwrap());
        assert!(!record(&store, later(NOW).plus(60 * minute), 1).await.unwrap());
    }
    assert!(!record(&store, signed(NOW, 0), 0).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn f4_after_another_start_of_the_machine_the_file_is_not_read() {
    let db = Database::sqlite();
    let store = db.open().await;
    record_all(&store, NOW).await;
    store.close().await;
    // Two starts, and no accepted request between them.
    for _ in 0..2 {
        db.execute("update nonce_lease set epoch = 'another start' || substr(epoch, 37)")
            .await;
        db.execute_on_nonces(
            "update nonces set digests = cast('another start' || substr(cast(digests as text), 37) as blob) \
             where minute = -1",
        )
        .await;
        let store = db.open().await;
        is_lost("another start", NOW, &store).await;
        store.close().await;
    }
    is_safe_and_recovers("another start", NOW, &[&db.open().await]).await;
}

/// A folder cannot be replaced by linkgate; an administrator removes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_opened_is_named() {
    let db = Database::sqlite();
    fs::create_dir(db.nonces()).unwrap();
    let store = db.open().await;
    let error = record(&store, NOW, 1).await.unwrap_err();
    assert!(format!("{error:?}").contains("-nonces"), "{error:?}");
    fs::remove_dir(db.nonces()).unwrap();
    assert!(record(&store, NOW, 1).await.unwrap());
}

/// A server of its own: it crashes.
struct Server(tempfile::TempDir);

impl Server {
    fn start() -> Self {
        let server = Self(tempfile::tempdir().unwrap());
        server.run("start");
        server
    }

    fn command(&self, command: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres");
        let mut ran = Command::new(script);
        ran.arg(command).env("CARGO_TARGET_DIR", self.0.path());
        ran
    }

    /// Runs `tests/postgres`, and gives back what it prints.
    fn run(&self, command: &str) -> String {
        let ran = self.command(command).output().unwrap();
        assert!(ran.status.success(), "{command}: {ran:?}");
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What is printed does not matter any more, and a panic would hide the one that is under way.
        let _ = self.command("stop").output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p3_what_a_crash_of_postgresql_has_taken_is_not_accepted() {
    let server = Server::start();
    let db = Database::postgres_on(server.run("url")).await;
    let (here, there) = (db.open().await, db.open().await);
    record_all(&here, NOW).await;
    assert!(!record(&there, signed(NOW, 0), 0).await.unwrap());

    // A server that is stopped in good order keeps what it has.
    server.run("restart");
    assert!(!settled(&db.open().await, signed(NOW, 0), 0).await.unwrap());
    assert!(settled(&here, NOW, 50).await.unwrap());

    server.run("crash");
    let new = db.open().await;
    is_lost("a crash", NOW, &new).await;
    is_safe_and_recovers("a crash", NOW, &[&here, &there, &new]).await;
}

//! PostgreSQL's nonces: rows that replicas compare, and that a crash of the server takes along.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use linkgate::store::StoreError;

use crate::support::databases;

use super::*;

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
async fn what_a_crash_of_the_server_has_taken_is_not_admitted() {
    let server = Server::start();
    let db = Database::postgres_on(server.run("url")).await;
    let (here, there) = (db.open().await, db.open().await);
    let before = NOW.plus(-60);
    assert!(here.remember(before, [1; 16]).await.unwrap());
    assert!(here.remember(NOW, [1; 16]).await.unwrap());
    assert!(!there.remember(NOW, [1; 16]).await.unwrap());

    // A server that is stopped in good order keeps what it has.
    server.run("restart");
    assert!(!db.open().await.remember(NOW, [1; 16]).await.unwrap());
    assert!(known(&here, NOW, 2).await.unwrap());

    // Of this minute, nothing but the note has reached the disk for sure.
    let last = NOW.plus(120);
    assert!(here.remember(last, [1; 16]).await.unwrap());
    server.run("crash");
    for store in [&here, &there, &db.open().await] {
        // What a replica has not seen itself, it asks for, and then it knows that all is lost.
        for (at, n) in [
            (NOW, 3),
            (NOW, 2),
            (NOW, 1),
            (before, 2),
            (before, 1),
            (last, 2),
            (last, 1),
        ] {
            let unsure = known(store, at, n).await;
            assert!(matches!(unsure, Err(StoreError::Forgotten)), "{unsure:?}");
        }
    }
    let next = NOW.plus(60);
    assert!(here.remember(next, [1; 16]).await.unwrap(), "signed after it");
    assert!(!there.remember(next, [1; 16]).await.unwrap());
    assert!(
        there.remember(before.plus(-60), [1; 16]).await.unwrap(),
        "nothing of that minute was seen"
    );
    // To forget is to forget that something was lost.
    here.forget_nonces_before(next.bucket()).await.unwrap();
    assert!(there.remember(NOW, [1; 16]).await.unwrap());
}

/// Asks until the connection that was lost is made again.
async fn known(store: &Store, at: Timestamp, n: u8) -> Result<bool, StoreError> {
    for _ in 0..20 {
        match store.remember(at, [n; 16]).await {
            Err(StoreError::Nonces(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            answer => return answer,
        }
    }
    store.remember(at, [n; 16]).await
}

async fn on_postgres<F>(test: impl FnOnce(Database) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    databases::with(Database::postgres().await, test).await;
}

/// Behind a pooler, a connection may outlive the server.
#[tokio::test]
async fn rows_that_vanish_under_an_open_connection_are_taken_for_lost() {
    on_postgres(async |db| {
        let (here, there) = (db.open().await, db.open().await);
        assert!(here.remember(NOW, [1; 16]).await.unwrap());
        assert!(there.remember(NOW, [2; 16]).await.unwrap());
        db.execute("truncate nonces").await;
        for (store, known) in [(&here, &[1][..]), (&there, &[2, 1])] {
            // What it has written or read already, a replica need not ask for.
            for n in known {
                assert!(!store.remember(NOW, [*n; 16]).await.unwrap());
            }
            for n in [3, 2, 1] {
                let unsure = store.remember(NOW, [n; 16]).await;
                assert!(matches!(unsure, Err(StoreError::Forgotten)), "{unsure:?}");
            }
        }
        let next = NOW.plus(60);
        let (lost, new) = tokio::join!(here.remember(NOW, [4; 16]), here.remember(next, [4; 16]));
        assert!(
            matches!(lost, Err(StoreError::Forgotten)) && new.unwrap(),
            "one batch, two minutes"
        );
    })
    .await;
}

/// The server crashes after a replica has written its row, and before it has read those of the others.
#[tokio::test]
async fn whoever_cannot_read_all_rows_admits_nothing() {
    on_postgres(async |db| {
        let (here, there) = (db.open().await, db.open().await);
        assert!(here.remember(NOW, [1; 16]).await.unwrap());
        for n in 2..5 {
            assert!(there.remember(NOW, [n; 16]).await.unwrap());
        }
        db.execute("delete from nonces where batch = 3").await;
        for n in [3, 9, 3] {
            let unsure = here.remember(NOW, [n; 16]).await;
            assert!(matches!(unsure, Err(StoreError::Forgotten)), "{unsure:?}");
        }
        assert!(!here.remember(NOW, [1; 16]).await.unwrap(), "this row is there");
    })
    .await;
}

/// A replica whose clock is far ahead forgets a minute that others still write to, and they open it again.
#[tokio::test]
async fn a_minute_that_others_have_opened_again_is_read_again() {
    on_postgres(async |db| {
        let stores = [db.open().await, db.open().await, db.open().await];
        let [here, there, ahead] = &stores;
        assert!(here.remember(NOW, [0; 16]).await.unwrap());
        assert!(!there.remember(NOW, [0; 16]).await.unwrap());
        for n in 1..4 {
            assert!(here.remember(NOW, [n; 16]).await.unwrap());
        }
        ahead.forget_nonces_before(NOW.bucket() + 1).await.unwrap();
        // Fewer rows than the first one knows of, and then more.
        for n in 10..13 {
            assert!(there.remember(NOW, [n; 16]).await.unwrap());
        }
        assert!(!here.remember(NOW, [10; 16]).await.unwrap());
        ahead.forget_nonces_before(NOW.bucket() + 1).await.unwrap();
        for n in 20..40 {
            assert!(there.remember(NOW, [n; 16]).await.unwrap());
        }
        for n in 20..40 {
            assert!(!here.remember(NOW, [n; 16]).await.unwrap());
        }
    })
    .await;
}

/// A replica compares with what others wrote, however much that is: more than it reads at once.
#[tokio::test]
async fn a_replica_that_was_silent_knows_what_others_have_written_meanwhile() {
    on_postgres(async |db| {
        let (here, there) = (db.open().await, db.open().await);
        assert!(there.remember(NOW, numbered(0)).await.unwrap());
        for n in 1..=600 {
            assert!(here.remember(NOW, numbered(n)).await.unwrap());
        }
        let late = db.open().await;
        for store in [&there, &late] {
            // The last one first: to know it, all pages have to be read.
            for n in (0..=600).rev() {
                assert!(!store.remember(NOW, numbered(n)).await.unwrap(), "{n}");
            }
        }
    })
    .await;
}

fn numbered(n: u16) -> [u8; 16] {
    let mut digest = [0; 16];
    digest[14..].copy_from_slice(&n.to_be_bytes());
    digest
}

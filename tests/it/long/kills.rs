//! The program is killed while it answers, and its database restored from a copy: no request passes twice.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use tokio::task::block_in_place;
use tokio::time::sleep;

use super::answer;
use crate::support::{Database, Key, Peer, Program, echo, with};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes: tests/run --long"]
async fn no_kill_and_no_restore_lets_a_request_pass_twice_on_sqlite() {
    with(Database::sqlite(), kill_and_restore).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes: tests/run --long"]
async fn no_kill_and_no_restore_lets_a_request_pass_twice_on_postgres() {
    with(Database::postgres().await, kill_and_restore).await;
}

async fn kill_and_restore(db: Database) {
    let application = echo::start().await;
    let mut linkgate = block_in_place(|| Program::start(&db, application));
    let (address, peer) = (linkgate.address(), consumer(&linkgate));
    let (mut counts, mut all) = (BTreeMap::new(), Vec::new());
    for kill in 0..kills() {
        let calls: Vec<_> = (0..40)
            .map(|_| {
                let bytes = signed(&peer, &linkgate);
                (tokio::spawn(answer(address, bytes.clone())), bytes)
            })
            .collect();
        sleep(Duration::from_millis(kill * 7 % 50)).await;
        block_in_place(|| linkgate.crash_and_restart());
        for (call, bytes) in calls {
            let first = call.await.unwrap();
            let second = answer(address, bytes.clone()).await;
            let third = answer(address, bytes.clone()).await;
            *counts
                .entry([first.clone(), second.clone(), third.clone()])
                .or_insert(0_u32) += 1;
            let passed = [first, second, third]
                .iter()
                .filter(|answer| *answer == "200")
                .count();
            assert!(passed <= 1, "it passed {passed} times: {counts:#?}");
            all.push(bytes);
        }
    }
    if db.is_sqlite() {
        assert_eq!(linkgate.run(&["backup", "saved"]).0, 0);
        linkgate.ask_to_stop();
        block_in_place(|| linkgate.end(Duration::from_secs(40)));
        assert_eq!(linkgate.run(&["restore", "saved"]).0, 0);
    } else {
        linkgate.ask_to_stop();
        block_in_place(|| linkgate.end(Duration::from_secs(40)));
        db.execute_on_nonces("delete from nonces").await;
        assert_eq!(linkgate.run(&["restore", "--nonces-lost"]).0, 0);
    }
    block_in_place(|| linkgate.crash_and_restart());
    for bytes in all {
        let restored = answer(address, bytes).await;
        assert_ne!(restored, "200", "it passed again after the restore");
        *counts
            .entry(["restored".to_owned(), restored, String::new()])
            .or_insert(0) += 1;
    }
    println!("{} kills; first, second and third answer: {counts:#?}", kills());
}

/// How often the program is killed.
fn kills() -> u64 {
    std::env::var("LINKGATE_TEST_KILLS").map_or(200, |kills| kills.parse().unwrap())
}

/// The consumer whose private key is beside the program.
fn consumer(linkgate: &Program) -> Peer {
    let pem = std::fs::read_to_string(linkgate.file("bitbucket.pem")).unwrap();
    Peer {
        consumer_key: "Stash:8277239845".to_owned(),
        key: Key::Rsa(Box::new(PrivateKey::from_pkcs1_pem(&pem).unwrap())),
    }
}

fn signed(peer: &Peer, linkgate: &Program) -> Vec<u8> {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let call = peer.call_at(i64::try_from(now).unwrap(), "GET", "/x");
    let signature = call.signature(linkgate.base());
    call.request_with(&signature).bytes(linkgate.address())
}

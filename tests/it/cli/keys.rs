//! `linkgate key status`, `rotate` and `retire`, and what happens without a key.

use std::fs;

use linkgate::store::Keyring;

use super::Here;
use super::operate::connect;
use crate::support::Text as _;

#[tokio::test]
async fn secret_keys_are_rotated_in_two_steps() {
    let (here, old, new) = rotated().await;
    let status = here
        .run("key status")
        .out
        .replace(&old, "OLD_")
        .replace(&new, "NEW_");
    let cells = |line: &str| -> Vec<String> {
        let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        cells.map(str::to_owned).collect()
    };
    let lines: Vec<_> = status.lines().map(cells).collect();
    assert_eq!(lines[0], ["KEY", "KEY FILE", "FIRST USED", "CONSUMERS", "TOKENS"]);
    // A request token and an access token each; the consumer's secret stays sealed with the old key.
    let is_there = |id: &str, place: &str, counts: [&str; 2]| {
        lines
            .iter()
            .any(|cells| cells[0] == id && cells[1] == place && cells[3..] == counts)
    };
    assert!(is_there("OLD_", "there", ["1", "2"]), "{status}");
    assert!(is_there("NEW_", "in front", ["0", "2"]), "{status}");

    for (command, error) in [
        (
            format!("key retire {old}"),
            "is needed by 1 consumers and 2 tokens",
        ),
        (format!("key retire {new}"), "is in front"),
        (format!("key retire {old} --lost"), "is not lost"),
        ("key retire none".to_owned(), "there is no key none"),
    ] {
        let refused = here.run(&command);
        refused.fails(error);
    }
}

#[tokio::test]
async fn without_a_needed_key_nothing_starts_and_no_other_is_made() {
    let (here, old, new) = rotated().await;
    let file = here.path("linkgate.key");
    let text = fs::read_to_string(&file).unwrap();
    let without: Vec<_> = text.lines().filter(|line| !line.starts_with(&old)).collect();
    fs::write(&file, without.join("\n")).unwrap();
    let refused = here.run("token list");
    refused.fails(&format!("needs the secret key `{old}`"));

    fs::remove_file(&file).unwrap();
    let refused = here.run("token list");
    refused.fails("restore the file from a backup");
    assert!(!file.exists());

    here.run("key generate --out linkgate.key").succeeds();
    for id in [&old, &new] {
        let retired = here.run(&format!("key retire {id} --lost"));
        assert_eq!((retired.code, retired.out), (0, format!("{id} is retired\n")));
    }
    here.run("token list").succeeds();
}

/// A key file that was rotated, with tokens of both keys; the ids of the old and of the new one.
async fn rotated() -> (Here, String, String) {
    let here = Here::migrated();
    here.run("consumer add ci --generate-secret").succeeds();
    let old = key_ids(&here)[0].clone();
    connect(&here, 3600).await;
    let added = here.run("key rotate").out;
    added.has("is new. Copy the file to every replica");
    let new = key_ids(&here)[1].clone();
    assert_eq!(key_ids(&here), [&*old, &new]);
    let front = here.run("key rotate").out;
    front.has(format!("the key {new} is in front now"));
    assert_eq!(key_ids(&here), [&*new, &old]);
    connect(&here, 7200).await;
    (here, old, new)
}

/// The ids in the key file.
fn key_ids(here: &Here) -> Vec<String> {
    let keyring = Keyring::open_file(&here.path("linkgate.key")).unwrap().keyring;
    keyring.ids().map(str::to_owned).collect()
}

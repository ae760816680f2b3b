//! `linkgate demo`: the real program, end to end.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::support::{Browser, Database, location, with};

#[test]
fn every_step_without_a_browser_goes_as_expected() {
    headless(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_go_over_postgresql_too() {
    with(Database::postgres().await, async |database| {
        headless(&["--store", &database.url()]);
    })
    .await;
}

fn headless(options: &[&str]) {
    let output = demo().arg("--headless").args(options).output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lines}\n{complaints}");
    assert_eq!(lines.matches("  ✓ ").count(), STEPS, "{lines}");
    assert!(
        lines.ends_with(&format!("\nAll {STEPS} steps passed.\n")),
        "{lines}"
    );
    assert!(!lines.contains('✗'), "{lines}");
    assert_eq!(complaints, "");
}

/// Seven for each link, three without a token, four of the own users, two of administrators, and five about a restart.
const STEPS: usize = 28;

/// As AppLinks do: `?` is appended to the URL of the form, and the callback, which has a query, is named once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_sent_to_approve_and_a_signal_ends_it_all() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let mut child = demo()
        .arg("--keep")
        .arg(&kept)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let open = lines.find_map(|line| Some(line.split_once("Open  http://")?.1.to_owned()));
    let bitbucket: SocketAddr = open.unwrap().trim_end_matches('/').parse().unwrap();
    assert!(bitbucket.ip().is_loopback());
    let mut browser = Browser::new(bitbucket);
    let page = browser.get("/").await;
    let connect = page.body.split("data-popup href=\"").nth(1).unwrap();
    let (_, path) = connect.split_once(&bitbucket.to_string()).unwrap();
    let answer = browser.get(path.split('"').next().unwrap()).await;
    let (linkgate, query) = location(&answer)
        .split_once("/oauth/authorize?oauth_token=")
        .unwrap();
    assert!(linkgate.starts_with("http://127.0.0.1:"), "{linkgate}");
    let (_, callback) = query.split_once("&oauth_callback=").unwrap();
    let expected = format!("http%3A%2F%2F127.0.0.1%3A{}%2F", bitbucket.port());
    assert!(callback.starts_with(&expected), "{callback}");
    assert!(callback.contains("%3FapplicationLinkID%3D"), "{callback}");

    for (file, mode) in [
        ("", 0o700),
        ("linkgate.toml", 0o600),
        ("link.pem", 0o600),
        ("linkgate.key", 0o600),
    ] {
        let permissions = fs::metadata(kept.join(file)).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{file}");
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert!(child.wait().unwrap().success());
    assert!(kept.join("linkgate.db").exists(), "it was to be kept");
}

/// The command, in an environment that is another installation's.
fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkgate"));
    command
        .arg("demo")
        .env("LINKGATE__SERVER__PUBLIC_URL", "https://elsewhere.example.com");
    command
}

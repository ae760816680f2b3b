//! The application's side of the hand-off, in each language that Debian can run: held against the vectors.

use std::fs;
use std::process::Command;

use linkgate::login::{Handoff, HttpUrl, LoginFlow};
use linkgate::oauth::{Secret, Timestamp, Token};
use serde_json::Value;
use tempfile::TempDir;

use super::counterpart::project;

/// Runs a snippet with every vector.
fn agrees(program: &[&str]) {
    for vector in vectors() {
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let now = vector["now"].as_i64().unwrap().to_string();
        let output = Command::new(program[0])
            .args(&program[1..])
            .args([
                text("secret"),
                now,
                text("query"),
                text("sub"),
                text("display_name"),
                vector["auth_time"].as_i64().unwrap().to_string(),
            ])
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap_or_else(|error| panic!("{program:?}: {error}; tests/run installs it"));
        let said = String::from_utf8_lossy(&output.stdout);
        let name = text("name");
        if vector["refused"] == true {
            assert!(!output.status.success(), "{program:?} {name}: {output:?}");
            assert!(said.is_empty(), "{program:?} {name}: {output:?}");
        } else {
            let found = said.trim_end();
            assert_eq!(found, text("way_back"), "{program:?} {name}: {output:?}");
        }
    }
}

fn vectors() -> Vec<Value> {
    let text = fs::read_to_string(project("config/handoff/vectors.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(vectors.len() >= 13);
    vectors
}

fn snippet(name: &str) -> String {
    project("config/handoff").join(name).display().to_string()
}

#[test]
fn python_agrees() {
    agrees(&["python3", &snippet("handoff.py")]);
}

#[test]
fn node_agrees() {
    agrees(&["node", &snippet("handoff.mjs")]);
}

#[test]
fn php_agrees() {
    agrees(&["php", &snippet("handoff.php")]);
}

#[test]
fn java_agrees() {
    let into = tempfile::tempdir().unwrap();
    compiled(
        &into,
        "javac",
        &["-d", &place(&into, "")],
        &snippet("Handoff.java"),
    );
    agrees(&[
        "java",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        &place(&into, ""),
        "Handoff",
    ]);
}

#[test]
fn go_agrees() {
    let into = tempfile::tempdir().unwrap();
    compiled(
        &into,
        "go",
        &["build", "-o", &place(&into, "handoff")],
        &snippet("handoff.go"),
    );
    agrees(&[&place(&into, "handoff")]);
}

#[test]
fn linkgate_agrees() {
    for vector in vectors().iter().filter(|vector| vector["refused"].is_null()) {
        let text = |name: &str| vector[name].as_str().unwrap();
        let login = "https://builds.example.com/linkgate-login";
        let handoff = Handoff {
            login_url: HttpUrl::parse(login).unwrap(),
            secret: Secret::new(text("secret")),
        };
        let (back, answer) = text("way_back").split_once("?lg_answer=").unwrap();
        let (answer, signature) = answer.split_once("&lg_sig=").unwrap();
        let said = handoff.verify(answer, signature).unwrap();
        let now = Timestamp::from_seconds(vector["now"].as_i64().unwrap());
        let flow = LoginFlow {
            id: Token::parse(&said.jti).unwrap(),
            return_to: back.to_owned(),
            force_login: text("name").contains("fresh"),
            nonce: Secret::new(""),
            verifier: Secret::new(""),
            at: Timestamp::from_seconds(1_800_000_000),
        };
        assert_eq!(
            handoff.request_url(&flow),
            format!("{login}?{}", text("query")),
            "{}",
            text("name")
        );
        let auth_time = vector["auth_time"].as_i64();
        assert_eq!(said.auth_time, auth_time);
        let user = handoff.accept(said, &flow, now).unwrap();
        assert_eq!(Some(user.proved_at.seconds()), auth_time);
        let found = (&*user.subject, &*user.display_name);
        assert_eq!(found, (text("sub"), text("display_name")));
    }
}

fn compiled(into: &TempDir, compiler: &str, options: &[&str], source: &str) {
    let output = Command::new(compiler)
        .args(options)
        .arg(source)
        .env("GOCACHE", place(into, "cache"))
        .env("GO111MODULE", "off")
        .output()
        .unwrap_or_else(|error| panic!("{compiler}: {error}; tests/run installs it"));
    assert!(output.status.success(), "{output:?}");
}

fn place(into: &TempDir, name: &str) -> String {
    into.path().join(name).display().to_string()
}

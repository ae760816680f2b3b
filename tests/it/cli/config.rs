//! `linkgate config check`.

use std::fs;

use insta::assert_snapshot;

use super::Here;
use crate::support::Text as _;

#[test]
fn a_configuration_that_can_be_used() {
    let answer = Here::new().run("config check");
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    assert_snapshot!(answer.out, @r"
    linkgate.toml can be used: http://127.0.0.1:9080 in front of http://127.0.0.1:9090, 3 consumers, login by file, SQLite
    ");
}

#[test]
fn a_configuration_that_cannot_be_used() {
    let here = Here::new();
    let text = fs::read_to_string(here.path("linkgate.toml")).unwrap();
    fs::write(
        here.path("bad.toml"),
        text.replace("public_url", "publik_url")
            .replace("\"users.toml\"", "7"),
    )
    .unwrap();
    let answer = here.run("config check --config bad.toml");
    assert_eq!((answer.code, answer.out.as_str()), (64, ""));
    assert_snapshot!(answer.err, @r#"
    error: bad.toml cannot be used: 3 problems
    bad.toml:6:2: server.public_url: it is missing
        public_url = "https://builds.example.com" # what consumers sign and browsers see; no path, or Bitbucket loses it
    bad.toml:9:1: server.publik_url: there is no such key
        did you mean public_url?
    bad.toml:21:1: login.file.path: expected a text, found a number
        path = "users.toml" # [[users]] name, display_name, password (`linkgate user hash`), sign_in
    "#);
    let named = here.run_with("config check", "", &[("LINKGATE_CONFIG", "bad.toml")]);
    assert_eq!(named.err, answer.err);
    for command in ["serve", "consumer list", "token list", "health"] {
        let found = here.run(&format!("{command} --config bad.toml")).code;
        assert_eq!(found, 64, "{command}");
    }
    let variable = here.run_with("config check", "", &[("LINKGATE__STORE__URI", "x")]);
    assert_eq!(variable.code, 64);
    assert_snapshot!(variable.err, @r"
    error: linkgate.toml cannot be used
    LINKGATE__STORE__URI: store.uri: there is no such key
        did you mean url?
    ");
}

#[test]
fn files_that_other_parts_read_are_checked_too() {
    let here = Here::new();
    fs::write(here.path("linkgate.key"), "not a key\n").unwrap();
    let answer = here.run("config check");
    assert_eq!(answer.code, 64);
    answer.err.has("keys.secret_key_file cannot be used");
    fs::remove_file(here.path("linkgate.key")).unwrap();
    fs::write(here.path("users.toml"), "[[users]]\nname = 7\n").unwrap();
    let answer = here.run("config check");
    assert_eq!(answer.code, 64);
    assert!(answer.err.contains("users.toml:2"), "{}", answer.err);
}

#[test]
fn warnings_are_told_and_do_not_fail() {
    let here = Here::new();
    let answer = here.run_with(
        "config check",
        "",
        &[("LINKGATE__SERVER__PUBLIC_URL", "https://h.example/ctx")],
    );
    assert_eq!(answer.code, 0);
    answer
        .err
        .begins("warning: LINKGATE__SERVER__PUBLIC_URL: server.public_url: it has a path");
}

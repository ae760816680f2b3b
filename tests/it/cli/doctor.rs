//! `linkgate doctor login` for the methods that need no other program; those with a counterpart are in `crate::real_logins`.

use std::fs;

use insta::assert_snapshot;

use super::{Answer, Here};
use crate::support::Text as _;

const FILE: &str = "[login]\nmethod = \"file\"\n\n[login.file]\npath = \"users.toml\"\n";

#[test]
fn a_password_file_is_counted() {
    let here = Here::new();
    assert_snapshot!(said(&here, "doctor login", 0), @r#"
    login.method = "file"
    ok     read the password file
           3 users, of whom 2 may sign in
    "#);
    let nobody = "[[users]]\nname = \"svc\"\nsign_in = false\n";
    fs::write(here.path("users.toml"), nobody).unwrap();
    assert_snapshot!(said(&here, "doctor login", 1), @r#"
    login.method = "file"
    FAILED read the password file
           1 users, of whom 0 may sign in
           -> add [[users]] with name and password; `linkgate user hash` makes the hash
    error: 1 step failed
    "#);
}

#[test]
fn a_trusted_header_is_named_with_those_who_may_send_it() {
    let login = "[login]\nmethod = \"trusted-header\"\n[login.trusted-header]\nheader = \"X-User\"\ndisplay_header = \"X-Name\"\n";
    let here = with_login(login);
    let config = fs::read_to_string(here.path("linkgate.toml")).unwrap();
    let trusting = "[server]\ntrusted_proxies = [\"10.1.0.0/16\", \"127.0.0.1\"]\n";
    let config = config.replace("[server]\n", trusting);
    fs::write(here.path("linkgate.toml"), config).unwrap();
    assert_snapshot!(said(&here, "doctor login", 0), @r#"
    login.method = "trusted-header"
    ok     trusted proxies
           connections from 10.1.0.0/16, 127.0.0.1/32
    ok     trusted header
           x-user: the user's name, exactly one value
    ok     display name
           x-name: the name to show
    "#);
}

#[test]
fn a_handoff_shows_a_request_and_judges_an_answer() {
    let here = with_login(
        "[login]\nmethod = \"handoff\"\n[login.handoff]\nlogin_url = \"http://127.0.0.1:9090/in?a=b\"\nsecret_file = \"handoff.secret\"\n",
    );
    fs::write(here.path("handoff.secret"), "what-both-sides-know\n").unwrap();
    let all = said(&here, "doctor login", 0);
    let lines: Vec<_> = all.lines().map(str::trim_start).collect();
    assert_eq!(lines[0], "login.method = \"handoff\"");
    assert!(lines[1].starts_with("ok     a signed request"), "{all}");
    assert!(
        lines[2].starts_with("http://127.0.0.1:9090/in?a=b&lg_request="),
        "{all}"
    );
    assert!(lines[3].contains("would answer for alice"), "{all}");
    assert!(!all.contains("what-both-sides-know"), "{all}");
    // What it says that the application would answer is what it takes from the application.
    let answer = lines[4];
    let believed = said(&here, &format!("doctor login --answer {answer}"), 0);
    believed.has("ok     an answer\n       signed as agreed: ");
    assert!(believed.contains("alice"), "{believed}");
    let changed = answer.replace("lg_sig=", "lg_sig=0");
    let refused = said(&here, &format!("doctor login --answer {changed}"), 1);
    assert!(refused.contains("FAILED an answer\n"), "{refused}");
    assert!(refused.contains("-> compare the secrets;"), "{refused}");
    fs::write(here.path("handoff.secret"), "another-secret\n").unwrap();
    let refused = said(&here, &format!("doctor login --answer {answer}"), 1);
    refused.has("do both sides have the same secret?");
    let halved = said(&here, "doctor login --answer lg_answer=x", 1);
    halved.has("the answer has no lg_answer or no lg_sig");
}

fn with_login(login: &str) -> Here {
    let here = Here::new();
    let config = fs::read_to_string(here.path("linkgate.toml")).unwrap();
    assert!(config.contains(FILE), "the example has another login");
    fs::write(here.path("linkgate.toml"), config.replace(FILE, login)).unwrap();
    here
}

/// Everything that is printed, when the exit code is this one.
fn said(here: &Here, line: &str, code: i32) -> String {
    let answer: Answer = here.run(line);
    let said = answer.out + &answer.err;
    assert_eq!(answer.code, code, "{said}");
    said
}

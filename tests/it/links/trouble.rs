//! Everything that can go wrong at the other side: each has a clear answer, and no token is lost that still works.

use std::time::Duration;

use linkgate::blocking::SIGNATURES;
use linkgate::oauth::Token;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use crate::support::{App, Blocked, Database, Linked, Planned, Text as _, location, pair, path};

/// A linkgate whose other side answers every call in the same way, with alice connected there.
async fn refused_by(answer: &'static str) -> Linked {
    let left = Linked::with_peer(App::answering(answer).await.address, "").await;
    left.has_connected("other", "alice", "a-token").await;
    left
}

async fn is_connected(left: &Linked) -> bool {
    let store = left.store().await;
    let connections = store.link_connections(Some("alice")).await.unwrap();
    store.close().await;
    !connections.is_empty()
}

/// Status, code and advice of the answer to a call as alice; and whether she still is connected.
async fn outcome(left: &Linked) -> (u16, String, String, bool) {
    let answer = left.ask("/other/x", Some("alice")).await;
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let code = body["error"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("x-linkgate-error"), Some(code.as_str()));
    let advice = body["advice"].as_str().unwrap().to_owned();
    (answer.status, code, advice, is_connected(left).await)
}

#[tokio::test]
async fn a_call_that_waits_in_vain_for_its_signature_is_answered() {
    let left = refused_by("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let blocked = Blocked::all(&[&SIGNATURES]).await;
    let (status, code, advice, connected) = outcome(&left).await;
    let found = (status, code.as_str(), connected);
    assert_eq!(found, (503, "unavailable", true), "{advice}");
    assert!(advice.contains("signs too many calls"), "{advice}");
    blocked.end().await;
    assert_eq!(left.ask("/other/x", Some("alice")).await.status, 200);
}

#[tokio::test]
async fn a_token_problem_drops_the_token_and_nothing_else_does() {
    for (problem, status, code, connected) in [
        ("token_expired", 401, "not_connected", false),
        ("token_rejected", 401, "not_connected", false),
        ("token_revoked", 401, "not_connected", false),
        ("signature_invalid", 502, "refused", true),
        ("consumer_key_unknown", 502, "refused", true),
        ("permission_denied", 502, "refused", true),
        ("nonce_used", 502, "refused", true),
        ("user_refused", 502, "refused", true),
        ("timestamp_refused", 502, "clock", true),
        ("something_new", 502, "refused", true),
    ] {
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: OAuth realm=\"x\", oauth_problem=\"{problem}\"\r\n\
             content-length: 0\r\n\r\n"
        );
        let left = refused_by(answer.leak()).await;
        let got = outcome(&left).await;
        let found = (got.0, got.1.as_str(), got.3);
        assert_eq!(found, (status, code, connected), "{problem}: {}", got.2);
    }
}

/// Of several problems the last counts. What the other side writes is cut, and made safe to show.
#[tokio::test]
async fn a_problem_is_read_from_the_last_challenge_that_names_one() {
    let long = "x".repeat(400);
    let answer = format!(
        "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\"\r\n\
         www-authenticate: OAuth oauth_problem=\"token_revoked\"\r\n\
         www-authenticate: OAuth oauth_problem=\"permission_denied\", oauth_problem_advice=\"%0Aa%1Bb%0A{long}\"\r\n\
         www-authenticate: OAuth realm=\"y\"\r\nwww-authenticate: Basic oauth_problem=\"token_expired\"\r\n\
         content-length: 0\r\n\r\n"
    );
    let left = refused_by(answer.leak()).await;
    let (status, code, advice, connected) = outcome(&left).await;
    let found = (status, code.as_str(), connected);
    assert_eq!(found, (502, "refused", true), "{advice}");
    advice.has(format!("permission_denied: ab{}", "x".repeat(298)));
    advice.lacks("x".repeat(299));
    assert!(!advice.contains(['\n', '\u{1b}']), "{advice}");
}

#[tokio::test]
async fn a_second_more_or_less_is_no_difference_between_clocks() {
    for (date, difference) in [
        ("Fri, 15 Jan 2027 08:00:00 GMT", Some(0)),
        ("Fri, 15 Jan 2027 08:00:01 GMT", Some(0)),
        ("Fri, 15 Jan 2027 07:59:59 GMT", Some(0)),
        ("Fri, 15 Jan 2027 08:00:02 GMT", Some(2)),
        ("Fri, 15 Jan 2027 07:50:00 GMT", Some(-600)),
        ("yesterday", None),
    ] {
        let answer = format!(
            "HTTP/1.1 400 Bad Request\r\ndate: {date}\r\n\
             www-authenticate: OAuth oauth_problem=\"timestamp_refused\"\r\ncontent-length: 0\r\n\r\n"
        );
        let left = refused_by(answer.leak()).await;
        let answer = left.ask("/other/x", Some("alice")).await;
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["error"], "clock");
        assert_eq!(body["clock_difference"].as_i64(), difference, "{date}: {body}");
    }
}

#[tokio::test]
async fn only_the_token_that_was_refused_is_dropped() {
    let (seen, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let (go, gone) = tokio::sync::watch::channel(false);
    let other = App::scripted(move |_, mut stream| {
        let (seen, mut gone) = (seen.clone(), gone.clone());
        async move {
            crate::support::read_head(&mut stream).await.unwrap();
            seen.send(()).unwrap();
            gone.wait_for(|go| *go).await.unwrap();
            let answer = b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: OAuth oauth_problem=\"token_revoked\"\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    })
    .await;
    let left = Linked::with_peer(other.address, "").await;
    left.has_connected("other", "alice", "an-old-token").await;
    let calling = async {
        let refused = left.ask("/other/x", Some("alice")).await;
        refused.assert_header("x-linkgate-error", "not_connected");
    };
    let connecting = async {
        calls.recv().await.unwrap();
        left.has_connected("other", "alice", "a-new-token").await;
        go.send(true).unwrap();
    };
    tokio::join!(calling, connecting);
    assert!(is_connected(&left).await);
}

#[tokio::test]
async fn an_answer_of_the_other_application_is_its_own() {
    for status in ["401 Unauthorized", "403 Forbidden", "500 Oops", "503 Busy"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nwww-authenticate: Basic realm=\"x\"\r\ncontent-length: 2\r\n\r\nno"
        );
        let left = refused_by(answer.leak()).await;
        let got = left.ask("/other/x", Some("alice")).await;
        assert_eq!(got.status.to_string(), status[..3]);
        assert_eq!(got.body, "no");
        assert_eq!(got.header("x-linkgate-error"), None);
        assert!(is_connected(&left).await);
    }
}

#[tokio::test]
async fn a_clock_that_is_ten_minutes_off_is_named() {
    let (left, right) = pair(&Database::sqlite(), &Database::sqlite()).await;
    left.connect("other", &right, "alice").await;
    left.clock.advance(-600);
    let (status, code, advice, connected) = outcome(&left).await;
    let found = (status, code.as_str(), connected);
    assert_eq!(found, (502, "clock", true), "{advice}");
    advice.has("refuses our timestamp");
    advice.has("NTP");

    let mut browser = left.browser();
    browser.sign_in("bob").await;
    let page = browser.get("/oauth/links/other/connect").await;
    assert_eq!(page.status, 502);
    page.body.has("timestamp");
    page.body.has("NTP");

    left.clock.advance(600);
    assert_eq!(left.ask("/other/api/x", Some("alice")).await.status, 200);
}

#[tokio::test]
async fn a_slow_other_side_is_given_up_and_the_token_stays() {
    let slow = App::scripted(|_, stream| async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(stream);
    })
    .await;
    let left = Linked::with_peer(slow.address, "response_timeout = \"300ms\"\n").await;
    left.has_connected("other", "alice", "a-token").await;
    let got = outcome(&left).await;
    assert_eq!((got.0, got.1.as_str(), got.3), (504, "late", true), "{}", got.2);
    let mut browser = left.browser();
    browser.sign_in("alice").await;
    let page = browser.get("/oauth/links/other/connect").await;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("does not respond"), "{}", page.body);
}

#[tokio::test]
async fn another_side_that_is_down_is_said_to_be_and_the_token_stays() {
    let left = Linked::with_peer(App::absent().address, "").await;
    left.has_connected("other", "alice", "a-token").await;
    let got = outcome(&left).await;
    assert_eq!(
        (got.0, got.1.as_str(), got.3),
        (502, "unreachable", true),
        "{}",
        got.2
    );
    let broken = Linked::with_peer(
        App::answering("nonsense\r\n\r\nconnection: close").await.address,
        "",
    )
    .await;
    broken.has_connected("other", "alice", "a-token").await;
    let got = outcome(&broken).await;
    assert_eq!((got.0, got.3), (502, true), "{}", got.2);
}

#[tokio::test]
async fn an_authorization_goes_on_when_the_remote_is_back() {
    let (left, right) = pair(&Database::sqlite(), &Database::sqlite()).await;
    let mut browser = left.browser();
    browser.sign_in("alice").await;
    let there = browser.get("/oauth/links/other/connect").await;
    let back = right
        .answer(&path(location(&there), &right.base), "alice", "approve")
        .await;
    let callback = path(location(&back), &left.base);
    right.stop().await;
    let page = browser.get(&callback).await;
    assert_eq!(page.status, 503, "{page:?}");
    // It would be 410 if the pending authorization were lost.
    assert_eq!(browser.get(&callback).await.status, 503);
}

#[tokio::test]
async fn a_token_that_was_replaced_meanwhile_is_not_dropped() {
    let left = Linked::with_peer(App::start().await.address, "").await;
    left.has_connected("other", "alice", "a-token").await;
    let store = left.store().await;
    let old = Token::parse("an-older-token").unwrap();
    let done = store
        .forget_link_token("other", "alice", &old, "token_revoked", left.clock.now())
        .await;
    assert!(!done.unwrap());
    store.close().await;
    assert!(is_connected(&left).await);
}

#[tokio::test]
async fn a_malformed_request_token_response_connects_no_user() {
    for (rest, status) in [
        ("200 OK\r\ncontent-length: 13\r\n\r\n<html></html>", 502),
        (
            "200 OK\r\ncontent-length: 31\r\n\r\noauth_token=t&oauth_token_secret",
            502,
        ),
        (
            "200 OK\r\ncontent-length: 34\r\n\r\noauth_token=t&oauth_token_secret=s&",
            502,
        ),
        (
            "302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
            502,
        ),
        ("503 Busy\r\ncontent-length: 0\r\n\r\n", 503),
        ("200 OK\r\ncontent-length: 1000000\r\n\r\n", 503),
        // Some providers report a problem in the body alone.
        (
            "401 Unauthorized\r\ncontent-length: 41\r\n\r\noauth_problem=consumer_key_unknown&x=%zz\n",
            502,
        ),
    ] {
        let answer = &*format!("HTTP/1.1 {rest}").leak();
        let left = Linked::with_peer(
            App::answering(answer).await.address,
            "response_timeout = \"500ms\"\n",
        )
        .await;
        let mut browser = left.browser();
        browser.sign_in("alice").await;
        let page = browser.get("/oauth/links/other/connect").await;
        assert_eq!(page.status, status, "{answer}");
        let problem = "consumer_key_unknown";
        assert_eq!(page.body.contains(problem), rest.contains(problem), "{page:?}");
    }
}

#[tokio::test]
async fn while_a_key_is_rotated_either_one_will_do() {
    let (left, right) = (Planned::new("left"), Planned::new("right"));
    let old = std::fs::read_to_string(left.file("unused", "x").with_file_name("link.pem")).unwrap();
    left.file("link-old.pem", &old);
    let new = linkgate::oauth::PrivateKey::generate(2048, &mut crate::support::rng()).unwrap();
    left.file("link-new.pem", new.to_pem().expose());
    let link = format!(
        "[[links]]\nname = \"other\"\nurl = \"{0}\"\nitself = true\n\
         [[links]]\nname = \"streaming\"\nurl = \"{0}\"\nitself = true\n",
        right.base
    );
    let consumer = left.as_consumer();
    let applinks = "listen = \"127.0.0.1:0\"\nkey_files = [\"link-new.pem\", \"link-old.pem\"]";
    let _right = right.start(&Database::sqlite(), "", &consumer).await;
    let left = left.start(&Database::sqlite(), applinks, &link).await;
    for _ in 0..2 {
        let answer = left.ask("/other/api/x", None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    // A body that streams is gone when the first key is refused: the next call has the other one.
    for (status, code) in [(502, Some("refused")), (200, None)] {
        let streamed = Linked::asks("/streaming/api/x", None)
            .header("Content-Type", "a/b")
            .body("body")
            .posted();
        let answer = streamed.send(left.calls).await;
        let found = (answer.status, answer.header("x-linkgate-error"));
        assert_eq!(found, (status, code), "{answer:?}");
    }
}

#[tokio::test]
async fn an_unknown_link_and_an_unknown_authorization_are_told() {
    let left = Linked::with_peer(App::start().await.address, "").await;
    let mut browser = left.browser();
    assert_eq!(browser.get("/oauth/links/nowhere/connect").await.status, 404);
    let anonymous = browser
        .get("/oauth/links/other/connect?return_to=https%3A%2F%2Fevil.example")
        .await;
    assert_eq!(
        location(&anonymous),
        "/oauth/login?return_to=%2Foauth%2Flinks%2Fother%2Fconnect"
    );
    browser.sign_in("alice").await;
    for query in [
        "",
        "?oauth_token=x",
        "?oauth_token=x&oauth_verifier=y",
        "?oauth_token=x&oauth_token=y",
    ] {
        let page = browser.get(&format!("/oauth/links/other/callback{query}")).await;
        assert_eq!(page.status, 410, "{query}");
    }
}

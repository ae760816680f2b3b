//! A user who signed in long ago signs in again before approving.

use crate::login::site::Site;
use crate::support::{Form, assert_notice, question};
use linkgate::model::RequestTokenState;

const SHORT: &str = r#"
[login]
method = "file"
session_idle = "2h"
session_lifetime = "5h"
recheck_after = "1h"

[login.file]
path = "users.toml"
"#;

#[tokio::test]
async fn an_old_proof_approves_nothing() {
    let site = Site::with("https://builds.example.com", "", SHORT).await;
    let mut alice = site.signed_in("alice").await;
    let before = alice.cookies["__Host-linkgate-session"].clone();
    site.clock.advance(3_100);
    let token = site.question().await;
    let form = alice.approval(&token).await.pressing("approve");

    site.clock.advance(500);
    let answer = alice.submit(&form).await;
    let anew = answer.header("location").unwrap().to_owned();
    assert!(anew.ends_with("&fresh=1"), "{answer:?}");
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);
    let answer = alice.get(&question(&token)).await;
    assert_eq!(answer.header("location"), Some(anew.as_str()), "nor is it asked");

    let page = alice.get(&anew).await;
    assert!(page.body.contains("sign in again before you answer"), "{page:?}");
    let sign_in = Form::at(&page, "/oauth/login").with("username", "alice");
    let answer = alice.submit(&sign_in.with("password", "alice-password")).await;
    assert_eq!(answer.header("location"), Some(question(&token).as_str()));
    assert_ne!(alice.cookies["__Host-linkgate-session"], before, "a new session");
    let notice = alice.submit(&form).await;
    assert_notice(&notice, 403, "This page is out of date");
    assert_eq!(alice.press("approve", &token).await.status, 303);
    assert!(matches!(
        site.state(&token).await,
        RequestTokenState::Authorized { .. }
    ));
}

#[tokio::test]
async fn no_needs_no_new_proof() {
    let site = Site::with("https://builds.example.com", "", SHORT).await;
    let mut alice = site.signed_in("alice").await;
    site.clock.advance(3_500);
    let token = site.question().await;
    let form = alice.approval(&token).await.pressing("deny");
    site.clock.advance(200);
    assert_eq!(alice.submit(&form).await.status, 303);
    assert_eq!(site.state(&token).await, RequestTokenState::Denied);
}

#[tokio::test]
async fn the_limits_of_a_session_are_the_configured_ones() {
    let site = Site::with("https://builds.example.com", "", SHORT).await;
    let mut alice = site.signed_in("alice").await;
    for _ in 0..2 {
        site.clock.advance(7_199);
        assert!(alice.get("/oauth/login").await.body.contains("You are signed in"));
    }
    site.clock.advance(3_602);
    assert!(
        alice.get("/oauth/login").await.body.contains("type=\"password\""),
        "five hours"
    );
    let mut alice = site.signed_in("alice").await;
    site.clock.advance(7_200);
    assert!(
        alice.get("/oauth/login").await.body.contains("type=\"password\""),
        "two hours"
    );
}

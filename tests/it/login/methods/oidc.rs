//! An identity provider is asked; here it is one that a test has in its hands.

use std::collections::HashMap;

use jsonwebtoken::Algorithm;
use linkgate::model::RequestTokenState;
use linkgate::oauth::Token;
use serde_json::json;

use crate::login::site::Site;
use crate::support::{AUTHORIZE, Browser, Form, Response, assert_notice, question, reserved};

use super::issuer::{Issuer, Kept};

const NOW: i64 = 1_800_000_000;

async fn site(issuer: &str, more: &str) -> Site {
    let login = format!(
        r#"
[login]
method = "oidc"

[login.oidc]
issuer = "{issuer}"
client_id = "linkgate"
client_secret = "the-client-secret"
timeout = "2s"
{more}
"#
    );
    Site::with("https://builds.example.com", "", &login).await
}

/// Goes where a page leads, to the provider; returns the query that it brings there.
async fn away(browser: &mut Browser, page: &str, issuer: &Issuer) -> HashMap<String, String> {
    let answer = browser.follow(page).await;
    let location = answer.header("location").unwrap_or_else(|| panic!("{answer:?}"));
    let query = location
        .strip_prefix(&format!("{}/authorize?", issuer.url))
        .unwrap_or_else(|| panic!("{location}"));
    let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    issuer.kept().nonce.clone_from(&query["nonce"]);
    issuer.kept().challenge.clone_from(&query["code_challenge"]);
    query
}

fn back(state: &str) -> String {
    format!("/oauth/login/oidc?code=good&state={state}")
}

/// A browser that was sent to the provider, and with which query.
async fn begun() -> (Issuer, Site, Token, Browser, HashMap<String, String>) {
    let issuer = Issuer::start(NOW).await;
    let site = site(&issuer.url, "").await;
    let (token, mut browser) = (site.question().await, site.browser());
    let query = away(&mut browser, &question(&token), &issuer).await;
    (issuer, site, token, browser, query)
}

async fn signs_in(issuer: &Issuer, site: &Site) -> Response {
    let token = site.question().await;
    let mut browser = site.browser();
    let query = away(&mut browser, &question(&token), issuer).await;
    browser.get(&back(&query["state"])).await
}

#[tokio::test]
async fn the_provider_signs_a_user_in() {
    let (issuer, site, token, mut browser, query) = begun().await;
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["client_id"], "linkgate");
    assert_eq!(query["scope"], "openid profile");
    let found = &query["redirect_uri"];
    assert_eq!(found, "https://builds.example.com/oauth/login/oidc");
    assert!(!query.contains_key("prompt"));
    assert!(query.values().all(|value| !value.contains(token.as_str())));

    let answer = browser.get(&back(&query["state"])).await;
    assert_eq!(answer.header("location"), Some(question(&token).as_str()));
    let page = browser.get(&question(&token)).await;
    assert!(page.body.contains("as <bdi>Alice Example</bdi>?"), "{page:?}");
    assert_eq!(browser.press("approve", &token).await.status, 303);
    let state = site.state(&token).await;
    assert!(
        matches!(&state, RequestTokenState::Authorized { by } if (&*by.subject, &*by.proved_by) == ("alice", "oidc")),
        "{state:?}"
    );
    // Another login flow has other secrets.
    let again = away(
        &mut site.browser(),
        &question(site.question().await.as_str()),
        &issuer,
    )
    .await;
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(query[name], again[name], "{name}");
    }
    assert_eq!(issuer.times("discovery"), 1, "what it publishes is kept");
}

#[tokio::test]
async fn claims_come_from_the_token_when_they_are_there() {
    let issuer = Issuer::start(NOW).await;
    let site = site(
        &issuer.url,
        "user_claim = \"https://example.com/login\"\ndisplay_claim = \"nick\"",
    )
    .await;
    issuer.kept().claims = json!({"https://example.com/login": "al", "nick": "Al"});
    assert_eq!(signs_in(&issuer, &site).await.status, 303);
    assert_eq!(issuer.times("userinfo"), 0);
    let kept = "select * from sessions where subject = 'al' and display_name = 'Al'";
    assert_eq!(site.sql(kept).await, 1);
}

#[tokio::test]
async fn a_wrong_id_token_signs_no_user_in() {
    type Lie = fn(&mut Kept);
    let lies: [(&str, Lie); 11] = [
        ("another nonce", |kept| kept.claims = json!({"nonce": "another"})),
        ("no nonce", |kept| kept.claims = json!({"nonce": null})),
        ("another audience", |kept| {
            kept.claims = json!({"aud": "somebody-else"});
        }),
        ("a second audience", |kept| {
            kept.claims = json!({"aud": ["linkgate", "somebody-else"]});
        }),
        ("another issuer", |kept| {
            kept.claims = json!({"iss": "https://evil.example"});
        }),
        ("expired", |kept| kept.claims = json!({"exp": NOW - 1})),
        ("signed with our secret", |kept| kept.algorithm = Algorithm::HS256),
        ("another key", |kept| kept.signs_with = "two"),
        ("userinfo of somebody else", |kept| {
            kept.user_info = json!({"sub": "18", "preferred_username": "bob"});
        }),
        ("no name anywhere", |kept| kept.user_info = json!({"sub": "17"})),
        ("a name that is none", |kept| {
            kept.user_info = json!({"sub": "17", "preferred_username": "a\u{0}b"});
        }),
    ];
    for (what, lie) in lies {
        let issuer = Issuer::start(NOW).await;
        let site = site(&issuer.url, "").await;
        lie(&mut issuer.kept());
        let answer = signs_in(&issuer, &site).await;
        assert_eq!(answer.status, 403, "{what}: {answer:?}");
        assert_notice(&answer, 403, "Invalid sign-in response");
        assert_eq!(site.sql("select * from sessions").await, 0, "{what}");
        assert_eq!(site.sql("select * from finished_trips").await, 0, "{what}");
    }
}

#[tokio::test]
async fn a_wrong_answer_has_a_page_and_no_effect() {
    let (issuer, site, token, mut browser, query) = begun().await;
    let state = &query["state"];
    let refused = "You were not signed in";
    let unbelieved = "Invalid sign-in response";
    let callback = |query: &str| format!("/oauth/login/oidc?{query}&state={state}");
    for (target, title) in [
        (callback("error=access_denied"), refused),
        (callback("error=%0D%0AX-Evil:1"), refused),
        (format!("/oauth/login/oidc?state={state}"), unbelieved),
        (callback("code=wrong"), unbelieved),
        (callback("code=good&code=good"), unbelieved),
        (back(state) + "&iss=https%3A%2F%2Fevil.example", unbelieved),
        ("/oauth/login/oidc?code=good".to_owned(), unbelieved),
        ("/oauth/login/oidc".to_owned(), unbelieved),
        (back(&"x".repeat(32)), "This sign-in cannot be completed"),
        (back(""), "This sign-in cannot be completed"),
    ] {
        let answer = browser.get(&target).await;
        assert_notice(&answer, 403, title);
        assert!(answer.header("x-evil").is_none());
    }
    let answer = site.browser().get(&back(state)).await;
    assert_notice(&answer, 403, "This sign-in cannot be completed");
    assert_eq!(issuer.times("token"), 1, "only the wrong code was tried");
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);

    // The right answer, once, in time; then once more.
    let good = back(state);
    assert_eq!(browser.get(&good).await.status, 303);
    let answer = browser.get(&good).await;
    assert_notice(&answer, 409, "This sign-in is already complete");
    let late = away(&mut site.browser(), &question(&token), &issuer).await;
    assert_ne!(late["state"], *state);
}

#[tokio::test]
async fn a_late_answer_is_told_so() {
    let (issuer, site, _, mut browser, query) = begun().await;
    site.clock.advance(601);
    let answer = browser.get(&back(&query["state"])).await;
    assert_notice(&answer, 410, "This sign-in took too long");
    assert_eq!(issuer.times("token"), 0);
}

#[tokio::test]
async fn the_same_code_twice_makes_one_session() {
    let (_issuer, site, _, browser, query) = begun().await;
    let good = back(&query["state"]);
    let (mut one, mut two) = (browser.clone(), browser.clone());
    let (one, two) = tokio::join!(one.get(&good), two.get(&good));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 403], "{one:?} {two:?}");
    assert_eq!(site.sql("select * from sessions").await, 1);
}

#[tokio::test]
async fn a_new_key_is_asked_for_and_not_without_end() {
    let issuer = Issuer::start(NOW).await;
    let site = site(&issuer.url, "").await;
    assert_eq!(signs_in(&issuer, &site).await.status, 303);
    assert_eq!(issuer.times("jwks"), 1);
    site.clock.advance(60);
    {
        let mut kept = issuer.kept();
        (kept.signs_with, kept.publishes) = ("two", "two");
        kept.code_again();
        kept.claims = json!({"exp": NOW + 300, "iat": NOW});
    }
    assert_eq!(signs_in(&issuer, &site).await.status, 303);
    assert_eq!(issuer.times("jwks"), 2);
    for _ in 0..3 {
        {
            let mut kept = issuer.kept();
            kept.signs_with = "three";
            kept.code_again();
        }
        assert_notice(&signs_in(&issuer, &site).await, 403, "Invalid sign-in response");
    }
    assert_eq!(issuer.times("jwks"), 2, "it was asked a moment ago");
}

#[tokio::test]
async fn linkgate_serves_while_the_provider_is_down() {
    let site = site(&format!("http://{}", reserved()), "").await;
    let token = site.question().await;
    let mut browser = site.browser();
    let answer = browser.follow(&question(&token)).await;
    assert_notice(&answer, 503, "Sign-in is temporarily unavailable");
    assert!(answer.header("retry-after").is_some());
    let answer = site.browser().get("/oauth/assets/nothing").await;
    assert_eq!(answer.status, 404, "it serves: {answer:?}");
}

#[tokio::test]
async fn another_account_and_an_old_proof_ask_the_provider_anew() {
    let (issuer, _site, token, mut browser, query) = begun().await;
    browser.get(&back(&query["state"])).await;
    let page = browser.get(&question(&token)).await;
    Form::at(&page, AUTHORIZE);
    let answer = browser.submit(&Form::at(&page, "/oauth/logout")).await;
    let location = answer.header("location").unwrap().to_owned();
    let page = browser.get(&location).await;
    assert!(
        page.body.contains("<h1>Sign in to continue</h1>"),
        "a form leads nowhere else"
    );
    let query = away(&mut browser, &location.replace("&pause=1", ""), &issuer).await;
    assert_eq!(query["prompt"], "login");
    // A provider that does not ask anew, and says so.
    issuer.kept().claims = json!({"auth_time": NOW - 11});
    let notice = browser.get(&back(&query["state"])).await;
    assert_notice(&notice, 403, "Invalid sign-in response");
    issuer.kept().code_again();
    issuer.kept().claims = json!({"auth_time": NOW});
    assert_eq!(browser.get(&back(&query["state"])).await.status, 303);
}

#[tokio::test]
async fn codes_cannot_be_guessed_without_end() {
    let (issuer, _site, _, mut browser, query) = begun().await;
    let wrong = format!("/oauth/login/oidc?code=wrong&state={}", query["state"]);
    for _ in 0..30 {
        assert_eq!(browser.get(&wrong).await.status, 403);
    }
    assert_notice(&browser.get(&wrong).await, 429, "Too many attempts");
    assert_eq!(issuer.times("token"), 30);
}

//! Sessions: how they begin, how long they last, and how they end.

use super::site::{Site, USERS};
use crate::support::{Browser, Form, Request, Text as _, assert_notice, question};

#[tokio::test]
async fn signing_in_makes_a_new_session_and_ends_the_one_before() {
    let (site, token, mut alice) = Site::asked().await;
    let fixed = alice.clone();

    // An id that was planted in the browser is replaced when a user signs in.
    let mut victim = site.browser();
    victim.cookies.clone_from(&fixed.cookies);
    victim
        .cookies
        .insert("linkgate-session".to_owned(), "x".repeat(32));
    victim.log_in("/", "bob", "bob-password").await;
    assert_ne!(victim.cookies["linkgate-session"], "x".repeat(32));

    let page = site.browser().get("/oauth/login").await;
    let form = Form::login(&page, "bob");
    let browser = page
        .headers
        .iter()
        .find(|(name, _)| name == "set-cookie")
        .unwrap()
        .1
        .clone();
    let (name, value) = browser.split(';').next().unwrap().split_once('=').unwrap();
    alice.cookies.insert(name.to_owned(), value.to_owned());
    assert_eq!(alice.submit(&form).await.status, 303);
    let found = &alice.cookies["linkgate-session"];
    assert_ne!(found, &fixed.cookies["linkgate-session"]);
    alice.get(&question(&token)).await.body.has("Bob Example");
    let answer = fixed.clone().get(&question(&token)).await;
    assert_eq!(answer.status, 303, "the session before is over: {answer:?}");
}

#[tokio::test]
async fn a_session_ends_after_twelve_idle_hours_and_after_seven_days() {
    let site = Site::start().await;
    let mut alice = site.signed_in("alice").await;
    let is_in = async |browser: &mut Browser| {
        browser
            .get("/oauth/login")
            .await
            .body
            .contains("You are signed in as <bdi>Alice Example</bdi>")
    };
    for _ in 0..13 {
        site.clock.advance(12 * 3600 - 1);
        assert!(is_in(&mut alice).await);
    }
    site.clock.advance(12 * 3600 - 1);
    assert!(is_in(&mut alice).await, "fourteen seconds are left");
    site.clock.advance(14);
    assert!(!is_in(&mut alice).await, "seven days are over");

    let mut alice = site.signed_in("alice").await;
    site.clock.advance(12 * 3600);
    assert!(!is_in(&mut alice).await, "twelve hours without a visit");
}

#[tokio::test]
async fn a_session_ends_with_its_user() {
    let (site, token, mut alice) = Site::asked().await;
    let form = alice.approval(&token).await.pressing("approve");
    site.users(&USERS.replace("\"alice\"", "\"carol\"")).await;
    let answer = alice.submit(&form).await;
    answer.header("location").unwrap().begins("/oauth/login?");
    assert_eq!(site.sql("select * from sessions").await, 0);
}

#[tokio::test]
async fn a_session_of_another_login_method_ends() {
    let site = Site::start().await;
    let mut alice = site.signed_in("alice").await;
    site.sql("update sessions set proved_by = 'oidc'").await;
    let answer = alice.get("/oauth/connections").await;
    answer.header("location").unwrap().begins("/oauth/login?");
    assert_eq!(site.sql("select * from sessions").await, 0);
}

#[tokio::test]
async fn a_session_shows_the_name_of_today_and_is_written_once_a_minute() {
    let (site, token, mut alice) = Site::asked().await;
    let page = question(&token);
    for (name, initial) in [("*** \u{e9}lan", "\u{c9}"), ("***", "?")] {
        site.users(&USERS.replace("Alice Example", name)).await;
        let shown = alice.get(&page).await;
        shown.has(format!("as <bdi>{name}</bdi>?"));
        shown.has(format!("aria-hidden=\"true\">{initial}</span>"));
    }
    let unchanged = "select * from sessions where seen_at = created_at";
    site.clock.advance(59);
    alice.get(&page).await;
    assert_eq!(site.sql(unchanged).await, 1);
    site.clock.advance(1);
    alice.get(&page).await;
    assert_eq!(site.sql(unchanged).await, 0);
}

#[tokio::test]
async fn signing_out_ends_the_session_in_the_store_too() {
    let site = Site::start().await;
    let mut alice = site.signed_in("alice").await;
    let copy = alice.clone();
    let page = alice.get("/oauth/login").await;
    let form = Form::at(&page, "/oauth/logout");

    let refused = alice
        .send(form.request().header("Sec-Fetch-Site", "cross-site"))
        .await;
    assert_notice(&refused, 403, "Form blocked: sent from another site");
    let refused = alice.submit(&form.clone().with("form_token", "AAAA")).await;
    assert_notice(&refused, 403, "This page is out of date");
    assert_eq!(alice.get("/oauth/logout").await.header("allow"), Some("POST"));

    let answer = alice.submit(&form).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("<h1>You are signed out</h1>"), "{answer:?}");
    assert!(alice.cookies.is_empty());
    copy.clone()
        .get("/oauth/login")
        .await
        .body
        .has("type=\"password\"");
    assert_eq!(site.sql("select * from audit where kind = 'signed-in'").await, 1);
    assert_eq!(site.sql("select * from audit where kind = 'signed-out'").await, 1);
}

#[tokio::test]
async fn another_account_comes_back_to_the_same_question() {
    let site = Site::start().await;
    let token = site.question().await;
    let mut browser = site.signed_in("alice").await;
    let page = browser.get(&question(&token)).await;
    let answer = browser.submit(&Form::at(&page, "/oauth/logout")).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let login = answer.header("location").unwrap().to_owned();
    let page = browser.get(&login).await;
    page.has("<bdi>Bitbucket</bdi> asks to use <bdi>Buildboard</bdi> as you.");
    let form = Form::login(&page, "bob");
    let answer = browser.submit(&form).await;
    assert_eq!(answer.header("location"), Some(question(&token).as_str()));
    browser
        .get(&question(&token))
        .await
        .body
        .has("as <bdi>Bob Example</bdi>?");
}

#[tokio::test]
async fn behind_a_path_every_address_carries_it() {
    let site = Site::start_at("http://127.0.0.1:9080/builds").await;
    let token = site.question().await;
    let mut alice = site.browser();
    let answer = alice.get(&question(&token)).await;
    let login = answer
        .header("location")
        .unwrap()
        .strip_prefix("/builds")
        .unwrap()
        .to_owned();
    let page = alice.get(&login).await;
    page.has("href=\"/builds/oauth/assets/style-");
    let form = Form::login(&page, "alice");
    assert_eq!(form.action, "/builds/oauth/login");
    let answer = alice.submit(&form.sent_to("/oauth/login")).await;
    let there = format!("/builds{}", question(&token));
    assert_eq!(answer.header("location"), Some(there.as_str()));
    let page = alice.get(&question(&token)).await;
    Form::at(&page, "/builds/oauth/authorize");
    let form = Form::at(&page, "/builds/oauth/logout").sent_to("/oauth/logout");
    let answer = alice.submit(&form).await;
    let found = answer.header("location");
    assert_eq!(found, Some(format!("/builds{login}").as_str()));
}

#[tokio::test]
async fn own_pages_over_https_ask_for_https() {
    const FILE: &str = "[login]\nmethod = \"file\"\n\n[login.file]\npath = \"users.toml\"\n";
    for (url, setting, expected) in [
        ("https://builds.example.com", "", Some("max-age=31536000")),
        (
            "https://builds.example.com",
            "hsts = \"1h\"",
            Some("max-age=3600"),
        ),
        ("https://builds.example.com", "hsts = \"0s\"", None),
        ("http://builds.example.com", "", None),
    ] {
        let site = Site::with(url, setting, FILE).await;
        for page in "/oauth/login /oauth/connections /oauth/authorize /oauth/request-token".split(' ') {
            let answer = site.browser().get(page).await;
            let sent = answer.header("strict-transport-security");
            assert_eq!(sent, expected, "{url} {setting} {page}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn over_http_behind_a_trusted_proxy_no_page_asks_for_https() {
    const FILE: &str = "[login]\nmethod = \"file\"\n\n[login.file]\npath = \"users.toml\"\n";
    let site = Site::with(
        "https://builds.example.com",
        "trusted_proxies = [\"127.0.0.1\"]",
        FILE,
    )
    .await;
    for (proto, expected) in [("http", None), ("https", Some("max-age=31536000"))] {
        let request = Request::get("/oauth/login").header("X-Forwarded-Proto", proto);
        let answer = site.browser().send(request).await;
        assert_eq!(answer.header("strict-transport-security"), expected, "{answer:?}");
    }
}

//! The application's own session is the login.

use crate::login::site::Site;
use crate::support::{AUTHORIZE, Browser, Form, Request, Text as _, assert_notice, encode, question};
use http::{HeaderMap, HeaderValue};
use linkgate::login::Probe;
use linkgate::model::RequestTokenState;
use linkgate::oauth::{Timestamp, Token};

use super::whoami::{JSON, WhoAmI};

/// An application, linkgate in front of it, and a request token to approve.
async fn started() -> (WhoAmI, Site, Token) {
    let app = WhoAmI::start().await;
    let site = app.site().await;
    let token = site.question().await;
    (app, site, token)
}

/// A browser that is signed in to the application, and at linkgate's question.
async fn asked(site: &Site, user: &str, token: &str) -> (Browser, Form) {
    let mut browser = site.browser();
    browser.cookies.insert("session".to_owned(), user.to_owned());
    let page = browser.follow(&question(token)).await;
    assert_eq!(page.status, 200, "{page:?}");
    let form = Form::at(&page, AUTHORIZE);
    (browser, form)
}

#[tokio::test]
async fn a_user_of_the_application_is_signed_in() {
    let (_app, site, token) = started().await;
    let (mut alice, form) = asked(&site, "alice", token.as_str()).await;
    assert_eq!(form.value("subject"), "alice");
    let page = alice.get(&question(&token)).await;
    page.has("as <bdi>alice of the application</bdi>?");
    page.has("signed in through <bdi>Buildboard</bdi>");
    let answer = alice.submit(&form.pressing("approve")).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let state = site.state(&token).await;
    assert!(
        matches!(&state, RequestTokenState::Authorized { by } if by.subject == "alice" && by.proved_by == "probe"),
        "{state:?}"
    );
    assert_eq!(site.sql("select * from audit where kind = 'signed-in'").await, 1);
}

#[tokio::test]
async fn the_application_sees_its_own_cookies_and_nothing_else() {
    let (app, site, token) = started().await;
    let (mut alice, _) = asked(&site, "alice", token.as_str()).await;
    alice.cookies.insert("other".to_owned(), "secret".to_owned());
    let request = Request::get(question(&token))
        .header("Authorization", "Basic c2VjcmV0")
        .header("X-Forwarded-For", "192.0.2.1");
    assert_eq!(alice.send(request).await.status, 200);
    for asked in app.asked() {
        let mut names: Vec<_> = asked.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        assert_eq!(names, ["accept", "cookie", "host", "user-agent"]);
        assert_eq!(asked["cookie"], "session=alice");
        assert_eq!(asked["host"], app.address.to_string());
    }
    let before = app.asked().len();
    site.browser().get(&question(&token)).await;
    site.browser().get("/oauth/login").await;
    let found = app.asked().len();
    assert_eq!(found, before, "a browser without its cookies costs nothing");
}

#[tokio::test]
async fn a_browser_without_a_session_signs_in_there_and_comes_back_once() {
    let (app, site, token) = started().await;
    let mut browser = site.browser();
    let login = browser.get(&question(&token)).await;
    let login = login.header("location").unwrap().to_owned();
    let answer = browser.get(&login).await;
    let back = format!("/oauth/login?return_to={}&back=1", encode(question(&token)));
    let elsewhere = answer.header("location").unwrap();
    let there = elsewhere
        .strip_prefix("https://builds.example.com/login?next=")
        .unwrap();
    assert!(!there.contains(['&', '/', '?', '=']), "one value: {there}");
    assert_eq!(decode(there), format!("https://builds.example.com{back}"));
    assert_eq!(site.sql("select * from sessions").await, 0);

    let mut anonymous = browser.clone();
    for body in [r#"{"name":"anonymous","anonymous":true}"#, r#"{"name":null}"#] {
        app.says(200, JSON, body);
        anonymous.cookies.insert("session".to_owned(), "stale".to_owned());
        let page = anonymous.get(&back).await;
        assert_notice(&page, 403, "You are not signed in to Buildboard");
        assert!(page.body.contains("href=\"/oauth/login?return_to="), "{page:?}");
    }
    app.says(401, "text/html", "<h1>Who?</h1>");
    let notice = anonymous.get(&back).await;
    assert_notice(&notice, 403, "You are not signed in to Buildboard");

    app.says_who();
    browser.cookies.insert("session".to_owned(), "alice".to_owned());
    let page = browser.follow(&back).await;
    assert_eq!(Form::at(&page, AUTHORIZE).value("subject"), "alice");
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookie_is_told_and_not_sent_in_circles() {
    let (_app, site, token) = started().await;
    let mut target = question(&token);
    for _ in 0..5 {
        let request = Request::get(target.clone()).header("Cookie", "session=alice");
        let answer = request.send(site.address()).await;
        if let Some(location) = answer.header("location") {
            location.clone_into(&mut target);
            continue;
        }
        assert_notice(&answer, 403, "Your browser sent no cookie");
        assert_eq!(site.sql("select * from sessions").await, 0);
        return;
    }
    panic!("in circles, at {target}");
}

#[tokio::test]
async fn a_wrong_probe_response_approves_nothing() {
    let (app, site, token) = started().await;
    let (mut alice, form) = asked(&site, "alice", token.as_str()).await;
    let form = form.pressing("approve");
    for (status, kind, body) in [
        (500, JSON, r#"{"name":"alice"}"#),
        (302, JSON, r#"{"name":"alice"}"#),
        (404, JSON, r#"{"name":"alice"}"#),
        (200, "text/html", "<html>alice</html>"),
        (200, JSON, "alice"),
        (200, JSON, r#"{"name":["alice"]}"#),
        (200, JSON, r#"{"name":"ali\nce"}"#),
        (0, JSON, r#"{"name":"alice"}"#),
    ] {
        app.says(status, kind, body);
        for answer in [
            alice.submit(&form).await,
            alice.get(&question(&token)).await,
            alice.get("/oauth/login").await,
        ] {
            assert_notice(&answer, 503, "Sign-in is temporarily unavailable");
            assert!(answer.header("retry-after").is_some());
        }
        assert_eq!(site.state(&token).await, RequestTokenState::Pending);
    }
    app.says_who();
    let answer = alice.submit(&form).await;
    assert_eq!(answer.status, 303, "{answer:?}");
}

#[tokio::test]
async fn another_user_on_the_answer_approves_nothing() {
    let (app, site, token) = started().await;
    let (mut browser, form) = asked(&site, "alice", token.as_str()).await;
    let form = form.pressing("approve");
    browser.cookies.insert("session".to_owned(), "bob".to_owned());
    let answer = browser.submit(&form).await;
    assert_notice(&answer, 409, "You are now signed in as bob of the application");
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);

    // Signed out there is signed out here, at once.
    app.says(401, JSON, "{}");
    let answer = browser.submit(&form).await;
    let location = answer.header("location").unwrap().to_owned();
    assert!(
        location.ends_with("&pause=1"),
        "no form leads to another site: {location}"
    );
    let page = browser.get(&location).await;
    assert!(page.body.contains("<h1>Sign in to continue</h1>"), "{page:?}");
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);

    // The question is put to the new user, in a session of their own.
    app.says_who();
    let alices = browser.cookies["__Host-linkgate-session"].clone();
    let page = browser.follow(&question(&token)).await;
    assert_eq!(Form::at(&page, AUTHORIZE).value("subject"), "bob");
    assert_ne!(browser.cookies["__Host-linkgate-session"], alices);
    let found = site.sql("select * from sessions where subject = 'alice'").await;
    assert_eq!(found, 0);
    let notice = browser.submit(&form).await;
    assert_notice(&notice, 409, "You are now signed in as bob of the application");
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_taken_over() {
    let (_app, site, token) = started().await;
    let (mallory, _) = asked(&site, "mallory", token.as_str()).await;
    let mut victim = site.browser();
    victim.cookies = mallory.cookies.clone();
    victim.cookies.insert("session".to_owned(), "alice".to_owned());
    let page = victim.follow(&question(&token)).await;
    assert_eq!(Form::at(&page, AUTHORIZE).value("subject"), "alice");
    let found = &victim.cookies["__Host-linkgate-session"];
    assert_ne!(found, &mallory.cookies["__Host-linkgate-session"]);
}

#[tokio::test]
async fn another_account_is_the_applications_to_give() {
    let (_app, site, token) = started().await;
    let (mut alice, _) = asked(&site, "alice", token.as_str()).await;
    let page = alice.get(&question(&token)).await;
    let page = alice.submit(&Form::at(&page, "/oauth/logout")).await;
    assert_eq!(page.status, 200, "{page:?}");
    page.has("To use another account, sign out of <bdi>Buildboard</bdi>");
    page.has("href=\"https://builds.example.com/logout\">Sign out of <bdi>Buildboard</bdi></a>");
    assert!(page.body.contains("href=\"/oauth/login?return_to="), "{page:?}");
    assert!(page.set_cookies()[0].starts_with("__Host-linkgate-session=; "));
    assert_eq!(site.sql("select * from sessions").await, 0);
}

#[tokio::test]
async fn no_password_is_taken_where_there_are_none() {
    let app = WhoAmI::start().await;
    let site = app.site().await;
    let form = Request::post("/oauth/login").form("username=alice&password=alice-password&form_token=");
    let answer = site
        .browser()
        .send(form.header("Sec-Fetch-Site", "same-origin"))
        .await;
    assert_notice(&answer, 405, "This page cannot be used that way");
    for way in [
        "/oauth/login/oidc?state=x&code=y",
        "/oauth/login/handoff?lg_answer=x&lg_sig=y",
    ] {
        let answer = site.browser().get(way).await;
        assert_notice(&answer, 403, "This sign-in cannot be completed");
    }
}

/// A probe of the application, beside a running linkgate.
fn probe(app: &WhoAmI) -> Probe {
    let config = format!(
        r#"
        url = "http://{}/api/me"
        cookies = ["session", "remember", "JSESSIONID.*"]
        user_pointer = "/name"
        display_pointer = "/full/name"
        reject = [{{ pointer = "/anonymous", equals = true }}]
        login_url = "https://app.example/login?next={{return_to}}"
        "#,
        app.address
    );
    Probe::new(toml::from_str(&config).unwrap()).unwrap()
}

/// Status, media type and body of a response, and what it is taken for.
const RESPONSES: &str = r#"
200 application/json; charset=utf-8 | {"name":"alice"} | "alice", shown as "alice"
200 application/json | {"name":"alice","full":{"name":"Alice E."},"anonymous":false} | "alice", shown as "Alice E."
200 application/json | {"name":"alice","full":{"name":7.5}} | "alice", shown as "alice"
200 application/hal+json | {"name":17} | "17", shown as "17"
200 application/json | {"name":""} | nobody: there is nothing at user_pointer
200 application/json | {"name":null} | nobody: there is nothing at user_pointer
200 application/json | {"name":false} | nobody: there is nothing at user_pointer
200 application/json | {} | nobody: there is nothing at user_pointer
200 application/json | [] | nobody: there is nothing at user_pointer
200 application/json | null | nobody: there is nothing at user_pointer
200 application/json | 7 | nobody: there is nothing at user_pointer
200 application/json | {"name":"anonymous","anonymous":true} | nobody: rejected because /anonymous is true
401 text/html | <h1>Who?</h1> | nobody: the status is 401 Unauthorized
403 text/html | <h1>Who?</h1> | nobody: the status is 403 Forbidden
200 application/json | {"name":"j%C3%B6rn","full":{"name":"J 100%"}} | "jörn", shown as "J 100%"
200 application/json | {"name":"jörn"} | "jörn", shown as "jörn"
200 application/json | {"name":"%61dmin"} | its name at /name has a % that is not part of percent-encoded UTF-8
500 application/json | {"name":"alice"} | the application answers 500
201 application/json | {"name":"alice"} | the application answers 201
404 application/json | {"name":"alice"} | the application answers 404
302 application/json | {"name":"alice"} | the application redirects (to "/login"): choose a URL that answers JSON
200 text/html | {"name":"alice"} | the application answers "text/html" where JSON belongs
200 application/json | <html> | where JSON belongs
200 application/json | {"name":{"a":1}} | the value at /name is no name
200 application/json | {"name":true} | the value at /name is no name
200 application/json | {"name":"a\u0000b"} | the value at /name is no name
"#;

#[tokio::test]
async fn only_a_name_in_json_is_a_user() {
    let app = WhoAmI::start().await;
    for line in RESPONSES.trim().lines() {
        let [head, body, expected] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let (status, kind) = head.split_once(' ').unwrap();
        app.says(status.parse().unwrap(), kind, body);
        let cookie = HeaderValue::from_static("session=alice");
        let checks = probe(&app).diagnose(Some(cookie)).await;
        assert!(checks[0].seen.contains(expected), "{line}: {checks:?}");
        // Without a cookie, only the responses of an anonymous session are as they should be.
        let found = checks[0].help.is_none();
        assert_eq!(found, expected.starts_with("nobody: "), "{checks:?}");
        if checks[0].help.is_none() {
            assert!(checks[1].help.is_some(), "{checks:?}");
        }
    }
}

#[tokio::test]
async fn only_the_configured_cookies_are_sent() {
    let app = WhoAmI::start().await;
    for (fields, sent) in [
        (
            &["a=1; session=alice; linkgate-session=x", "remember=r=r; b=2"][..],
            Some("session=alice; remember=r=r"),
        ),
        (&["a=1; Session=s; session", "xsession=1"], None),
        (
            &["session=alice; JSESSIONID.4a5b6c=j; JSESSIONID=k; jsessionid.1=l; sessionx=m"],
            Some("session=alice; JSESSIONID.4a5b6c=j"),
        ),
        (&[], None),
    ] {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append("cookie", HeaderValue::from_static(field));
        }
        let before = app.asked().len();
        let user = probe(&app)
            .identify(&headers, Timestamp::from_seconds(7))
            .await
            .unwrap();
        assert_eq!(user.is_some(), sent.is_some(), "{fields:?}");
        let cookies: Vec<_> = app.asked()[before..]
            .iter()
            .map(|headers| headers["cookie"].clone())
            .collect();
        assert_eq!(cookies, sent.into_iter().collect::<Vec<_>>(), "{fields:?}");
    }
}

fn decode(text: &str) -> String {
    form_urlencoded::parse(format!("x={text}").as_bytes())
        .next()
        .unwrap()
        .1
        .into_owned()
}

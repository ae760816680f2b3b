//! Login method handoff: a signed redirect through the application.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use linkgate::login::handoff::Answer;
use linkgate::login::{Handoff, HttpUrl, LoginFlow};
use linkgate::model::RequestTokenState;
use linkgate::oauth::{Secret, Timestamp, Token};
use serde_json::Value;
use sha2::Sha256;

use crate::login::site::Site;
use crate::support::{AUTHORIZE, Browser, Form, Response, assert_notice, question};

const LOGIN: &str = r#"
[login]
method = "handoff"

[login.handoff]
login_url = "https://builds.example.com/linkgate-login?theme=dark"
secret = "what-both-sides-know"
"#;

async fn site() -> Site {
    Site::with("https://builds.example.com", "", LOGIN).await
}

/// What the application was asked.
async fn asked(browser: &mut Browser, page: &str) -> Value {
    let mut target = page.to_owned();
    for _ in 0..3 {
        let answer = browser.get(&target).await;
        let location = answer.header("location").unwrap_or_else(|| panic!("{answer:?}"));
        if let Some(rest) =
            location.strip_prefix("https://builds.example.com/linkgate-login?theme=dark&lg_request=")
        {
            let (request, signature) = rest.split_once("&lg_sig=").unwrap();
            assert_eq!(signature.len(), 64);
            return serde_json::from_slice(&URL_SAFE_NO_PAD.decode(request).unwrap()).unwrap();
        }
        location.clone_into(&mut target);
    }
    panic!("nobody asks the application");
}

/// What the application says: the way back.
pub(crate) fn answer(site: &Site, jti: &Value, change: impl FnOnce(&mut Answer)) -> String {
    answer_with("what-both-sides-know", site, jti, change)
}

fn answer_with(secret: &str, site: &Site, jti: &Value, change: impl FnOnce(&mut Answer)) -> String {
    let now = site.clock.now().seconds();
    let mut answer = Answer {
        jti: jti.as_str().unwrap().to_owned(),
        sub: "alice".to_owned(),
        name: Some("Alice Example".to_owned()),
        iat: now,
        exp: now + 60,
        auth_time: None,
    };
    change(&mut answer);
    let (answer, signature) = Handoff {
        login_url: HttpUrl::parse("https://app.example/in").unwrap(),
        secret: Secret::new(secret),
    }
    .answer(&answer);
    format!("/oauth/login/handoff?lg_answer={answer}&lg_sig={signature}")
}

/// A browser that was sent to the application, and the identifier of the login flow.
async fn begun() -> (Site, Token, Browser, Value) {
    let site = site().await;
    let (token, mut browser) = (site.question().await, site.browser());
    let request = asked(&mut browser, &question(&token)).await;
    (site, token, browser, request["jti"].clone())
}

fn assert_signed_in(answer: &Response, token: &str) {
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(answer.header("location"), Some(question(token).as_str()));
}

#[tokio::test]
async fn the_application_signs_a_user_in() {
    let site = site().await;
    let token = site.question().await;
    let mut browser = site.browser();
    let request = asked(&mut browser, &question(&token)).await;
    let seen = &request["return_to"];
    assert_eq!(seen, "https://builds.example.com/oauth/login/handoff");
    let seen = request["exp"].as_i64();
    assert_eq!(seen, request["iat"].as_i64().map(|iat| iat + 600));
    assert_eq!(request["fresh"], false);
    let found = site.sql("select * from finished_trips").await;
    assert_eq!(found, 0, "nothing is written yet");

    let back = browser.get(&answer(&site, &request["jti"], |_| ())).await;
    assert_signed_in(&back, token.as_str());
    // A minute longer than it was good for, because the clocks of replicas differ.
    let kept = "select * from finished_trips where expires_at = 1800000660";
    assert_eq!(site.sql(kept).await, 1);
    let page = browser.get(&question(&token)).await;
    assert!(page.body.contains("as <bdi>Alice Example</bdi>?"), "{page:?}");
    assert_eq!(browser.press("approve", &token).await.status, 303);
    let state = site.state(&token).await;
    assert!(
        matches!(&state, RequestTokenState::Authorized { by } if by.proved_by == "handoff"),
        "{state:?}"
    );
}

#[tokio::test]
async fn each_attempt_has_a_cookie_for_an_hour() {
    let site = site().await;
    let started = site.browser().get("/oauth/login").await;
    let [cookie] = started.set_cookies()[..] else {
        panic!("one cookie: {started:?}");
    };
    let (name, value) = cookie.split_once('=').unwrap();
    let id = name.strip_prefix("__Host-linkgate-trip-").unwrap();
    assert!(id.len() == 8, "{id}");
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    let attributes = "; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=3600";
    assert!(value.ends_with(attributes), "{value}");
}

#[tokio::test]
async fn a_browser_has_five_pending_attempts_at_most() {
    let site = site().await;
    let mut browser = site.browser();
    let mut attempts = Vec::new();
    for _ in 0..23 {
        let token = site.question().await;
        let jti = asked(&mut browser, &question(&token)).await["jti"].clone();
        attempts.push((jti, token));
        assert!(browser.cookies.len() <= 5, "{:?}", browser.cookies.keys());
        site.clock.advance(1);
    }
    let (oldest, _) = &attempts[17];
    let page = browser.get(&answer(&site, oldest, |_| ())).await;
    assert_notice(&page, 403, "This sign-in cannot be completed");
    for (jti, token) in &attempts[18..] {
        let back = browser.get(&answer(&site, jti, |_| ())).await;
        assert_signed_in(&back, token.as_str());
    }
}

#[tokio::test]
async fn an_answer_counts_once_at_all_replicas() {
    let site = site().await;
    let other = site.replica().await;
    let token = site.question().await;
    let mut browser = site.browser();
    let request = asked(&mut browser, &question(&token)).await;
    let back = answer(&site, &request["jti"], |_| ());
    // The same cookies at the same time, at two replicas.
    let mut copies: Vec<_> = (0..6)
        .map(|at| {
            let address = if at % 2 == 0 {
                site.address()
            } else {
                other.public_address
            };
            let mut copy = Browser::new(address);
            copy.cookies = browser.cookies.clone();
            copy
        })
        .collect();
    let mut statuses = Vec::new();
    let all: Vec<_> = copies.iter_mut().map(|copy| copy.get(&back)).collect();
    for answer in futures_of(all).await {
        if answer.status != 303 {
            assert_notice(&answer, 409, "This sign-in is already complete");
        }
        statuses.push(answer.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409, 409, 409, 409, 409]);
    assert_eq!(site.sql("select * from sessions").await, 1);

    // The browser that is signed in by it went back and pressed the link again.
    let winner = copies
        .iter_mut()
        .find(|copy| copy.cookies.contains_key("__Host-linkgate-session"))
        .unwrap();
    assert_notice(&winner.get(&back).await, 409, "This sign-in is already complete");
}

/// Waits for all of them at once.
async fn futures_of<F: Future<Output = Response>>(all: Vec<F>) -> Vec<Response> {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<Response>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in all.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(response) = future.as_mut().poll(context)
            {
                *done = Some(response);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_wrong_answer_signs_no_user_in() {
    let (site, token, mut browser, jti) = begun().await;
    let unbelieved = "Invalid sign-in response";
    let good = answer(&site, &jti, |_| ());
    let changed = |change: fn(&mut Answer)| answer(&site, &jti, change);
    let early = changed(|it| (it.iat, it.exp) = (it.iat + 11, it.exp + 11));
    let late = changed(|it| (it.iat, it.exp) = (it.iat - 20, it.iat - 15));
    for (target, title) in [
        (answer_with("another-secret", &site, &jti, |_| ()), unbelieved),
        (good.replace("lg_sig=", "lg_sig=0"), unbelieved),
        (good.replace("lg_answer=", "lg_answer=A"), unbelieved),
        (good.split('&').next().unwrap().to_owned(), unbelieved),
        (format!("{good}&lg_sig=0"), unbelieved),
        (changed(|it| it.iat -= 71), unbelieved),
        (early, unbelieved),
        (late, unbelieved),
        (changed(|it| it.sub = String::new()), unbelieved),
        (changed(|it| it.sub = "a\u{0}b".to_owned()), unbelieved),
        (
            changed(|it| it.jti = "x".repeat(32)),
            "This sign-in cannot be completed",
        ),
    ] {
        assert_notice(&browser.get(&target).await, 403, title);
    }
    assert_eq!(site.sql("select * from sessions").await, 0);
    assert_eq!(site.sql("select * from finished_trips").await, 0);
    assert_signed_in(&browser.get(&good).await, token.as_str());
}

fn handoff(secret: &str) -> Handoff {
    Handoff {
        login_url: HttpUrl::parse("https://app.example/in").unwrap(),
        secret: Secret::new(secret),
    }
}

const JTI: &str = "tttttttttttttttttttttttttttttttt";

fn sample(iat: i64, exp: i64) -> Answer {
    Answer {
        jti: JTI.to_owned(),
        sub: "alice".to_owned(),
        name: None,
        iat: 1_800_000_000_i64.saturating_add(iat),
        exp: 1_800_000_000_i64.saturating_add(exp),
        auth_time: None,
    }
}

fn flow(id: &str) -> LoginFlow {
    LoginFlow {
        id: Token::parse(id).unwrap(),
        return_to: "https://builds.example.com/".to_owned(),
        force_login: false,
        nonce: Secret::new(""),
        verifier: Secret::new(""),
        at: Timestamp::from_seconds(1_800_000_000),
    }
}

#[test]
fn an_answer_is_good_for_a_minute_at_most() {
    let late = "made 71 s ago by the application's clock and is good for 3671 s";
    let cases = [(0, 60, ""), (-60, 0, ""), (-70, 3600, ""), (10, 70, "")];
    let rejected = [
        (-71, 3600, late),
        (-20, -15, "20 s ago"),
        (11, 71, "11 s in the future"),
    ];
    let extreme = [
        (-1_800_000_000, 0, "s ago"),
        (i64::MIN, i64::MAX, "s ago"),
        (i64::MAX, 0, "in the future"),
    ];
    for (iat, exp, why) in cases.into_iter().chain(rejected).chain(extreme) {
        let accepted = handoff("a").accept(
            sample(iat, exp),
            &flow(JTI),
            Timestamp::from_seconds(1_800_000_000),
        );
        let error = accepted.map_or_else(|error| error.to_string(), |_| String::new());
        assert!(error.contains(why), "{iat} {exp}: {error}");
        assert!(error.is_empty() == why.is_empty(), "{iat} {exp}: {error}");
    }
}

#[test]
fn only_a_signed_answer_is_parsed() {
    let ours = handoff("a-secret");
    let (text, signature) = ours.answer(&sample(0, 60));
    assert_eq!(ours.verify(&text, &signature).unwrap().sub, "alice");
    let request = ours.request_url(&flow(JTI));
    let (_, request) = request.split_once("lg_request=").unwrap();
    let (request, of_request) = request.split_once("&lg_sig=").unwrap();
    let (_, of_other) = handoff("another-secret").answer(&sample(0, 60));
    for (text, signature) in [
        (&*text, ""),
        (&text, &*signature.to_uppercase()),
        (&text, &of_other),
        (&text[1..], &signature),
        (request, of_request),
    ] {
        let error = ours.verify(text, signature).unwrap_err().to_string();
        assert!(
            error.contains("do both sides have the same secret?"),
            "{text} {signature}"
        );
    }
    for nonsense in ["", "AA", "e30", "W10", "bnVsbA"] {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"a-secret").unwrap();
        mac.update(format!("lg_answer.{nonsense}").as_bytes());
        let signature = base16ct::lower::encode_string(&mac.finalize().into_bytes());
        let error = ours.verify(nonsense, &signature).unwrap_err().to_string();
        assert!(error.contains("is signed, but it is not base64url"), "{error}");
    }
}

#[test]
fn an_answer_is_of_one_request_and_names_a_user() {
    let accept = |sub: &str, jti: &str| {
        let sub = sub.to_owned();
        let answer = Answer { sub, ..sample(0, 60) };
        handoff("a").accept(answer, &flow(jti), Timestamp::from_seconds(1_800_000_000))
    };
    for (sub, jti) in [
        ("", JTI),
        ("a\nb", JTI),
        (&*"x".repeat(256), JTI),
        ("alice", "another"),
    ] {
        assert!(accept(sub, jti).is_err(), "{sub} {jti}");
    }
    assert_eq!(accept("alice", JTI).unwrap().display_name, "alice");
}

#[tokio::test]
async fn an_answer_belongs_to_the_browser_that_asked() {
    let (site, token, mallory, jti) = begun().await;
    let planted = answer(&site, &jti, |said| said.sub = "mallory".to_owned());
    let mut victim = site.browser();
    let notice = victim.get(&planted).await;
    assert_notice(&notice, 403, "This sign-in cannot be completed");
    asked(&mut victim, &question(&token)).await;
    let notice = victim.get(&planted).await;
    assert_notice(&notice, 403, "This sign-in cannot be completed");

    // A cookie that was changed is none: not its time, not its way on.
    let (name, value) = mallory.cookies.iter().next().unwrap();
    let parts: Vec<_> = value.split('.').collect();
    let elsewhere = URL_SAFE_NO_PAD.encode("//evil.example");
    for forged in [
        format!("{}.{}.{elsewhere}.{}", parts[0], parts[1], parts[3]),
        format!("9999999999.{}.{}.{}", parts[1], parts[2], parts[3]),
        format!("{}.true.{}.{}", parts[0], parts[2], parts[3]),
        format!("{}.{}.{}.AAAA", parts[0], parts[1], parts[2]),
        format!("{value}.x"),
    ] {
        let mut forger = site.browser();
        forger.cookies.insert(name.clone(), forged);
        let notice = forger.get(&planted).await;
        assert_notice(&notice, 403, "This sign-in cannot be completed");
    }
}

#[tokio::test]
async fn a_late_answer_is_told_so() {
    let (site, _, mut browser, jti) = begun().await;
    site.clock.advance(600);
    let page = browser.get(&answer(&site, &jti, |_| ())).await;
    assert_notice(&page, 410, "This sign-in took too long");
    assert!(page.body.contains("href=\"/oauth/login?return_to="), "{page:?}");
    assert_eq!(site.sql("select * from sessions").await, 0);
}

#[tokio::test]
async fn two_tabs_come_back_in_any_order() {
    let site = site().await;
    let (one, two) = (site.question().await, site.question().await);
    let mut browser = site.browser();
    let first = asked(&mut browser, &question(&one)).await["jti"].clone();
    let second = asked(&mut browser, &question(&two)).await["jti"].clone();
    let back = browser.get(&answer(&site, &second, |_| ())).await;
    assert_signed_in(&back, two.as_str());
    let back = browser.get(&answer(&site, &first, |_| ())).await;
    assert_signed_in(&back, one.as_str());
    let found = site.sql("select * from sessions").await;
    assert_eq!(found, 1, "the second begins anew");
}

#[tokio::test]
async fn another_account_asks_the_application_anew() {
    let (site, token, mut browser, jti) = begun().await;
    browser.get(&answer(&site, &jti, |_| ())).await;
    let page = browser.get(&question(&token)).await;
    Form::at(&page, AUTHORIZE);
    let signed_out = browser.submit(&Form::at(&page, "/oauth/logout")).await;
    let location = signed_out.header("location").unwrap().to_owned();
    assert!(location.ends_with("&fresh=1&pause=1"), "{location}");
    let page = browser.get(&location).await;
    assert!(page.body.contains("<h1>Sign in to continue</h1>"), "{page:?}");
    let request = asked(&mut browser, &location.replace("&pause=1", "")).await;
    assert_eq!(request["fresh"], true);
    // The session that is there already is no answer; a new sign-in is.
    let now = site.clock.now().seconds();
    for old in [None, Some(now - 11), Some(0), Some(i64::MIN)] {
        let back = answer(&site, &request["jti"], |said| said.auth_time = old);
        assert_notice(&browser.get(&back).await, 403, "Invalid sign-in response");
    }
    assert_eq!(site.sql("select * from sessions").await, 0);
    let back = answer(&site, &request["jti"], |said| said.auth_time = Some(now));
    assert_signed_in(&browser.get(&back).await, token.as_str());
}

/// What `recheck_after` counts from is when the application asked for the password, not when it was asked about it.
#[tokio::test]
async fn an_old_session_of_the_application_approves_nothing() {
    let site = site().await;
    let token = site.question().await;
    let mut browser = site.browser();
    let request = asked(&mut browser, &question(&token)).await;
    let now = site.clock.now().seconds();
    let back = answer(&site, &request["jti"], |said| said.auth_time = Some(now - 43_200));
    assert_signed_in(&browser.get(&back).await, token.as_str());
    let request = asked(&mut browser, &question(&token)).await;
    assert_eq!(request["fresh"], true);
    let back = answer(&site, &request["jti"], |said| said.auth_time = Some(now + 1));
    assert_signed_in(&browser.get(&back).await, token.as_str());
    assert_eq!(browser.press("approve", &token).await.status, 303);
}

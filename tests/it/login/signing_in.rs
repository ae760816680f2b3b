//! Signing in with name and password.

use super::site::Site;
use crate::support::{Browser, Form, Text as _, assert_notice, encode, question};

#[tokio::test]
async fn of_failed_attempts_the_database_keeps_counts_alone() {
    let site = Site::start().await;
    let token = site.question().await;
    let before = site.rows().await;
    assert!(before.contains_key("sign_in_slots"), "{before:?}");
    assert!(before.contains_key("sessions"), "{before:?}");
    let mut stranger = site.browser();
    stranger.get("/oauth/login").await;
    stranger.get(&question(&token)).await;
    stranger
        .cookies
        .insert("linkgate-session".to_owned(), "x".repeat(32));
    stranger.get(&question(&token)).await;
    for (user, password) in [
        ("alice", "wrong"),
        ("nobody", "wrong"),
        ("alice", ""),
        ("svc-bitbucket", ""),
    ] {
        let answer = stranger.log_in("/", user, password).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        answer.has("role=\"alert\">Wrong username or password.</p>");
        // The name and the two hidden fields: the password is never sent back.
        let name = format!("value=\"{user}\" aria-invalid=\"true\"");
        assert!(answer.body.contains(&name), "{answer:?}");
        assert_eq!(answer.body.matches("value=").count(), 3, "{answer:?}");
    }
    let mut after = site.rows().await;
    let counted = after.remove("sign_in_slots").unwrap();
    // One address and three names, of which two may share a slot.
    assert!((2..=4).contains(&counted.len()), "{counted:?}");
    assert!(
        counted
            .iter()
            .all(|row| !row.contains("alice") && !row.contains("127.0.0.1")),
        "{counted:?}"
    );
    let unchanged: Vec<_> = before
        .into_iter()
        .filter(|(table, _)| table != "sign_in_slots")
        .collect();
    assert_eq!(after.into_iter().collect::<Vec<_>>(), unchanged);
}

#[tokio::test]
async fn the_cookies_of_a_session_are_out_of_reach() {
    for (url, prefix, secure) in [
        ("http://127.0.0.1:9080", "", ""),
        ("https://builds.example.com", "__Host-", "; Secure"),
    ] {
        let [session, browser] = ["session", "browser"].map(|name| format!("{prefix}linkgate-{name}"));
        let site = Site::start_at(url).await;
        let mut alice = site.browser();
        let answer = alice.log_in("/", "alice", "alice-password").await;
        let cookies = answer.set_cookies();
        let id = &alice.cookies[&session];
        assert_eq!(
            cookies[0],
            format!("{session}={id}; Path=/; HttpOnly; SameSite=Lax{secure}")
        );
        assert_eq!(
            cookies[1],
            format!("{browser}=; Path=/; HttpOnly; SameSite=Lax{secure}; Max-Age=0")
        );
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}

#[tokio::test]
async fn a_return_address_leads_nowhere_else() {
    let site = Site::start().await;
    let long = format!("/{}", "a".repeat(2048));
    for (asked, given) in [
        ("/builds?id=1", "/builds?id=1"),
        ("/a//b?c=https://evil.example/", "/a//b?c=https://evil.example/"),
        ("a", "/oauth/login"),
        (" /a", "/oauth/login"),
        ("/a b", "/oauth/login"),
        ("/\u{e9}", "/oauth/login"),
        ("/a\\b", "/oauth/login"),
        (&long, "/oauth/login"),
        ("//evil.example", "/oauth/login"),
        ("///evil.example", "/oauth/login"),
        ("\\/evil.example", "/oauth/login"),
        ("/\n/evil.example", "/oauth/login"),
        ("/\\evil.example", "/oauth/login"),
        ("/\t/evil.example", "/oauth/login"),
        ("https://evil.example/", "/oauth/login"),
        ("javascript:alert(1)", "/oauth/login"),
        ("/a\r\nSet-Cookie: a=b", "/oauth/login"),
        ("", "/oauth/login"),
    ] {
        // So many attempts in a minute are allowed.
        site.clock.advance(60);
        let mut alice = site.browser();
        let page = alice
            .get(&format!("/oauth/login?return_to={}", encode(asked)))
            .await;
        // The form is in the browser's hands: what it sends back is read anew.
        let form = Form::login(&page, "alice");
        assert_eq!(form.value("return_to"), given);
        let answer = alice.submit(&form.with("return_to", asked)).await;
        let found = (answer.status, answer.header("location"));
        assert_eq!(found, (303, Some(given)), "{asked:?}");
        let again = alice
            .get(&format!("/oauth/login?return_to={}", encode(asked)))
            .await;
        assert_eq!(
            again.header("location"),
            Some(given).filter(|given| *given != "/oauth/login"),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn a_login_form_is_bound_to_the_browser_that_it_was_shown_to() {
    let site = Site::start().await;
    let form = async |browser: &mut Browser| {
        let page = browser.get("/oauth/login").await;
        Form::login(&page, "alice")
    };
    let (mut alice, mut mallory) = (site.browser(), site.browser());
    let (ours, theirs) = (form(&mut alice).await, form(&mut mallory).await);

    let answer = alice.submit(&theirs).await;
    assert_notice(&answer, 403, "This page is out of date");
    let answer = alice.submit(&ours.clone().with("form_token", "AAAA")).await;
    assert_notice(&answer, 403, "This page is out of date");
    let answer = site.browser().submit(&ours).await;
    assert_notice(&answer, 403, "Your browser sent no cookie");
    let mut forged = site.browser();
    forged
        .cookies
        .insert("linkgate-browser".to_owned(), format!("{}.AAAA", "x".repeat(32)));
    let notice = forged.submit(&ours).await;
    assert_notice(&notice, 403, "Your browser sent no cookie");

    let request = |site| ours.request().header("Sec-Fetch-Site", site);
    for from in ["cross-site", "same-site", "SAME-ORIGIN, same-origin"] {
        let notice = alice.clone().send(request(from)).await;
        assert_notice(&notice, 403, "Form blocked: sent from another site");
    }
    assert_notice(
        &alice.submit(&ours.clone().without("password")).await,
        400,
        "This form could not be read",
    );
    assert_notice(
        &alice.submit(&ours.clone().again("password", "x")).await,
        400,
        "This form could not be read",
    );
    let long = ours.clone().with("password", &"x".repeat(20_000));
    let notice = alice.submit(&long).await;
    assert_notice(&notice, 413, "This form is too large");
    assert_eq!(site.sql("select * from sessions").await, 0);

    // A second tab does not break the first, and a browser that says nothing of where a form comes from is let in.
    form(&mut alice).await;
    assert_eq!(alice.clone().send(request("none")).await.status, 303);
    assert_eq!(alice.send(ours.request()).await.status, 303);
}

#[tokio::test]
async fn too_many_attempts_are_told_how_long_to_wait() {
    let site = Site::start().await;
    let mut guesser = site.browser();
    for _ in 0..10 {
        assert_eq!(guesser.log_in("/builds", "alice", "wrong").await.status, 403);
    }
    let answer = guesser.log_in("/builds", "alice", "alice-password").await;
    assert_notice(&answer, 429, "Too many attempts");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{answer:?}");
    let unit = if seconds == 1 { "second" } else { "seconds" };
    answer.has(format!("Wait <bdi>{seconds} {unit}</bdi>"));
    answer.has("href=\"/oauth/login?return_to=%2Fbuilds\"");

    // Another name from the same address, until the address itself has had enough.
    assert_eq!(guesser.log_in("/", "bob", "bob-password").await.status, 303);
    let mut limited = 0;
    for attempt in 0..25 {
        let mut other = site.browser();
        limited += u32::from(
            other
                .log_in("/", &format!("user-{attempt}"), "wrong")
                .await
                .status
                == 429,
        );
    }
    assert!(limited > 0);
}

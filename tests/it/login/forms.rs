//! Answers that are not ours to take: each is a page, and nothing is decided.

use linkgate::model::RequestTokenState;

use super::site::Site;
use crate::support::{Text as _, assert_notice, question};

#[tokio::test]
async fn an_answer_counts_only_from_the_page_that_was_shown() {
    let site = Site::start().await;
    let (token, other) = (site.question().await, site.question().await);
    let mut alice = site.signed_in("alice").await;
    let form = alice.approval(&token).await.pressing("approve");
    let of_other = alice.approval(&other).await;
    let token_of_other = of_other.value("form_token");
    let outdated = "This page is out of date";
    let changed = "You are now signed in as Alice Example";
    let incomplete = "This link is incomplete";
    let unreadable = "This form could not be read";
    for (bent, status, title) in [
        (form.clone().with("form_token", ""), 403, outdated),
        (form.clone().with("form_token", "AAAA"), 403, outdated),
        (form.clone().with("form_token", token_of_other), 403, outdated),
        (form.clone().with("oauth_token", other.as_str()), 403, outdated),
        (form.clone().with("subject", "bob"), 409, changed),
        (form.clone().with("oauth_token", ""), 400, incomplete),
        (form.clone().again("deny", "deny"), 400, unreadable),
        (form.clone().without("approve"), 400, unreadable),
        (form.clone().again("approve", "approve"), 400, unreadable),
        (form.clone().without("form_token"), 400, unreadable),
        (form.clone().again("subject", "alice"), 400, unreadable),
    ] {
        assert_notice(&alice.submit(&bent).await, status, title);
    }
    for from in ["cross-site", "same-site", "none, cross-site"] {
        let request = form.request().header("Sec-Fetch-Site", from);
        let notice = alice.send(request).await;
        assert_notice(&notice, 403, "Form blocked: sent from another site");
    }
    for token in [&token, &other] {
        assert_eq!(site.state(token).await, RequestTokenState::Pending);
    }
    let answer = alice.submit(&form).await;
    assert_eq!(answer.status, 303, "and the page itself still works: {answer:?}");
}

#[tokio::test]
async fn a_form_of_another_origin_is_refused() {
    let (site, token, mut alice) = Site::asked().await;
    let form = alice.approval(&token).await.pressing("approve");
    let own = format!("http://{}", site.address());
    for (site_header, origin) in [
        (None, "https://evil.example"),
        (Some("same-origin"), "https://evil.example"),
        (None, "null"),
        (None, "http://127.0.0.1:9080.evil.example"),
        (None, ""),
        (Some("cross-site"), &own),
    ] {
        let mut request = form.request().header("Origin", origin);
        if let Some(site) = site_header {
            request = request.header("Sec-Fetch-Site", site);
        }
        let notice = alice.send(request).await;
        assert_notice(&notice, 403, "Form blocked: sent from another site");
    }
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);
}

/// By the public URL, by the host of the request, and from a browser that keeps its origin to itself.
#[tokio::test]
async fn forms_of_this_site_have_its_origin() {
    let site = Site::start().await;
    for origin in [
        "http://127.0.0.1:9080".to_owned(),
        format!("http://{}", site.address()),
        "null".to_owned(),
    ] {
        let token = site.question().await;
        let mut alice = site.signed_in("alice").await;
        let form = alice.approval(&token).await.pressing("approve");
        let request = form
            .request()
            .header("Origin", &origin)
            .header("Sec-Fetch-Site", "same-origin");
        assert_eq!(alice.send(request).await.status, 303, "{origin}");
    }
}

#[tokio::test]
async fn an_answer_of_another_user_than_was_shown_is_refused() {
    let site = Site::start().await;
    let token = site.question().await;
    let mut browser = site.signed_in("alice").await;
    let form = browser.approval(&token).await.pressing("approve");
    browser.sign_in_again("bob").await;
    let answer = browser.submit(&form).await;
    assert_notice(&answer, 409, "You are now signed in as Bob Example");
    answer.has(format!("href=\"{}\"", question(&token)));
    let notice = browser.submit(&form.with("subject", "bob")).await;
    assert_notice(&notice, 403, "This page is out of date");
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);
}

#[tokio::test]
async fn an_answer_of_an_earlier_session_of_the_same_user_is_asked_again() {
    let (site, token, mut alice) = Site::asked().await;
    let form = alice.approval(&token).await.pressing("approve");
    alice.sign_in_again("alice").await;
    let notice = alice.submit(&form).await;
    assert_notice(&notice, 403, "This page is out of date");
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);
}

#[tokio::test]
async fn an_answer_after_the_session_signs_in_first() {
    let (site, token, mut alice) = Site::asked().await;
    let form = alice.approval(&token).await.pressing("approve");
    alice.cookies.clear();
    let answer = alice.submit(&form).await;
    assert_eq!(answer.status, 303);
    answer
        .header("location")
        .unwrap()
        .begins("/oauth/login?return_to=%2Foauth%2Fauthorize");
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);
}

//! What the buttons do, once and again.

use linkgate::model::RequestTokenState;

use super::browser::{AUTHORIZE, assert_notice, question};
use super::site::{CALLBACK, Site};
use crate::support::code;

#[tokio::test]
async fn approving_sends_the_browser_back_and_a_second_click_to_the_same_place() {
    let site = Site::start().await;
    let token = site.question().await;
    let mut alice = site.signed_in("alice").await;
    let form = alice.question(token.as_str()).await.with("approve", "approve");
    let answer = alice.post(AUTHORIZE, &form).await;
    let there = answer.header("location").unwrap().to_owned();
    let verifier = there.strip_prefix(&format!(
        "{CALLBACK}&oauth_token={}&oauth_verifier=",
        token.as_str()
    ));
    let verifier = verifier.unwrap_or_else(|| panic!("{there}"));
    assert_eq!((answer.status, verifier.len()), (303, 20));
    assert!(verifier.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert!(
        matches!(site.state(&token).await, RequestTokenState::Authorized { by } if by.subject == "alice")
    );

    for answer in [
        alice.post(AUTHORIZE, &form).await,
        alice.get(&question(token.as_str())).await,
    ] {
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(there.as_str()))
        );
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    }
    // A changed mind comes too late.
    let deny = form.without("approve").with("deny", "deny");
    assert_notice(
        &alice.post(AUTHORIZE, &deny).await,
        409,
        "This request was already answered",
    );
}

#[tokio::test]
async fn nobody_else_sees_the_verifier() {
    let site = Site::start().await;
    let token = site.question().await;
    let (mut alice, mut bob) = (site.signed_in("alice").await, site.signed_in("bob").await);
    let bobs = bob.question(token.as_str()).await;
    let there = alice
        .press("approve", token.as_str())
        .await
        .header("location")
        .unwrap()
        .to_owned();
    let verifier = there.rsplit('=').next().unwrap();
    for answer in [
        bob.get(&question(token.as_str())).await,
        bob.post(AUTHORIZE, &bobs.clone().with("approve", "approve"))
            .await,
        bob.post(AUTHORIZE, &bobs.with("deny", "deny")).await,
        site.browser().get(&question(token.as_str())).await,
    ] {
        assert_notice(&answer, 409, "This request was already answered");
        assert!(
            !answer.body.contains(verifier) && !answer.body.contains("alice"),
            "{answer:?}"
        );
    }
    assert!(
        matches!(site.state(&token).await, RequestTokenState::Authorized { by } if by.subject == "alice")
    );
}

#[tokio::test]
async fn denying_tells_the_consumer_and_later_visitors() {
    let site = Site::start().await;
    let token = site.question().await;
    let mut alice = site.signed_in("alice").await;
    let form = alice.question(token.as_str()).await.with("deny", "deny");
    let there = format!("{CALLBACK}&oauth_token={}&oauth_verifier=denied", token.as_str());
    for _ in 0..2 {
        let answer = alice.post(AUTHORIZE, &form).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(there.as_str()))
        );
    }
    assert_eq!(site.state(&token).await, RequestTokenState::Denied);
    assert_notice(
        &alice.get(&question(token.as_str())).await,
        200,
        "Access was denied",
    );
    let approve = form.without("deny").with("approve", "approve");
    assert_notice(&alice.post(AUTHORIZE, &approve).await, 200, "Access was denied");
    assert_eq!(site.state(&token).await, RequestTokenState::Denied);
}

#[tokio::test]
async fn without_a_callback_the_code_is_shown_once_and_to_one_user() {
    let site = Site::start().await;
    let token = site.question_of("bitbucket", "oob").await;
    let (mut alice, mut bob) = (site.signed_in("alice").await, site.signed_in("bob").await);
    let form = alice.question(token.as_str()).await.with("approve", "approve");
    let bobs = bob.question(token.as_str()).await.with("approve", "approve");
    let page = alice.post(AUTHORIZE, &form).await;
    assert_eq!((page.status, page.header("location")), (200, None));
    let code = code(&page);
    assert_eq!(code.len(), 20);
    assert!(page.body.contains("<title>Your code · Buildboard</title>"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.ends_with("; script-src 'self'"), "{policy}");
    let shown = page.body.split_once("<code>").unwrap().1;
    let shown = shown.split_once("</code>").unwrap().0;
    assert_eq!(page.header("cache-control"), Some("no-store"));

    assert!(
        alice.post(AUTHORIZE, &form).await.body.contains(shown),
        "a double click loses nothing"
    );
    for (answer, title) in [
        (
            alice.get(&question(token.as_str())).await,
            "The code was already shown",
        ),
        (
            bob.get(&question(token.as_str())).await,
            "This request was already answered",
        ),
        (
            bob.post(AUTHORIZE, &bobs).await,
            "This request was already answered",
        ),
    ] {
        assert_notice(&answer, 409, title);
        assert!(!answer.body.contains(&code[..4]), "{answer:?}");
    }
    // The page is sent once more by the same browser, after another user has signed in.
    alice.sign_in_again("bob").await;
    let answer = alice.post(AUTHORIZE, &form).await;
    assert_notice(&answer, 409, "You are now signed in as Bob Example");
    assert!(!answer.body.contains(&code[..4]), "{answer:?}");
}

#[tokio::test]
async fn without_a_callback_a_denial_is_a_page() {
    let site = Site::start().await;
    let token = site.question_of("bitbucket", "oob").await;
    let mut alice = site.signed_in("alice").await;
    assert_notice(
        &alice.press("deny", token.as_str()).await,
        200,
        "Access was denied",
    );
    assert_eq!(site.state(&token).await, RequestTokenState::Denied);
}

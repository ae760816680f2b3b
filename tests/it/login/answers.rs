//! What the buttons do, once and again.

use linkgate::model::RequestTokenState;

use super::site::{CALLBACK, Site};
use crate::support::{Text as _, assert_notice, code, question};

#[tokio::test]
async fn approving_sends_the_browser_back_and_a_second_click_to_the_same_place() {
    let (site, token, mut alice) = Site::asked().await;
    let form = alice.approval(&token).await.pressing("approve");
    let answer = alice.submit(&form).await;
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

    for answer in [alice.submit(&form).await, alice.get(&question(&token)).await] {
        answer.assert(303, "location", Some(there.as_str()));
        answer.assert_header("referrer-policy", "same-origin");
    }
    // A changed mind comes too late.
    let deny = form.without("approve").pressing("deny");
    let notice = alice.submit(&deny).await;
    assert_notice(&notice, 409, "This request was already answered");
}

#[tokio::test]
async fn no_other_user_sees_the_verifier() {
    let site = Site::start().await;
    let token = site.question().await;
    let (mut alice, mut bob) = (site.signed_in("alice").await, site.signed_in("bob").await);
    let bobs = bob.approval(&token).await;
    let there = alice
        .press("approve", &token)
        .await
        .header("location")
        .unwrap()
        .to_owned();
    let verifier = there.rsplit('=').next().unwrap();
    for answer in [
        bob.get(&question(&token)).await,
        bob.submit(&bobs.clone().pressing("approve")).await,
        bob.submit(&bobs.pressing("deny")).await,
        site.browser().get(&question(&token)).await,
    ] {
        assert_notice(&answer, 409, "This request was already answered");
        answer.lacks(verifier);
        answer.lacks("alice");
    }
    assert!(
        matches!(site.state(&token).await, RequestTokenState::Authorized { by } if by.subject == "alice")
    );
}

#[tokio::test]
async fn denying_tells_the_consumer_and_later_visitors() {
    let (site, token, mut alice) = Site::asked().await;
    let form = alice.approval(&token).await.pressing("deny");
    let there = format!("{CALLBACK}&oauth_token={}&oauth_verifier=denied", token.as_str());
    for _ in 0..2 {
        let answer = alice.submit(&form).await;
        answer.assert(303, "location", Some(there.as_str()));
    }
    assert_eq!(site.state(&token).await, RequestTokenState::Denied);
    let notice = alice.get(&question(&token)).await;
    assert_notice(&notice, 200, "Access was denied");
    let approve = form.without("deny").pressing("approve");
    assert_notice(&alice.submit(&approve).await, 200, "Access was denied");
    assert_eq!(site.state(&token).await, RequestTokenState::Denied);
}

#[tokio::test]
async fn without_a_callback_the_code_is_shown_once_and_to_one_user() {
    let site = Site::start().await;
    let token = site.question_of("bitbucket", "oob").await;
    let (mut alice, mut bob) = (site.signed_in("alice").await, site.signed_in("bob").await);
    let form = alice.approval(&token).await.pressing("approve");
    let bobs = bob.approval(&token).await.pressing("approve");
    let page = alice.submit(&form).await;
    page.assert(200, "location", None);
    let code = code(&page);
    assert_eq!(code.len(), 20);
    assert!(page.body.contains("<title>Your code · Buildboard</title>"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.ends_with("; script-src 'self'"), "{policy}");
    let shown = page.body.split_once("<code>").unwrap().1;
    let shown = shown.split_once("</code>").unwrap().0;
    page.assert_header("cache-control", "no-store");

    assert!(
        alice.submit(&form).await.body.contains(shown),
        "a double click loses nothing"
    );
    for (answer, title) in [
        (alice.get(&question(&token)).await, "The code was already shown"),
        (
            bob.get(&question(&token)).await,
            "This request was already answered",
        ),
        (bob.submit(&bobs).await, "This request was already answered"),
    ] {
        assert_notice(&answer, 409, title);
        assert!(!answer.body.contains(&code[..4]), "{answer:?}");
    }
    // The page is sent once more by the same browser, after another user has signed in.
    alice.sign_in_again("bob").await;
    let answer = alice.submit(&form).await;
    assert_notice(&answer, 409, "You are now signed in as Bob Example");
    assert!(!answer.body.contains(&code[..4]), "{answer:?}");
}

#[tokio::test]
async fn without_a_callback_a_denial_is_a_page() {
    let site = Site::start().await;
    let token = site.question_of("bitbucket", "oob").await;
    let mut alice = site.signed_in("alice").await;
    let notice = alice.press("deny", &token).await;
    assert_notice(&notice, 200, "Access was denied");
    assert_eq!(site.state(&token).await, RequestTokenState::Denied);
}

//! The approval page and callbacks: a verifier reaches the consumer through the browser of the user who approved, and in no other way.
//!
//! The pages by themselves, their forms and sessions, are in `login`.

use crate::support::{CALLBACK, Form, Linkgate, Peer, Request, Text as _, code, encode, location, question};

/// The session fixation of the advisory 2009.1: mallory requests the token, alice approves, and only alice's browser
/// learns the verifier.
#[tokio::test]
async fn a_consumer_user_without_the_verifier_gets_no_token() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    let of_alice = linkgate.browser().approve(&token, "alice").await;
    let mut mallory = linkgate.browser();
    mallory.sign_in("carol").await;
    for page in [
        mallory.get(&question(&token)).await,
        linkgate.browser().get(&question(&token)).await,
    ] {
        page.assert(409, "location", None);
        assert!(!page.body.contains(&of_alice), "{page:?}");
    }
    let unverified = Peer::hmac()
        .exchange(&linkgate, &token, "")
        .without("oauth_verifier");
    unverified.refused(&linkgate, "parameter_absent").await;
    let own = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    let of_mallory = mallory.approve(&own, "carol").await;
    for guess in [of_mallory.as_str(), "", "denied"] {
        let call = Peer::hmac().exchange(&linkgate, &token, guess);
        call.refused(&linkgate, "token_rejected").await;
    }
    let call = Peer::hmac().exchange(&linkgate, &token, &of_alice);
    call.passes(&linkgate).await;
}

#[tokio::test]
async fn the_callback_in_the_address_is_ignored() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    let mut browser = linkgate.browser();
    browser.sign_in("alice").await;
    for evil in [
        "https://evil.example/",
        "javascript:alert(1)",
        "oob",
        "https://bitbucket.example.com/other",
    ] {
        let target = format!("{}&oauth_callback={}", question(&token), encode(evil.as_bytes()));
        let page = browser.get(&target).await;
        assert_eq!(page.status, 200);
        assert!(!format!("{page:?}").contains(evil), "{page:?}");
    }
    let target = format!("{}&oauth_callback=https://evil.example/", question(&token));
    let page = browser.get(&target).await;
    let form = Form::of(&page, "approve")
        .unwrap()
        .pressing("approve")
        .with("oauth_callback", "https://evil.example/");
    let answer = browser.submit(&form).await;
    assert!(location(&answer).starts_with(CALLBACK), "{answer:?}");
}

#[tokio::test]
async fn a_form_answers_the_question_that_it_was_shown_for() {
    let linkgate = Linkgate::start().await;
    let [shown, other] = [
        Peer::hmac().request_token(&linkgate, CALLBACK).await,
        Peer::second()
            .request_token(&linkgate, "https://second.example.com/")
            .await,
    ];
    let (mut alice, mut bob) = (linkgate.signed_in("alice").await, linkgate.signed_in("bob").await);
    let page = alice.get(&question(&shown)).await;
    let form = Form::of(&page, "approve").unwrap().pressing("approve");
    let of_bob = Form::of(&bob.get(&question(&shown)).await, "approve").unwrap();
    let (_, token_of_bob) = of_bob
        .fields
        .iter()
        .find(|(name, _)| name == "form_token")
        .unwrap();
    for bent in [
        form.clone().with("oauth_token", &other.token),
        form.clone().with("form_token", ""),
        form.clone().with("form_token", "AAAA"),
        form.clone().with("form_token", token_of_bob),
        form.clone().without("form_token"),
        form.clone().with("subject", "bob"),
        form.clone().with("deny", "deny"),
        form.clone().without("approve"),
        form.clone().without("subject"),
    ] {
        let answer = alice.submit(&bent).await;
        assert!((400..500).contains(&answer.status), "{bent:?}: {answer:?}");
        assert_eq!(answer.header("location"), None, "{bent:?}");
    }
    // Another browser, signed in or not.
    let answer = bob.submit(&form).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    let answer = bob.submit(&form.clone().with("subject", "bob")).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    let answer = linkgate.browser().submit(&form).await;
    assert!(location(&answer).starts_with("/oauth/login"), "{answer:?}");
    let from_elsewhere = Request::post(form.action.as_str())
        .header("Sec-Fetch-Site", "cross-site")
        .form(form.body());
    assert_eq!(alice.send(from_elsewhere).await.status, 403);
    // A session token is no form token, and nothing was decided by any of it.
    for (peer, token) in [(Peer::hmac(), &shown), (Peer::second(), &other)] {
        peer.exchange(&linkgate, token, "x")
            .refused(&linkgate, "permission_unknown")
            .await;
    }
    assert_eq!(alice.submit(&form).await.status, 303);
}

#[tokio::test]
async fn nothing_is_decided_by_an_address() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    let mut alice = linkgate.signed_in("alice").await;
    let form = Form::of(&alice.get(&question(&token)).await, "approve").unwrap();
    for button in ["approve", "deny"] {
        let target = format!("/oauth/authorize?{}", form.clone().pressing(button).body());
        let answer = alice.get(&target).await;
        answer.assert(405, "allow", Some("POST"));
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let request = Request::new(method, question(&token)).form(form.clone().pressing("approve").body());
        assert_eq!(alice.send(request).await.status, 405, "{method}");
    }
    let call = Peer::hmac().exchange(&linkgate, &token, "x");
    call.refused(&linkgate, "permission_unknown").await;
}

#[tokio::test]
async fn a_page_without_a_question_leads_nowhere() {
    let linkgate = Linkgate::start().await;
    let mut browsers = [linkgate.browser(), linkgate.signed_in("bob").await];
    for query in [
        "",
        "?oauth_token=",
        "?oauth_token=unknown",
        "?oauth_token=a&oauth_token=b",
        "?oauth_token=%0d%0aLocation:%20https://evil.example/",
        "?oauth_token=%ff",
        "?oauth_token=%3Cscript%3E",
        "?oauth_callback=https://evil.example/",
        "?return_to=https://evil.example/",
    ] {
        for path in ["/oauth/authorize", "/plugins/servlet/oauth/authorize"] {
            for browser in &mut browsers {
                let page = browser.get(&format!("{path}{query}")).await;
                assert!((400..500).contains(&page.status), "{query}: {page:?}");
                assert_eq!(page.header("location"), None, "{query}");
                page.lacks("<script");
                page.lacks("evil");
            }
        }
    }
}

#[tokio::test]
async fn a_page_keeps_token_and_verifier_to_itself() {
    let linkgate = Linkgate::start().await;
    let token = Peer::second().request_token(&linkgate, "oob").await;
    let mut alice = linkgate.signed_in("alice").await;
    let asked = alice.get(&question(&token)).await;
    let form = Form::of(&asked, "approve").unwrap().pressing("approve");
    let shown = alice.submit(&form).await;
    for page in [&asked, &shown] {
        assert_eq!(page.status, 200);
        page.assert_header("referrer-policy", "same-origin");
        page.assert_header("cache-control", "no-store");
        page.assert_header("x-frame-options", "DENY");
        assert_eq!(page.header("cross-origin-opener-policy"), None);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        policy.has("frame-ancestors 'none'");
        // Nothing comes from elsewhere, and the consumer's name is text.
        page.lacks("://");
        page.lacks("<img");
        page.has("&#60;img src=x onerror=alert(1)&#62;");
    }
    let code = &code(&shown);
    assert_eq!(code.len(), 20);
    let (title, _) = shown.body.split_once("</title>").unwrap();
    assert!(!title.contains(&code[..4]) && shown.header("location").is_none());
    let again = alice.get(&question(&token)).await;
    assert!(again.status == 409 && !again.body.contains(code), "{again:?}");
    // Whether right or wrong, the verifier of one token opens no other.
    let other = Peer::second().request_token(&linkgate, "oob").await;
    alice.decide(&other, "alice", "approve").await;
    let call = Peer::second().exchange(&linkgate, &other, code);
    call.refused(&linkgate, "token_rejected").await;
}

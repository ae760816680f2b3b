//! The approval page: what is shown, to whom, and every state in which nothing is asked.

use linkgate::model::{NewAccess, RequestTokenState, TokenSession};
use linkgate::oauth::ConsumerKey;

use super::site::{CALLBACK, Site};
use crate::support::{Request, Text as _, assert_notice, encode, question};

#[tokio::test]
async fn a_user_signs_in_first_and_comes_back() {
    let site = Site::start().await;
    let token = site.question().await;
    let mut alice = site.browser();
    for path in ["/oauth/authorize", "/plugins/servlet/oauth/authorize"] {
        let evil = encode("https://evil.example/");
        let target = format!("{path}?oauth_token={}&oauth_callback={evil}", token.as_str());
        let answer = alice.get(&target).await;
        let login = format!("/oauth/login?return_to={}", encode(question(&token)));
        answer.assert(303, "location", Some(login.as_str()));
    }
    let answer = alice.log_in(&question(&token), "alice", "alice-password").await;
    assert_eq!(answer.header("location"), Some(question(&token).as_str()));
    let page = alice.get(answer.header("location").unwrap()).await;
    for part in [
        "Allow <bdi>Bitbucket</bdi> to use <bdi>Buildboard</bdi> as <bdi>Alice Example</bdi>?",
        "(<bdi>alice</bdi>)",
        "<title>Allow Bitbucket? · Buildboard</title>",
        "<span class=\"avatar\" aria-hidden=\"true\">A</span>",
        "signed in with a password",
        "read and change whatever you can",
        "keep this access until <time datetime=\"2",
        "You can revoke this access at any time at <bdi class=\"address\">",
        "<bdi>Bitbucket</bdi> never sees your password.",
        "You will return to <bdi>bitbucket.example.com</bdi>.",
        "<button class=\"button\" id=\"deny\" name=\"deny\" value=\"deny\">Deny</button>\n\
         <button class=\"button\" id=\"approve\" name=\"approve\" value=\"approve\">Allow</button>",
    ] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
}

#[tokio::test]
async fn pages_speak_the_language_that_the_browser_asks_for() {
    let (_site, token, mut alice) = Site::asked().await;
    let german = "als <bdi>Alice Example</bdi> auf <bdi>Buildboard</bdi> zugreifen?";
    let japanese = "<bdi>Buildboard</bdi> を利用することを許可しますか？";
    let english = "to use <bdi>Buildboard</bdi> as <bdi>Alice Example</bdi>?";
    for (asked, lang, heading) in [
        ("fr,de;q=0.5", "de", german),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja", japanese),
        ("fr", "en", english),
    ] {
        let asked = Request::get(question(&token)).header("Accept-Language", asked);
        let page = alice.send(asked).await;
        assert!(page.body.contains(&format!("<html lang=\"{lang}\">")), "{page:?}");
        assert!(page.body.contains(heading), "{page:?}");
        page.assert_header("vary", "accept-language");
    }
}

#[tokio::test]
async fn the_best_language_that_we_have_is_chosen() {
    let site = Site::start().await;
    let long = format!("{}ja", "fr,".repeat(50));
    for (fields, expected) in [
        (&[][..], "en"),
        (&[""], "en"),
        (&["de-AT,de;q=0.9,en;q=0.8"], "de"),
        (&["DE"], "de"),
        (&["fr, de;q=0.3, ja;q=0.7"], "ja"),
        (&["en;q=0.5,ja;q=0.5"], "en"),
        (&["de;q=0.1,*;q=0.5"], "en"),
        (&["ja;q=0, de;q=0.001"], "de"),
        (&["ja ; q = 1.000 , en"], "ja"),
        (&["jam, deu"], "en"),
        (&["ja;q=2, de;q=0.1"], "de"),
        (&["ja;q=0.1234, ja;q=-1, ja;q=1.1, ja;q=, ja;x, de;q=0.1"], "de"),
        (&[",,;;q=1,="], "en"),
        // Fields count together, and so many ranges of them.
        (&["en;q=0.4", "de\u{ff}", "de;q=0.6"], "de"),
        (&[&long], "en"),
    ] {
        let request = fields
            .iter()
            .fold(Request::get("/oauth/login"), |request, field| {
                request.header("Accept-Language", *field)
            });
        let page = request.send(site.address()).await;
        assert!(
            page.body.contains(&format!("<html lang=\"{expected}\">")),
            "{fields:?}: {page:?}"
        );
    }
}

#[tokio::test]
async fn every_page_has_the_same_headers() {
    let (site, token, mut alice) = Site::asked().await;
    let callback = " https://bitbucket.example.com";
    for (target, leads_to) in [
        (question(&token), callback),
        ("/oauth/login".to_owned(), ""),
        ("/oauth/authorize".to_owned(), ""),
    ] {
        let page = alice.get(&target).await;
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{leads_to}; \
             frame-ancestors 'none'; base-uri 'none'"
        );
        for (name, value) in [
            ("content-security-policy", policy.as_str()),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(page.header(name), Some(value), "{target}");
        }
        assert_eq!(page.header("cross-origin-opener-policy"), None);
    }
    // A redirect and a method that a page does not have.
    for (request, status) in [
        (Request::get("/oauth/connections"), 303),
        (Request::new("PUT", "/oauth/login"), 405),
    ] {
        let answer = site.browser().send(request).await;
        assert_eq!(answer.status, status, "{answer:?}");
        for (name, value) in [
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
            ("vary", "accept-language"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
    }
    // A question that was answered leads on from the login form at once, and Chromium asks the form's own policy.
    let login = format!("/oauth/login?return_to={}", encode(question(&token)));
    let page = site.browser().get(&login).await;
    page.header("content-security-policy")
        .unwrap()
        .has("form-action 'self' https://bitbucket");
}

#[tokio::test]
async fn stylesheet_and_icon_are_kept_for_ever_under_their_own_names() {
    let site = Site::start().await;
    let page = site.browser().get("/oauth/login").await;
    for (rel, kind) in [
        ("stylesheet\"", "text/css; charset=utf-8"),
        ("icon\" type=\"image/svg+xml\"", "image/svg+xml"),
    ] {
        let link = page
            .body
            .split(&format!("<link rel=\"{rel} href=\""))
            .nth(1)
            .unwrap();
        let answer = site.browser().get(link.split('"').next().unwrap()).await;
        answer.assert(200, "content-type", Some(kind));
        answer.assert_header("cache-control", "public, max-age=31536000, immutable");
    }
    let answer = site.browser().get("/oauth/assets/style-0000.css").await;
    assert_eq!(answer.status, 404, "{answer:?}");
}

#[tokio::test]
async fn what_is_no_open_question_is_a_page_and_never_a_redirect() {
    let site = Site::start().await;
    let mut alice = site.signed_in("alice").await;
    let known = site.question().await;
    let twice = format!("{}&oauth_token={}", question(&known), known.as_str());
    let authorize = |query: &str| format!("/oauth/authorize{query}");
    for (target, status, title) in [
        (authorize(""), 400, "This link is incomplete"),
        (authorize("?oauth_token="), 400, "This link is incomplete"),
        (authorize("?oauth_token=%00"), 400, "This link is incomplete"),
        (twice, 400, "This link is incomplete"),
        (question("nobody"), 404, "Request not found"),
        (question(site.token().as_str()), 404, "Request not found"),
    ] {
        assert_notice(&alice.get(&target).await, status, title);
        assert_notice(&site.browser().get(&target).await, status, title);
    }
}

#[tokio::test]
async fn an_exchanged_request_token_and_an_access_token_have_no_approval_page() {
    let site = Site::start().await;
    let mut alice = site.signed_in("alice").await;
    let used = site.question().await;
    alice.press("approve", &used).await;
    let access = site.token();
    let now = site.clock.now();
    let session = TokenSession {
        id: site.token().as_str().to_owned(),
        expires_at: now.plus(200),
    };
    let new = NewAccess {
        issued_at: now,
        expires_at: now.plus(100),
        session: Some(session),
    };
    let key = ConsumerKey::parse("bitbucket").unwrap();
    site.store
        .exchange(&used, &key, now, &access, &new, None)
        .await
        .unwrap()
        .unwrap();
    let notice = alice.get(&question(&used)).await;
    assert_notice(&notice, 410, "This request is complete");
    let notice = alice.get(&question(&access)).await;
    assert_notice(&notice, 400, "This is not an access request");
}

#[tokio::test]
async fn a_request_token_whose_time_is_over_asks_nothing() {
    let site = Site::start().await;
    let known = site.question().await;
    let mut alice = site.signed_in("alice").await;
    let form = alice.approval(&known).await.pressing("approve");
    site.clock.advance(600);
    let notice = alice.get(&question(&known)).await;
    assert_notice(&notice, 410, "Request expired");
    let notice = alice.submit(&form).await;
    assert_notice(&notice, 410, "Request expired");
    assert_eq!(site.state(&known).await, RequestTokenState::Pending);
}

#[tokio::test]
async fn a_disabled_consumer_is_not_asked_for() {
    let (site, token, mut alice) = Site::asked().await;
    let key = ConsumerKey::parse("bitbucket").unwrap();
    site.store
        .set_consumer_enabled(&key, false, site.clock.now())
        .await
        .unwrap();
    let notice = alice.get(&question(&token)).await;
    assert_notice(&notice, 403, "Bitbucket cannot connect");
}

#[tokio::test]
async fn a_hostile_consumer_is_shown_as_what_it_is() {
    let site = Site::start().await;
    let token = site.question_of("hostile", CALLBACK).await;
    let page = site.signed_in("alice").await.get(&question(&token)).await;
    page.body
        .has("<h1>Allow <bdi>&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;\u{FFFD}</bdi> to");
    assert!(!page.body.contains("<script"));
}

#[tokio::test]
async fn only_get_head_and_post_are_for_questions_and_only_post_decides() {
    let (site, token, mut alice) = Site::asked().await;
    let head = alice.send(Request::new("HEAD", question(&token))).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for method in ["PUT", "DELETE", "OPTIONS"] {
        let answer = alice.send(Request::new(method, question(&token))).await;
        assert_notice(&answer, 405, "This page cannot be used that way");
        answer.assert_header("allow", "GET,HEAD,POST");
    }
    for button in ["approve", "deny"] {
        let form = alice.approval(&token).await;
        let link = format!(
            "{}&subject=alice&form_token={}&{button}={button}",
            question(&token),
            form.value("form_token")
        );
        let answer = alice.get(&link).await;
        assert_notice(&answer, 405, "Use the buttons on the page");
        answer.assert_header("allow", "POST");
        assert!(answer.body.contains("Open the page again"), "{answer:?}");
    }
    let answer = alice
        .get("/oauth/authorize?oauth_token=%00&approve=approve")
        .await;
    assert_notice(&answer, 405, "Use the buttons on the page");
    assert!(!answer.body.contains("Open the page again"), "{answer:?}");
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_a_page_too() {
    let (site, token, mut alice) = Site::asked().await;
    let form = alice.approval(&token).await.pressing("approve");
    site.sql("alter table sessions rename to away").await;
    for answer in [
        alice.get(&question(&token)).await,
        alice.submit(&form).await,
        alice.get("/oauth/login").await,
    ] {
        assert_notice(&answer, 503, "This service is not available right now");
        answer.assert_header("retry-after", "10");
    }
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);
    // What cannot be the id of a session is looked up nowhere.
    alice
        .cookies
        .insert("linkgate-session".to_owned(), "short".to_owned());
    assert_eq!(alice.get("/oauth/login").await.status, 200);
}

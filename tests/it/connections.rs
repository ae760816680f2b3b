//! Connected applications: what users see of their tokens, and how they take them back.

use std::time::{Duration, Instant};

use linkgate::model::AuditKind;
use linkgate::store::AuditFilter;

use crate::support::{
    Credentials, Database, Form, Linkgate, Peer, Request, Response, Text as _, location, on_both,
};

const PAGE: &str = "/oauth/connections";
const REVOKE: &str = "/oauth/connections/revoke";

on_both! {
    async fn a_revocation_is_felt_by_every_replica_within_a_second(db: Database) {
        let here = Linkgate::on(&db).await;
        let there = here.replica().await;
        let token = Peer::hmac().connect(&here, "alice").await;
        for linkgate in [&here, &there] {
            assert_eq!(call(linkgate, &token).await.status, 200);
        }
        let mut alice = there.signed_in("alice").await;
        let page = alice.get(PAGE).await;
        let answer = alice.submit(&Form::of(&page, "token").unwrap()).await;
        let revoked = Instant::now();
        assert_eq!(answer.status, 303, "{answer:?}");
        for linkgate in [&here, &there] {
            while call(linkgate, &token).await.status == 200 {
                assert!(revoked.elapsed() < Duration::from_secs(1), "it still works");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            call(linkgate, &token).await.assert_refused("token_revoked");
        }
    }

    async fn revoking_all_leaves_other_users_alone_and_is_written_down(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let first = Peer::hmac().connect(&linkgate, "alice").await;
        let second = Peer::rsa().connect(&linkgate, "alice").await;
        let of_bob = Peer::hmac().connect(&linkgate, "bob").await;
        let mut alice = linkgate.signed_in("alice").await;
        let page = alice.get(PAGE).await;
        assert_eq!(page.body.matches("<li class=\"card\">").count(), 2, "{page:?}");
        let all = last_form(&page);
        assert_eq!(all.fields[0], ("token".to_owned(), "all".to_owned()));
        let answer = alice.submit(&all).await;
        assert_eq!(location(&answer), "/oauth/connections?revoked=all");
        let page = alice.get(location(&answer)).await;
        assert!(page.body.contains("role=\"status\">Access was revoked.</p>"), "{page:?}");
        assert!(page.body.contains("No applications are connected."), "{page:?}");
        for token in [&first, &second] {
            let peer = if *token == first { Peer::hmac() } else { Peer::rsa() };
            call_as(&peer, &linkgate, token).await.assert_refused("token_revoked");
        }
        assert_eq!(call(&linkgate, &of_bob).await.status, 200);
        let store = linkgate.store().await;
        let revoked = AuditFilter { kind: Some(AuditKind::Revoked), limit: Some(9), ..AuditFilter::default() };
        let lines = store.audit(&revoked).await.unwrap();
        assert_eq!(lines.len(), 2);
        for line in lines {
            assert_eq!(line.subject.as_deref(), Some("alice"));
            assert_eq!(line.address.map(|address| address.to_string()).as_deref(), Some("127.0.0.1"));
            assert!(line.detail.ends_with(", by alice"), "{line:?}");
        }
    }
}

#[tokio::test]
async fn the_page_shows_consumer_and_times_of_each_connection() {
    let linkgate = Linkgate::start().await;
    let mut alice = linkgate.signed_in("alice").await;
    let page = alice.get(PAGE).await;
    assert_eq!(page.status, 200);
    page.has("To connect an application, start in that application.");
    assert!(!page.body.contains("name=\"token\""), "{page:?}");

    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let page = alice.get(PAGE).await;
    for part in [
        "<h2><bdi>Bitbucket</bdi></h2>",
        "<dt>Returns to</dt><dd><bdi>bitbucket.example.com</bdi></dd>",
        "<dt>Connected</dt><dd><time datetime=\"2027-01-15T08:00:00Z\">15 January 2027, 08:00\u{a0}UTC</time></dd>",
        "<dt>Last used</dt><dd>Never</dd>",
        "<dt>Expires</dt><dd><time datetime=\"2032-02-13T08:00:00Z\">",
    ] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    assert!(
        !page.body.contains(&token.token) && !page.body.contains(&token.secret),
        "no token stands on the page"
    );

    linkgate.clock.advance(3600);
    assert_eq!(call(&linkgate, &token).await.status, 200);
    let used = "<dt>Last used</dt><dd><time datetime=\"2027-01-15T09:00:00Z\">15 January 2027, 09:00\u{a0}UTC</time> \
                <span class=\"quiet\">from <bdi>127.0.0.1</bdi></span></dd>";
    let mut page = alice.get(PAGE).await;
    for _ in 0..100 {
        if page.body.contains(used) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await; // it is noted behind the call's back
        page = alice.get(PAGE).await;
    }
    assert!(page.body.contains(used), "{page:?}");
    page.header("content-security-policy")
        .unwrap()
        .has("form-action 'self';");
}

#[tokio::test]
async fn a_user_signs_in_first_and_comes_back() {
    let linkgate = Linkgate::start().await;
    let mut alice = linkgate.browser();
    let answer = alice.get(PAGE).await;
    assert_eq!(
        (answer.status, location(&answer)),
        (303, "/oauth/login?return_to=%2Foauth%2Fconnections")
    );
    let page = alice.get(location(&answer)).await;
    let answer = alice.sign_in_on(&page, "alice").await;
    assert_eq!(location(&answer), PAGE);
    let page = alice.get(PAGE).await;
    assert!(page.body.contains("Signed in as <bdi>alice Example</bdi>"));
    let answer = alice.submit(&Form::of(&page, "return_to").unwrap()).await;
    assert_eq!(location(&answer), "/oauth/login?return_to=%2Foauth%2Fconnections");
    assert_eq!(alice.get(PAGE).await.status, 303, "signed out");
}

#[tokio::test]
async fn nothing_is_revoked_but_by_its_user_from_the_page() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let mut alice = linkgate.signed_in("alice").await;
    let mut bob = linkgate.signed_in("bob").await;
    Peer::hmac().connect(&linkgate, "bob").await;
    let form = Form::of(&alice.get(PAGE).await, "token").unwrap();
    let of_bob = Form::of(&bob.get(PAGE).await, "token").unwrap();
    let form_token = |form: &Form| form.fields[1].1.clone();
    for bent in [
        form.clone().with("form_token", "AAAA"),
        form.clone().with("form_token", &form_token(&of_bob)),
        form.clone().with("token", "all"),
        form.clone().with("token", &of_bob.fields[0].1),
    ] {
        refused(&alice.submit(&bent).await, 403, "This page is out of date");
    }
    // Bob's browser sends alice's form, and a form of his own about alice's token.
    refused(&bob.submit(&form).await, 403, "This page is out of date");
    let mixed = of_bob.clone().with("token", &form.fields[0].1);
    refused(&bob.submit(&mixed).await, 403, "This page is out of date");
    refused(
        &alice.submit(&form.clone().without("form_token")).await,
        400,
        "This form could not be read",
    );
    for site in ["cross-site", "same-site"] {
        let request = Request::post(REVOKE)
            .header("Sec-Fetch-Site", site)
            .form(form.body());
        refused(
            &alice.send(request).await,
            403,
            "Form blocked: sent from another site",
        );
    }
    assert_eq!(alice.get(REVOKE).await.status, 405);
    let mut nobody = linkgate.browser();
    assert!(location(&nobody.submit(&form).await).starts_with("/oauth/login?"));
    assert_eq!(call(&linkgate, &token).await.status, 200, "nothing was revoked");

    // An address that claims a revocation is not trusted.
    let id = &form.fields[0].1;
    for claim in ["all", id, "x", "%3Cscript%3E"] {
        let page = alice.get(&format!("{PAGE}?revoked={claim}")).await;
        assert!(!page.body.contains("Access was revoked."), "{claim}: {page:?}");
    }
}

#[tokio::test]
async fn a_hostile_name_stays_a_name_here_too() {
    let linkgate = Linkgate::start().await;
    let peer = Peer::second();
    let asked = peer
        .request_token(&linkgate, "https://second.example.com/back")
        .await;
    let verifier = linkgate.browser().approve(&asked, "alice").await;
    peer.exchange(&linkgate, &asked, &verifier)
        .passes(&linkgate)
        .await;
    let page = linkgate.signed_in("alice").await.get(PAGE).await;
    assert!(!page.body.contains("<img"), "{page:?}");
    page.has("<bdi>&#60;img src=x onerror=alert(1)&#62; &#38; &#34;Second&#34;</bdi>");
}

async fn call(linkgate: &Linkgate, token: &Credentials) -> Response {
    call_as(&Peer::hmac(), linkgate, token).await
}

async fn call_as(peer: &Peer, linkgate: &Linkgate, token: &Credentials) -> Response {
    peer.call(linkgate, "GET", "/api/me")
        .token(token)
        .send(linkgate)
        .await
}

/// The form that stands last among those that revoke.
fn last_form(page: &Response) -> Form {
    let (_, last) = page.body.rsplit_once("<details").unwrap();
    let page = Response {
        body: last.to_owned(),
        ..page.clone()
    };
    Form::of(&page, "token").unwrap()
}

#[track_caller]
fn refused(answer: &Response, status: u16, title: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.contains(&format!("<h1>{title}</h1>")), "{answer:?}");
    assert!(answer.body.contains("Reference <code>"), "{answer:?}");
}

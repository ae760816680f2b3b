//! Calls without a user's token, calls in a user's name, and bodies with a hash.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkgate::oauth::BodyHash;
use linkgate::oauth::hash::Hash;
use sha1::{Digest as _, Sha1};

use crate::support::{Call, Linkgate, Peer};

#[tokio::test]
async fn a_consumer_calls_as_itself_only_when_it_may() {
    let linkgate = Linkgate::start().await;
    for empty in [true, false] {
        let call = |peer: Peer| {
            let call = peer.call(&linkgate, "GET", "/api/x");
            if empty {
                call.oauth("oauth_token", "")
            } else {
                call
            }
        };
        call(Peer::hmac()).refused(&linkgate, "permission_denied").await;
        call(Peer::robot()).passes(&linkgate).await;
        let received = linkgate.app.last();
        assert_eq!(received.header("remote-user"), [""; 0]);
        assert_eq!(received.header("x-linkgate-consumer"), ["robot"]);
        assert_eq!(received.header("x-linkgate-call"), ["two-legged"]);
        call(Peer::rsa()).passes(&linkgate).await;
        let received = linkgate.app.last();
        assert_eq!(received.header("remote-user"), ["svc-bitbucket"]);
    }
}

#[tokio::test]
async fn an_empty_token_and_an_absent_one_are_two_base_strings() {
    let linkgate = Linkgate::start().await;
    let absent = Peer::robot().call(&linkgate, "GET", "/api/x");
    let empty = absent.clone().oauth("oauth_token", "");
    let (of_absent, of_empty) = (absent.signature(&linkgate.base), empty.signature(&linkgate.base));
    absent
        .request_with(&of_empty)
        .refused(linkgate.address, "signature_invalid")
        .await;
    empty
        .request_with(&of_absent)
        .refused(linkgate.address, "signature_invalid")
        .await;
    empty.request_with(&of_empty).passes(linkgate.address).await;
}

fn naming(linkgate: &Linkgate, peer: &Peer, query: &str) -> Call {
    peer.call(linkgate, "POST", &format!("/api/x?{query}"))
        .oauth("oauth_token", "")
}

#[tokio::test]
async fn a_user_is_named_once_in_the_signed_query() {
    let linkgate = Linkgate::start().await;
    let peer = Peer::rsa();
    for query in [
        "xoauth_requestor_id=bob",
        "a=1&xoauth_requestor_id=bob&b=2",
        "xoauth%5Frequestor%5fid=b%6Fb",
    ] {
        naming(&linkgate, &peer, query).passes(&linkgate).await;
        let received = linkgate.app.last();
        assert_eq!(received.header("remote-user"), ["bob"]);
        assert_eq!(received.header("x-linkgate-call"), ["impersonated"]);
    }
    let count = linkgate.app.received().len();
    for query in [
        "xoauth_requestor_id=bob&xoauth_requestor_id=bob",
        "xoauth_requestor_id=bob&xoauth_requestor_id=carol",
        "xoauth_requestor_id=bob&xoauth_requestor%5Fid=carol",
        "xoauth_requestor_id=",
        "xoauth_requestor_id",
        "xoauth_requestor_id=%ff",
        "xoauth_requestor_id=bob%0d%0aRemote-User:%20alice",
    ] {
        let answer = naming(&linkgate, &peer, query)
            .refused(&linkgate, "parameter_rejected")
            .await;
        answer.assert_value("oauth_parameters_rejected", "xoauth_requestor_id");
    }
    for in_form in [
        naming(&linkgate, &peer, "xoauth_requestor_id=bob").form(&[("xoauth_requestor_id", "bob")]),
        naming(&linkgate, &peer, "a=1").form(&[("xoauth_requestor_id", "bob")]),
    ] {
        in_form.refused(&linkgate, "parameter_rejected").await;
    }
    // Not covered by the signature.
    let mut added = naming(&linkgate, &peer, "a=1").request(&linkgate);
    added.target.push_str("&xoauth_requestor_id=bob");
    added.refused(linkgate.address, "signature_invalid").await;
    let mut changed = naming(&linkgate, &peer, "xoauth_requestor_id=bob").request(&linkgate);
    changed.target = changed.target.replace("bob", "carol");
    changed.refused(linkgate.address, "signature_invalid").await;
    assert_eq!(linkgate.app.received().len(), count);
}

#[tokio::test]
async fn a_user_named_in_the_authorization_header_is_told_to_move() {
    let linkgate = Linkgate::start().await;
    for (user, query) in [
        ("bob", ""),
        ("alice", ""),
        ("nobody", ""),
        ("svc", "?xoauth_requestor_id=bob"),
    ] {
        let call = Peer::rsa().call(&linkgate, "GET", &format!("/api/x{query}"));
        let sent = call.oauth("xoauth_requestor_id", user);
        let answer = sent.refused(&linkgate, "parameter_rejected").await;
        let advice = answer.value("oauth_problem_advice").unwrap();
        assert_eq!(advice, "Send xoauth_requestor_id once, in the query.");
    }
    assert!(linkgate.app.received().is_empty());
    let beside = Peer::rsa()
        .call(&linkgate, "GET", "/api/x")
        .request(&linkgate)
        .header("X-OAuth-Requestor-Id", "bob");
    beside.passes(linkgate.address).await;
    assert_eq!(linkgate.app.only().header("remote-user"), ["svc-bitbucket"]);
}

#[tokio::test]
async fn only_some_users_can_be_named_and_only_by_some_consumers() {
    let linkgate = Linkgate::start().await;
    for user in ["nobody", "BOB", "bob%20", "%20bob", "alice", "Alice", "alice%00"] {
        let answer = naming(&linkgate, &Peer::rsa(), &format!("xoauth_requestor_id={user}"))
            .send(&linkgate)
            .await;
        if user == "alice%00" {
            answer.assert_refused("parameter_rejected");
        } else {
            // `alice` is an administrator, the others do not exist; never the consumer itself instead.
            answer.assert_refused("permission_denied");
        }
    }
    for peer in [Peer::robot(), Peer::hmac()] {
        naming(&linkgate, &peer, "xoauth_requestor_id=bob")
            .refused(&linkgate, "permission_denied")
            .await;
    }
    assert!(linkgate.app.received().is_empty());
}

/// A choice: ignored, not refused. The token's user wins.
#[tokio::test]
async fn a_users_token_names_its_user_whatever_the_query_names() {
    let linkgate = Linkgate::start().await;
    let token = Peer::rsa().connect(&linkgate, "bob").await;
    for user in ["carol", "alice", "nobody"] {
        let call = Peer::rsa()
            .call(&linkgate, "GET", &format!("/api/x?xoauth_requestor_id={user}"))
            .token(&token);
        call.passes(&linkgate).await;
        let received = linkgate.app.last();
        assert_eq!(received.header("remote-user"), ["bob"]);
        assert_eq!(received.header("x-linkgate-call"), ["three-legged"]);
    }
}

#[tokio::test]
async fn a_refused_name_spends_nothing() {
    let linkgate = Linkgate::start().await;
    let call = naming(&linkgate, &Peer::rsa(), "xoauth_requestor_id=carol");
    // Even one who has signed in before: the password file says who exists, and nothing else.
    Peer::hmac().connect(&linkgate, "carol").await;
    assert!(
        linkgate
            .store()
            .await
            .user("carol", "file")
            .await
            .unwrap()
            .is_some()
    );
    linkgate.only_users(&["alice", "bob"]).await;
    call.refused(&linkgate, "permission_denied").await;
    linkgate.only_users(&["alice", "bob", "carol"]).await;
    call.passes(&linkgate).await;
}

fn hash(body: &str) -> String {
    STANDARD.encode(Sha1::digest(body))
}

#[tokio::test]
async fn a_body_hash_must_be_that_of_the_body() {
    let linkgate = Linkgate::start().await;
    let call = |value: &str| {
        Peer::robot()
            .call(&linkgate, "POST", "/api/x")
            .oauth("oauth_body_hash", value)
    };
    let json = |call: Call, body: &str| {
        let request = call.request(&linkgate).header("Content-Type", "application/json");
        request
            .header("Content-Length", body.len().to_string())
            .body(body)
    };
    for (hashed, sent) in [("{}", "{ }"), ("{}", ""), ("", "{}"), ("{}", "{}\n")] {
        json(call(&hash(hashed)), sent)
            .refused(linkgate.address, "signature_invalid")
            .await;
    }
    // A request with a changed body uses up no nonce: the consumer's own request still passes.
    let bent = call(&hash("{}"));
    json(bent.clone(), "{ }")
        .refused(linkgate.address, "signature_invalid")
        .await;
    json(bent.clone(), "{}").passes(linkgate.address).await;
    json(bent, "{}").refused(linkgate.address, "nonce_used").await;
    for malformed in [
        "",
        "x",
        "2jmj7l5rSw0yVb/vlWAYkK/YBwk",
        "2jmj7l5rSw0yVb_vlWAYkK_YBwk=",
        "AAAA",
    ] {
        let answer = json(call(malformed), "{}")
            .refused(linkgate.address, "parameter_rejected")
            .await;
        answer.assert_value("oauth_parameters_rejected", "oauth_body_hash");
    }
    // A form is signed itself, so a hash beside it says nothing, or something else.
    let form = call(&hash("a=1")).form(&[("a", "1")]);
    form.refused(&linkgate, "parameter_rejected").await;
    let in_form = call(&hash("")).in_form();
    in_form.refused(&linkgate, "parameter_rejected").await;
    assert_eq!(linkgate.app.only().body, b"{}");
    let get = Peer::robot()
        .call(&linkgate, "GET", "/api/x")
        .oauth("oauth_body_hash", &hash(""));
    get.passes(&linkgate).await;
}

/// oauthlib, authenticate-oauth and others hash the body with SHA-1, whatever they sign with.
#[test]
fn a_body_hash_may_be_sha1_beside_every_method() {
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        for sent in [hash, Hash::Sha1] {
            let value = BodyHash::new(b"{}", sent).to_base64();
            let parsed = BodyHash::parse(&value, hash).unwrap();
            assert!(parsed.verify(b"{}").is_ok(), "{hash:?}");
            assert!(parsed.verify(b"{ }").is_err(), "{hash:?}");
        }
    }
    let sha256 = BodyHash::new(b"{}", Hash::Sha256).to_base64();
    assert!(BodyHash::parse(&sha256, Hash::Sha1).is_err());
    assert!(BodyHash::parse(&sha256, Hash::Sha512).is_err());
}

#[tokio::test]
async fn a_body_hash_can_be_demanded() {
    let linkgate = Linkgate::start().await;
    let call = |method| Peer::of("hashing", "a-secret-with-hashes").call(&linkgate, method, "/api/x");
    for method in ["GET", "POST"] {
        let answer = call(method).refused(&linkgate, "parameter_absent").await;
        answer.assert_value("oauth_parameters_absent", "oauth_body_hash");
    }
    let empty = call("GET").oauth("oauth_body_hash", &hash(""));
    empty.passes(&linkgate).await;
    call("POST").form(&[("a", "1")]).passes(&linkgate).await;
}

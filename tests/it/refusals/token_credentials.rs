//! Request tokens and access tokens (RFC 5849, sections 2.1 and 2.3): what ends them, and what does not.

use std::collections::BTreeSet;
use std::time::Duration;

use super::TOKEN_ENDPOINTS;
use crate::support::{CALLBACK, Call, Credentials, Linkgate, Peer, Request, credentials, rng};

pub(super) fn read(linkgate: &Linkgate, token: &Credentials) -> Call {
    Peer::hmac().call(linkgate, "GET", "/api/builds").token(token)
}

/// A request token that alice approved, and its verifier.
pub(super) async fn approved(linkgate: &Linkgate) -> (Credentials, String) {
    let token = Peer::hmac().request_token(linkgate, CALLBACK).await;
    let verifier = linkgate.browser().approve(&token, "alice").await;
    (token, verifier)
}

#[tokio::test]
async fn a_request_token_is_exchanged_once() {
    let linkgate = Linkgate::start().await;
    let (token, verifier) = approved(&linkgate).await;
    let exchange = async || {
        let exchange = Peer::hmac().exchange(&linkgate, &token, &verifier);
        exchange.send(&linkgate).await
    };
    let first = exchange().await;
    // The first answer may have been lost on its way: for some minutes the same request gets it again.
    linkgate.clock.advance(299);
    let again = exchange().await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    let call = Peer::hmac().exchange(&linkgate, &token, "wrong");
    let wrong = call.send(&linkgate).await;
    wrong.assert_refused("token_used");
    let call = Peer::rsa().exchange(&linkgate, &token, &verifier);
    let thief = call.send(&linkgate).await;
    thief.assert_refused("token_rejected");
    linkgate.clock.advance(1);
    exchange().await.assert_refused("token_used");
    // The token that the first exchange gave is not punished for it.
    read(&linkgate, &credentials(&first)).passes(&linkgate).await;
}

#[tokio::test]
async fn an_exchange_waits_for_the_users_answer() {
    let linkgate = Linkgate::start().await;
    let peer = Peer::hmac();
    let token = peer.request_token(&linkgate, CALLBACK).await;
    for _ in 0..10 {
        peer.exchange(&linkgate, &token, "guess")
            .refused(&linkgate, "permission_unknown")
            .await;
    }
    let verifier = linkgate.browser().approve(&token, "alice").await;
    peer.exchange(&linkgate, &token, &verifier)
        .passes(&linkgate)
        .await;

    let token = peer.request_token(&linkgate, CALLBACK).await;
    linkgate.browser().deny(&token, "alice").await;
    for verifier in ["denied", "guess", verifier.as_str()] {
        peer.exchange(&linkgate, &token, verifier)
            .refused(&linkgate, "permission_denied")
            .await;
    }
}

#[tokio::test]
async fn an_expired_request_token_is_told_from_an_unknown_one() {
    let linkgate = Linkgate::start().await;
    let (token, verifier) = approved(&linkgate).await;
    let pending = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    linkgate.clock.advance(599);
    assert_eq!(linkgate.browser().question(&pending, "alice").await.status, 200);
    linkgate.clock.advance(1);
    for token in [&token, &pending] {
        let call = Peer::hmac().exchange(&linkgate, token, &verifier);
        call.refused(&linkgate, "token_expired").await;
        let page = linkgate.browser().question(token, "alice").await;
        page.assert(410, "location", None);
    }
    let unknown = Credentials {
        token: "abcd0123456789012345678901234567".to_owned(),
        secret: String::new(),
    };
    let call = Peer::hmac().exchange(&linkgate, &unknown, &verifier);
    call.refused(&linkgate, "token_rejected").await;
}

#[tokio::test]
async fn the_fifth_wrong_verifier_ends_the_request_token() {
    let linkgate = Linkgate::start().await;
    let (_, of_another) = approved(&linkgate).await;
    for wrong in [
        |right: &str| right.to_ascii_uppercase() + "x",
        |right: &str| format!(" {right}"),
        |right: &str| format!("{right}\n"),
        |right: &str| right[..19].to_owned(),
        |_: &str| String::new(),
        |_: &str| "denied".to_owned(),
        |right: &str| format!("{right}{right}"),
        |right: &str| right.chars().rev().collect(),
    ] {
        let (token, verifier) = approved(&linkgate).await;
        for _ in 0..4 {
            let call = Peer::hmac().exchange(&linkgate, &token, &wrong(&verifier));
            call.refused(&linkgate, "token_rejected").await;
        }
        let call = Peer::hmac().exchange(&linkgate, &token, &verifier);
        call.passes(&linkgate).await;
    }
    let (token, verifier) = approved(&linkgate).await;
    for _ in 0..5 {
        let call = Peer::hmac().exchange(&linkgate, &token, &of_another);
        call.refused(&linkgate, "token_rejected").await;
    }
    let call = Peer::hmac().exchange(&linkgate, &token, &verifier);
    call.refused(&linkgate, "token_used").await;
}

/// Also: the verifier is looked at after the signature, so that a bad signature gives one answer for all verifiers.
#[tokio::test]
async fn without_the_secrets_token_and_verifier_are_useless() {
    let linkgate = Linkgate::start().await;
    let (token, verifier) = approved(&linkgate).await;
    let before = linkgate.on_disk();
    let mut answers = BTreeSet::new();
    for verifier in [
        verifier.as_str(),
        "wrong",
        "wrong2",
        "wrong3",
        "wrong4",
        "wrong5",
        "wrong6",
        "",
    ] {
        for secret in ["", "wrong"] {
            let stranger = Credentials {
                secret: secret.to_owned(),
                ..token.clone()
            };
            let call = Peer::hmac().exchange(&linkgate, &stranger, verifier);
            let answer = call.request_with("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
            let answer = answer.refused(linkgate.address, "signature_invalid").await;
            answers.insert((answer.header("www-authenticate").unwrap().to_owned(), answer.body));
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    let unsigned =
        Request::post("/oauth/access-token").form(format!("oauth_token={}&oauth_verifier=x", token.token));
    unsigned.refused(linkgate.address, "parameter_absent").await;
    assert_eq!(linkgate.on_disk(), before);
    let call = Peer::hmac().exchange(&linkgate, &token, &verifier);
    call.passes(&linkgate).await;
}

#[tokio::test]
async fn what_is_no_token_of_ours_can_never_work_and_is_told_so() {
    let linkgate = Linkgate::start().await;
    for text in [
        "t",
        "abcd0123456789012345678901234567",
        "\u{fc}",
        "a b",
        "' or 1=1 --",
    ] {
        let token = Credentials {
            token: text.to_owned(),
            secret: "s".to_owned(),
        };
        read(&linkgate, &token).refused(&linkgate, "token_rejected").await;
        let call = Peer::hmac().exchange(&linkgate, &token, "v");
        call.refused(&linkgate, "token_rejected").await;
    }
    for text in ["t".repeat(256), "a\r\nb".to_owned(), "a\0".to_owned()] {
        let token = Credentials {
            token: text,
            secret: String::new(),
        };
        read(&linkgate, &token).refused(&linkgate, "token_rejected").await;
    }
    let without = Peer::hmac()
        .call(&linkgate, "POST", "/oauth/access-token")
        .oauth("oauth_verifier", "v");
    for call in [
        without.clone(),
        without.oauth("oauth_token", "").oauth("oauth_nonce", "empty"),
    ] {
        let answer = call.refused(&linkgate, "parameter_absent").await;
        answer.assert_value("oauth_parameters_absent", "oauth_token");
    }
}

#[tokio::test]
async fn tokens_are_long_random_and_need_no_encoding() {
    let linkgate = Linkgate::start().await;
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
        for text in [&token.token, &token.secret] {
            assert!(
                text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{text}"
            );
            // Four characters name the key. The rest is 28 of 62: 166 bits.
            assert!(seen.insert(text[4..].to_owned()));
            assert!(seen.insert(text[4..14].to_owned()), "nothing is counted up");
        }
    }
}

#[tokio::test]
async fn a_token_ends_with_its_user() {
    let linkgate = Linkgate::start().await;
    let (waiting, verifier) = approved(&linkgate).await;
    let (token, handle) = super::session_handle::connected(&linkgate).await;
    linkgate.only_users(&["bob", "carol"]).await;
    read(&linkgate, &token).refused(&linkgate, "token_rejected").await;
    let exchange = Peer::hmac().exchange(&linkgate, &waiting, &verifier);
    exchange.refused(&linkgate, "token_rejected").await;
    let renewal = super::session_handle::renewal(&linkgate, &token, &handle);
    renewal.refused(&linkgate, "token_rejected").await;
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn an_expired_or_revoked_token_is_told_apart() {
    let linkgate = Linkgate::start().await;
    let revoked = Peer::hmac().connect(&linkgate, "alice").await;
    let expired = Peer::hmac().connect(&linkgate, "alice").await;
    super::session_handle::revoke(&linkgate, &revoked).await;
    read(&linkgate, &revoked)
        .refused(&linkgate, "token_revoked")
        .await;
    linkgate.clock.advance(157_680_000 - 1);
    read(&linkgate, &expired).passes(&linkgate).await;
    linkgate.clock.advance(1);
    read(&linkgate, &expired)
        .refused(&linkgate, "token_expired")
        .await;
    assert_eq!(linkgate.app.received().len(), 1);
}

/// The secret of a token is derived from it, so it is known of a token that does not exist.
#[tokio::test]
async fn a_false_signature_does_not_tell_whether_a_token_exists() {
    let linkgate = Linkgate::start().await;
    let peer = Peer::hmac();
    let living = peer.connect(&linkgate, "alice").await;
    let revoked = peer.connect(&linkgate, "alice").await;
    super::session_handle::revoke(&linkgate, &revoked).await;
    let keyring = linkgate.database().keyring();
    let unknown = keyring.new_token(&mut rng());
    let unknown = Credentials {
        secret: keyring.token_secret(&unknown).unwrap().expose().to_owned(),
        token: unknown.as_str().to_owned(),
    };
    // What reads a token fails, once nothing is remembered.
    linkgate
        .execute("alter table access_tokens rename to hidden")
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut answers = BTreeSet::new();
    for token in [&living, &revoked, &unknown] {
        let request = read(&linkgate, token).request_with("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let answer = request.refused(linkgate.address, "signature_invalid").await;
        answers.insert((answer.header("www-authenticate").unwrap().to_owned(), answer.body));
        let exchange = peer.exchange(&linkgate, token, "v");
        let request = exchange.request_with("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let answer = request.refused(linkgate.address, "signature_invalid").await;
        answers.insert((answer.header("www-authenticate").unwrap().to_owned(), answer.body));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    linkgate
        .execute("alter table hidden rename to access_tokens")
        .await;
    assert_eq!(read(&linkgate, &living).send(&linkgate).await.status, 200);
    for (token, problem) in [(&revoked, "token_revoked"), (&unknown, "token_rejected")] {
        read(&linkgate, token).refused(&linkgate, problem).await;
    }
}

#[tokio::test]
async fn token_endpoints_take_post_and_get() {
    let linkgate = Linkgate::start().await;
    let by_get = |call: Call| Call {
        method: "GET".to_owned(),
        place: crate::support::Place::Query,
        ..call
    };
    let asked = Peer::hmac()
        .call(&linkgate, "GET", "/oauth/request-token")
        .oauth("oauth_callback", CALLBACK);
    let answer = asked.in_query().send(&linkgate).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = credentials(&answer);
    let verifier = linkgate.browser().approve(&token, "alice").await;
    let exchange = by_get(Peer::hmac().exchange(&linkgate, &token, &verifier));
    exchange.passes(&linkgate).await;
    for path in TOKEN_ENDPOINTS {
        for method in ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let call = Peer::hmac()
                .call(&linkgate, method, path)
                .oauth("oauth_callback", CALLBACK);
            let answer = call.send(&linkgate).await;
            let found = (answer.status, answer.header("allow"));
            assert_eq!(found, (405, Some("GET, POST")), "{method} {path}");
        }
    }
    assert!(linkgate.app.received().is_empty());
}

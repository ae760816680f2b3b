//! Whose a token is: one consumer's, for one endpoint, together with its secret.

use super::token_credentials::{approved, read};
use crate::support::{CALLBACK, Credentials, Linkgate, Peer};

#[tokio::test]
async fn a_consumer_that_is_switched_off_is_rejected_everywhere() {
    let linkgate = Linkgate::start().await;
    let peer = Peer::of("switched-off", "a-secret-for-nothing");
    for (method, path) in [
        ("POST", "/oauth/request-token"),
        ("POST", "/oauth/access-token"),
        ("GET", "/api/x"),
    ] {
        let call = peer
            .call(&linkgate, method, path)
            .oauth("oauth_callback", CALLBACK);
        call.refused(&linkgate, "consumer_key_rejected").await;
    }
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn a_request_token_is_exchanged_by_its_own_consumer() {
    let linkgate = Linkgate::start().await;
    let (token, verifier) = approved(&linkgate).await;
    for thief in [Peer::second(), Peer::rsa(), Peer::robot()] {
        for verifier in [verifier.as_str(), "wrong", "denied"] {
            let call = thief.exchange(&linkgate, &token, verifier);
            call.refused(&linkgate, "token_rejected").await;
        }
    }
    let call = Peer::hmac().exchange(&linkgate, &token, &verifier);
    call.passes(&linkgate).await;
}

#[tokio::test]
async fn an_access_token_is_used_by_its_own_consumer() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    for thief in [Peer::second(), Peer::rsa(), Peer::robot()] {
        let call = thief.call(&linkgate, "GET", "/api/builds").token(&token);
        call.refused(&linkgate, "token_rejected").await;
    }
    read(&linkgate, &token).passes(&linkgate).await;
    assert_eq!(linkgate.app.only().header("remote-user"), ["alice"]);
}

#[tokio::test]
async fn each_token_is_good_for_its_own_endpoint_alone() {
    let linkgate = Linkgate::start().await;
    let (token, verifier) = approved(&linkgate).await;
    read(&linkgate, &token).refused(&linkgate, "token_rejected").await;
    let access = Peer::hmac().connect(&linkgate, "alice").await;
    let call = Peer::hmac().exchange(&linkgate, &access, &verifier);
    call.refused(&linkgate, "token_rejected").await;
    let page = linkgate.browser().question(&access, "alice").await;
    page.assert(400, "location", None);
    let renewal = Peer::hmac()
        .exchange(&linkgate, &token, &verifier)
        .oauth("oauth_session_handle", "x");
    renewal.refused(&linkgate, "token_rejected").await;
    let with_token = Peer::hmac()
        .call(&linkgate, "POST", "/oauth/request-token")
        .oauth("oauth_callback", CALLBACK);
    let answer = with_token
        .token(&access)
        .refused(&linkgate, "parameter_rejected")
        .await;
    answer.assert_value("oauth_parameters_rejected", "oauth_token");
    let call = Peer::hmac().exchange(&linkgate, &token, &verifier);
    call.passes(&linkgate).await;
}

/// The consumer's secret alone, without the token's, is no signature: the consumer hears what it forgot.
#[tokio::test]
async fn the_tokens_secret_is_part_of_the_signature() {
    let linkgate = Linkgate::start().await;
    let (token, verifier) = approved(&linkgate).await;
    let access = Peer::hmac().connect(&linkgate, "alice").await;
    for secret in ["", token.token.as_str(), access.secret.as_str()] {
        let forgetful = Credentials {
            secret: secret.to_owned(),
            ..token.clone()
        };
        let call = Peer::hmac().exchange(&linkgate, &forgetful, &verifier);
        call.refused(&linkgate, "signature_invalid").await;
    }
    let crossed = Credentials {
        secret: token.secret.clone(),
        ..access
    };
    read(&linkgate, &crossed)
        .refused(&linkgate, "signature_invalid")
        .await;
    let call = Peer::hmac().exchange(&linkgate, &token, &verifier);
    call.passes(&linkgate).await;
}

#[tokio::test]
async fn too_many_request_tokens_are_rejected_without_a_token_problem() {
    let linkgate = Linkgate::start().await;
    let access = Peer::hmac().connect(&linkgate, "alice").await;
    linkgate
        .execute(
            "with recursive counted(n) as (select 1 union all select n + 1 from counted where n < 1000) \
             insert into request_tokens \
             (digest, key_id, consumer_key, callback, issued_at, expires_at, wrong_verifiers, state) \
             select cast(n as blob), id, 'bitbucket-form', 'oob', 1800000000, 1800000600, 0, 'pending' \
             from counted, secret_keys",
        )
        .await;
    let ask = |peer: Peer, callback| {
        peer.call(&linkgate, "POST", "/oauth/request-token")
            .oauth("oauth_callback", callback)
    };
    let answer = ask(Peer::hmac(), CALLBACK)
        .refused(&linkgate, "consumer_key_refused")
        .await;
    assert!(answer.header("retry-after").is_some());
    ask(Peer::second(), "oob").passes(&linkgate).await;
    read(&linkgate, &access).passes(&linkgate).await;
    // Unanswered, they are over in ten minutes.
    linkgate.clock.advance(600);
    ask(Peer::hmac(), CALLBACK).passes(&linkgate).await;
}

//! The scenarios of the reference provider, one after the other, with the answers that its consumers rely on.

use std::time::Duration;

use crate::support::{CALLBACK, Linkgate, Peer, credentials};

#[tokio::test]
async fn request_token() {
    let linkgate = Linkgate::start().await;
    let call = |peer: Peer| peer.call(&linkgate, "POST", "/oauth/request-token").in_form();
    for callback in [CALLBACK, "oob"] {
        let sent = call(Peer::hmac()).oauth("oauth_callback", callback);
        let answer = sent.send(&linkgate).await;
        answer.assert(200, "content-type", Some("application/x-www-form-urlencoded"));
        answer.assert_header("cache-control", "no-store");
        let names: Vec<_> = answer.pairs().into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["oauth_token", "oauth_token_secret", "oauth_callback_confirmed"]
        );
        assert!(answer.body.ends_with("&oauth_callback_confirmed=true"));
    }
    let unknown = call(Peer::of("nobody", "x"))
        .oauth("oauth_callback", CALLBACK)
        .send(&linkgate)
        .await;
    unknown.assert_refused("consumer_key_unknown");
    let forged = call(Peer::of("bitbucket-form", "wrong"))
        .oauth("oauth_callback", CALLBACK)
        .send(&linkgate)
        .await;
    forged.assert_refused("signature_invalid");
    for callback in [
        "not a url",
        "/relative",
        "ftp://bitbucket.example.com/",
        "https://elsewhere.example.com/",
    ] {
        let sent = call(Peer::hmac()).oauth("oauth_callback", callback);
        sent.refused(&linkgate, "parameter_rejected").await;
    }
}

#[tokio::test]
async fn access_token() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    let verifier = linkgate.browser().approve(&token, "alice").await;
    let forged = Peer::of("bitbucket-form", "wrong").exchange(&linkgate, &token, &verifier);
    forged.refused(&linkgate, "signature_invalid").await;
    let call = Peer::hmac().exchange(&linkgate, &token, &verifier);
    let answer = call.send(&linkgate).await;
    answer.assert(200, "content-type", Some("application/x-www-form-urlencoded"));
    answer.assert_header("cache-control", "no-store");
    let access = credentials(&answer);
    let handle = answer.value("oauth_session_handle").unwrap();
    assert_eq!(
        answer.body,
        format!(
            "oauth_token={}&oauth_token_secret={}&oauth_expires_in=157680000&oauth_session_handle={handle}\
             &oauth_authorization_expires_in=160272000",
            access.token, access.secret
        )
    );
}

#[tokio::test]
async fn filter() {
    let linkgate = Linkgate::start().await;
    let access = Peer::hmac().connect(&linkgate, "alice").await;
    let call = |peer: Peer| peer.call(&linkgate, "GET", "/api/builds").token(&access);
    call(Peer::hmac()).passes(&linkgate).await;
    assert_eq!(linkgate.app.only().header("x-linkgate-name"), ["alice Example"]);
    call(Peer::of("nobody", "x"))
        .refused(&linkgate, "consumer_key_unknown")
        .await;
    call(Peer::second()).refused(&linkgate, "token_rejected").await;
    call(Peer::of("bitbucket-form", "wrong"))
        .refused(&linkgate, "signature_invalid")
        .await;
    assert_eq!(linkgate.app.received().len(), 1);
}

#[tokio::test]
async fn a_consumer_that_is_deleted_or_switched_off_is_told_so_within_a_second() {
    let linkgate = Linkgate::start().await;
    let access = Peer::hmac().connect(&linkgate, "alice").await;
    let waiting = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    let call = || Peer::hmac().call(&linkgate, "GET", "/api/builds").token(&access);
    call().passes(&linkgate).await;
    let store = linkgate.store().await;
    let key = linkgate::oauth::ConsumerKey::parse("bitbucket-form").unwrap();
    let done = store
        .set_consumer_enabled(&key, false, linkgate.clock.now())
        .await;
    assert!(done.unwrap());
    tokio::time::sleep(Duration::from_secs(1)).await;
    call().refused(&linkgate, "consumer_key_rejected").await;
    assert_eq!(linkgate.browser().question(&waiting, "alice").await.status, 403);
    // Switched on again, its tokens are as good as before.
    let done = store.set_consumer_enabled(&key, true, linkgate.clock.now()).await;
    assert!(done.unwrap());
    tokio::time::sleep(Duration::from_secs(1)).await;
    call().passes(&linkgate).await;
    assert!(store.purge_consumer(&key, linkgate.clock.now()).await.unwrap());
    tokio::time::sleep(Duration::from_secs(1)).await;
    call().refused(&linkgate, "consumer_key_unknown").await;
}

#[tokio::test]
async fn two_users_one_permitted_and_one_not() {
    let linkgate = Linkgate::start().await;
    let of_bob = Peer::hmac().connect(&linkgate, "bob").await;
    let refused = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    linkgate.browser().deny(&refused, "carol").await;
    let sent = Peer::hmac().exchange(&linkgate, &refused, "denied");
    sent.refused(&linkgate, "permission_denied").await;
    let call = Peer::hmac().call(&linkgate, "GET", "/api/builds").token(&of_bob);
    call.passes(&linkgate).await;
    assert_eq!(linkgate.app.only().header("remote-user"), ["bob"]);
}

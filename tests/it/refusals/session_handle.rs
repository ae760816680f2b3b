//! Renewal (OAuth Session 1.0): the session handle of a token renews it, and the old token ends.

use linkgate::oauth::Token;
use linkgate::store::{Actor, Revoke};

use super::token_credentials::read;
use crate::support::{CALLBACK, Call, Credentials, Linkgate, Peer, code, credentials};

/// An access token of alice's, and its session handle.
pub(crate) async fn connected(linkgate: &Linkgate) -> (Credentials, String) {
    let token = Peer::hmac().request_token(linkgate, CALLBACK).await;
    let verifier = linkgate.browser().approve(&token, "alice").await;
    let call = Peer::hmac().exchange(linkgate, &token, &verifier);
    let answer = call.send(linkgate).await;
    (
        credentials(&answer),
        answer.value("oauth_session_handle").expect("a session handle"),
    )
}

pub(crate) fn renewal(linkgate: &Linkgate, token: &Credentials, handle: &str) -> Call {
    let call = Peer::hmac()
        .call(linkgate, "POST", "/oauth/access-token")
        .token(token);
    call.oauth("oauth_session_handle", handle).in_form()
}

/// Revokes a token past the server, as the command line does.
pub(super) async fn revoke(linkgate: &Linkgate, token: &Credentials) {
    let store = linkgate.store().await;
    let kept = store
        .access_token(&Token::parse(&token.token).unwrap())
        .await
        .unwrap()
        .unwrap();
    let by = Actor {
        name: "command",
        address: None,
    };
    let which = Revoke::One { id: &kept.id };
    let revoked = store.revoke(which, by, linkgate.clock.now()).await.unwrap();
    assert_eq!(revoked.len(), 1);
}

#[tokio::test]
async fn a_renewed_token_replaces_the_old_one_after_some_minutes() {
    let linkgate = Linkgate::start().await;
    let (old, handle) = connected(&linkgate).await;
    read(&linkgate, &old).passes(&linkgate).await;
    linkgate.clock.advance(100);
    let answer = renewal(&linkgate, &old, &handle).send(&linkgate).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.assert_value("oauth_expires_in", "157680000");
    // The session goes on where it was: it is not prolonged.
    answer.assert_value("oauth_authorization_expires_in", "160271900");
    let new = credentials(&answer);
    assert!(new.token != old.token && new.secret != old.secret);
    // The answer may have been lost on its way: the old token works on, and the same request gets the same answer.
    linkgate.clock.advance(299);
    read(&linkgate, &old).passes(&linkgate).await;
    let again = renewal(&linkgate, &old, &handle).send(&linkgate).await;
    assert_eq!((again.status, &again.body), (200, &answer.body));
    let wrong = renewal(&linkgate, &old, "wrong").send(&linkgate).await;
    wrong.assert_refused("token_rejected");
    linkgate.clock.advance(1);
    tokio::time::sleep(std::time::Duration::from_millis(900)).await; // what is cached counts for 800 ms
    read(&linkgate, &old).refused(&linkgate, "token_rejected").await;
    renewal(&linkgate, &old, &handle)
        .refused(&linkgate, "token_rejected")
        .await;
    read(&linkgate, &new).passes(&linkgate).await;
    let handle = answer.value("oauth_session_handle").unwrap();
    renewal(&linkgate, &new, &handle).passes(&linkgate).await;
}

#[tokio::test]
async fn a_renewal_needs_the_handle_of_this_token() {
    let linkgate = Linkgate::start().await;
    let ((token, handle), (_, of_another)) = (connected(&linkgate).await, connected(&linkgate).await);
    let answer = renewal(&linkgate, &token, "")
        .without("oauth_session_handle")
        .refused(&linkgate, "parameter_absent")
        .await;
    answer.assert_value("oauth_parameters_absent", "oauth_session_handle");
    for wrong in [
        "",
        "wrong",
        of_another.as_str(),
        &handle[1..],
        &handle.to_ascii_uppercase(),
        &format!("{handle} "),
    ] {
        renewal(&linkgate, &token, wrong)
            .refused(&linkgate, "token_rejected")
            .await;
    }
    for thief in [Peer::second(), Peer::rsa()] {
        let call = thief.call(&linkgate, "POST", "/oauth/access-token").token(&token);
        call.oauth("oauth_session_handle", &handle)
            .refused(&linkgate, "token_rejected")
            .await;
    }
    let forged = renewal(&linkgate, &token, &handle).request_with("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    forged.refused(linkgate.address, "signature_invalid").await;
    // Nothing of it hurt the token, nor its session.
    read(&linkgate, &token).passes(&linkgate).await;
    renewal(&linkgate, &token, &handle).passes(&linkgate).await;
}

#[tokio::test]
async fn a_session_ends() {
    let linkgate = Linkgate::start().await;
    let (token, handle) = connected(&linkgate).await;
    // The token's own end is no obstacle: that is what renewal is for.
    linkgate.clock.advance(157_680_000);
    read(&linkgate, &token).refused(&linkgate, "token_expired").await;
    let answer = renewal(&linkgate, &token, &handle).send(&linkgate).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    linkgate.clock.advance(160_272_000 - 157_680_000);
    renewal(&linkgate, &credentials(&answer), &handle)
        .refused(&linkgate, "permission_denied")
        .await;
}

#[tokio::test]
async fn a_revoked_token_is_not_renewed() {
    let linkgate = Linkgate::start().await;
    let (token, handle) = connected(&linkgate).await;
    revoke(&linkgate, &token).await;
    renewal(&linkgate, &token, &handle)
        .refused(&linkgate, "token_revoked")
        .await;
}

#[tokio::test]
async fn a_consumer_without_session_handles_renews_nothing() {
    let linkgate = Linkgate::start().await;
    let (_, handle) = connected(&linkgate).await;
    let token = Peer::second().request_token(&linkgate, "oob").await;
    let page = linkgate.browser().decide(&token, "bob", "approve").await;
    let verifier = &code(&page);
    let sent = Peer::second().exchange(&linkgate, &token, verifier);
    let answer = sent.send(&linkgate).await;
    let names: Vec<_> = answer.pairs().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["oauth_token", "oauth_token_secret"], "{answer:?}");
    for handle in ["", handle.as_str()] {
        let call = Peer::second()
            .call(&linkgate, "POST", "/oauth/access-token")
            .token(&credentials(&answer));
        call.oauth("oauth_session_handle", handle)
            .refused(&linkgate, "token_rejected")
            .await;
    }
}

//! nginx asks twice about one request when it redirects it within itself. A replay must not look like that.

use super::{by_envoy, by_nginx, by_traefik, passes, send_from};
use crate::support::{Linkgate, Peer, Request, Response, Setup, Text as _};

/// One that trusts two proxies.
async fn start() -> Linkgate {
    Setup::new()
        .base(super::BASE)
        .server("trusted_proxies = [\"127.0.0.1\", \"127.0.0.2\"]")
        .start()
        .await
}

#[track_caller]
fn is_a_replay(verdict: &Response) {
    assert_eq!(verdict.status, 401, "{verdict:?}");
    let challenge = verdict.header("www-authenticate").unwrap();
    assert!(challenge.contains("oauth_problem=\"nonce_used\""), "{challenge}");
}

#[tokio::test]
async fn a_second_question_gets_the_same_verdict() {
    let linkgate = start().await;
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let call = Peer::hmac().call(&linkgate, "POST", "/api/x?a=b").token(&token);
    let question = by_nginx(&call.request(&linkgate), "6d2f1b");
    let first = question.send(linkgate.address).await;
    assert_eq!(passes(&first)[0], ("remote-user", "alice"));
    for _ in 0..3 {
        let again = question.send(linkgate.address).await;
        assert_eq!(passes(&again), passes(&first));
    }
}

#[tokio::test]
async fn anything_else_is_a_replay() {
    let linkgate = start().await;
    let call = Peer::robot().call(&linkgate, "GET", "/api/x").request(&linkgate);
    let question = by_nginx(&call, "6d2f1b");
    assert_eq!(question.send(linkgate.address).await.status, 204);
    is_a_replay(&by_nginx(&call, "6d2f1c").send(linkgate.address).await);
    is_a_replay(&by_nginx(&call, "").send(linkgate.address).await);
    is_a_replay(
        &by_traefik(&call)
            .header("X-Request-Id", "6d2f1b")
            .send(linkgate.address)
            .await,
    );
    is_a_replay(
        &by_envoy(&call)
            .header("X-Request-Id", "6d2f1b")
            .send(linkgate.address)
            .await,
    );
    is_a_replay(&send_from("127.0.0.2", &question, linkgate.address).await);
    let mut without_id = question.clone();
    without_id.headers.retain(|(name, _)| name != "X-Request-Id");
    is_a_replay(&without_id.send(linkgate.address).await);
    let mut of_another_client = question.clone();
    of_another_client.headers[3].1 = "192.0.2.8".to_owned();
    is_a_replay(&of_another_client.send(linkgate.address).await);
    let at_the_gateway = call.send(linkgate.address).await;
    at_the_gateway.assert_refused("nonce_used");
    linkgate.clock.advance(9);
    assert_eq!(question.send(linkgate.address).await.status, 204);
    linkgate.clock.advance(1);
    is_a_replay(&question.send(linkgate.address).await);
}

#[tokio::test]
async fn a_request_id_is_for_one_request() {
    let linkgate = start().await;
    let sent = Peer::robot().call(&linkgate, "GET", "/api/x?a=b");
    let call = sent.request(&linkgate);
    let question = by_nginx(&call, "6d2f1b");
    assert_eq!(question.send(linkgate.address).await.status, 204);
    let bent = |bend: fn(&mut Request)| {
        let mut question = question.clone();
        bend(&mut question);
        question
    };
    let url = |url: &'static str| {
        let mut question = question.clone();
        question.headers[0].1 = format!("https://builds.example.com/api/{url}");
        question
    };
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    for (bent, problem) in [
        (url("y?a=b"), "signature_invalid"),
        (url("x?a=c"), "signature_invalid"),
        (url("x"), "signature_invalid"),
        (bent(|q| q.headers[1].1 = "DELETE".into()), "signature_invalid"),
        (
            bent(|q| q.headers[4].1 = q.headers[4].1.replace("robot", "r%6Fbot")),
            "nonce_used",
        ),
        (question.clone().header(form.0, form.1), "signature_invalid"),
    ] {
        let verdict = bent.send(linkgate.address).await;
        let challenge = verdict.header("www-authenticate").unwrap_or_default();
        let named = challenge.contains(&format!("oauth_problem=\"{problem}\""));
        assert!(named, "{bent:?}: {verdict:?}");
        assert_eq!(verdict.header("x-linkgate-consumer"), None);
    }
    let overriding = question.header("X-HTTP-Method-Override", "DELETE");
    assert_ne!(overriding.send(linkgate.address).await.status, 204);
}

#[tokio::test]
async fn a_repeated_request_id_ends() {
    let linkgate = start().await;
    let call = Peer::robot().call(&linkgate, "GET", "/api/x").request(&linkgate);
    let question = by_nginx(&call, "1");
    for _ in 0..11 {
        assert_eq!(question.send(linkgate.address).await.status, 204);
    }
    is_a_replay(&question.send(linkgate.address).await);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_verdict_live_longer() {
    let linkgate = start().await;
    let call = Peer::robot().call(&linkgate, "GET", "/api/x").request(&linkgate);
    let question = by_nginx(&call, "1");
    assert_eq!(question.send(linkgate.address).await.status, 204);
    linkgate.clock.advance(-20);
    is_a_replay(&question.send(linkgate.address).await);
}

#[tokio::test]
async fn what_was_refused_is_judged_again() {
    let linkgate = start().await;
    let switched_off = Peer::of("switched-off", "a-secret-for-nothing");
    let call = switched_off.call(&linkgate, "GET", "/api/x").request(&linkgate);
    let question = by_nginx(&call, "1");
    for _ in 0..2 {
        let verdict = question.send(linkgate.address).await;
        verdict
            .header("www-authenticate")
            .unwrap()
            .has("consumer_key_rejected");
    }
}

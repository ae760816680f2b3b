//! What a verdict says, in the words that each proxy understands.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use super::{BASE, NOBODY, by_envoy, by_nginx, by_traefik, passes, setup, start};
use crate::support::{Database, Peer, Program, Request, Response, echo};

/// Each proxy's question about the same request.
fn questions(client: &Request) -> [Request; 3] {
    [by_nginx(client, "1"), by_traefik(client), by_envoy(client)]
}

#[tokio::test]
async fn an_admitted_call_is_its_users() {
    let linkgate = start().await;
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    for at in 0..3 {
        let call = Peer::hmac()
            .call(&linkgate, "DELETE", "/api/a/../b//%2f?q=%C3%BC&q=a+b&flag")
            .token(&token);
        let question = &questions(&call.request(&linkgate))[at];
        let verdict = question.send(linkgate.address).await;
        assert_eq!(
            passes(&verdict),
            [
                ("remote-user", "alice"),
                ("x-linkgate-call", "three-legged"),
                ("x-linkgate-consumer", "bitbucket-form"),
                ("x-linkgate-name", "alice Example"),
                ("x-linkgate-user", "alice"),
            ],
            "{question:?}"
        );
        question.send(linkgate.address).await;
    }
    assert!(linkgate.app.received().is_empty(), "a verdict is no request");
}

#[tokio::test]
async fn the_assertion_is_about_the_clients_request() {
    let linkgate = setup().identity("assertion = true").start().await;
    let jwks = Request::get("/.well-known/linkgate/jwks.json");
    let jwks: JwkSet = serde_json::from_str(&jwks.send(linkgate.address).await.body).unwrap();
    let key = DecodingKey::from_jwk(&jwks.keys[0]).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[BASE]);
    validation.set_issuer(&[BASE]);
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    for at in 0..3 {
        let call = Peer::hmac()
            .call(&linkgate, "DELETE", "/api/a/../b?q=1")
            .token(&token);
        let verdict = questions(&call.request(&linkgate))[at]
            .send(linkgate.address)
            .await;
        let jwt = verdict.header("x-linkgate-assertion").unwrap();
        let claims = jsonwebtoken::decode::<serde_json::Value>(jwt, &key, &validation)
            .unwrap()
            .claims;
        for (name, value) in [
            ("sub", "alice"),
            ("name", "alice Example"),
            ("consumer", "bitbucket-form"),
            ("call", "three-legged"),
            ("method", "DELETE"),
            ("path", "/api/a/../b"),
        ] {
            assert_eq!(claims[name], value, "{claims}");
        }
        // An unsigned request: the proxy writes an empty one over what its client sent.
        let verdict = questions(&Request::get("/page"))[at].send(linkgate.address).await;
        verdict.assert_header("x-linkgate-assertion", "");
    }
}

#[tokio::test]
async fn a_consumer_without_a_user_overwrites_the_user() {
    let linkgate = start().await;
    for at in 0..3 {
        let call = Peer::robot().call(&linkgate, "GET", "/api/x").request(&linkgate);
        let verdict = questions(&call.header("Remote-User", "mallory"))[at]
            .send(linkgate.address)
            .await;
        assert_eq!(
            passes(&verdict),
            [
                ("remote-user", ""),
                ("x-linkgate-call", "two-legged"),
                ("x-linkgate-consumer", "robot"),
                ("x-linkgate-name", ""),
                ("x-linkgate-user", ""),
            ]
        );
    }
}

#[tokio::test]
async fn without_oauth_the_route_decides() {
    let linkgate = start().await;
    for (target, passing) in [
        ("/page", true),
        ("/static/a.css", true),
        ("/static/a.css?oauth_signature=x&oauth_nonce=y", true),
        ("/api/x", false),
        ("//api/x", false),
        ("/static/..%2fapi/x", false),
    ] {
        let client = Request::get(target)
            .header("Authorization", "Basic eA==")
            .header("Remote-User", "mallory");
        for question in questions(&client) {
            let verdict = question.send(linkgate.address).await;
            if passing {
                assert_eq!(passes(&verdict), NOBODY);
            } else {
                assert_eq!(verdict.status, 401, "{question:?}: {verdict:?}");
                let challenge = verdict.header("www-authenticate");
                assert_eq!(
                    challenge,
                    Some("OAuth realm=\"https%3A%2F%2Fbuilds.example.com\"")
                );
            }
        }
    }
}

#[tokio::test]
async fn what_carries_oauth_and_fails_is_refused_as_by_the_guard() {
    let linkgate = start().await;
    let robot = || Peer::robot().call(&linkgate, "GET", "/page");
    let late = robot().oauth("oauth_timestamp", "1700000000");
    let unknown = robot().oauth("oauth_consumer_key", "stranger");
    for (call, problem) in [
        (robot().signed_for(&format!("{BASE}/other")), "signature_invalid"),
        (late, "timestamp_refused"),
        (robot().without("oauth_nonce"), "parameter_absent"),
        (robot().oauth("oauth_token", "unknown"), "token_rejected"),
        (unknown, "consumer_key_unknown"),
    ] {
        let client = call.request(&linkgate);
        by_traefik(&client)
            .send(linkgate.address)
            .await
            .assert_refused(problem);
        by_envoy(&client)
            .send(linkgate.address)
            .await
            .assert_refused(problem);
        let verdict = by_nginx(&client, "1").send(linkgate.address).await;
        assert_refused_by_nginx(&verdict, problem);
    }
}

/// nginx knows 401 and 403, and reads no body: both travel in headers, beside the challenge, which it passes on.
#[track_caller]
fn assert_refused_by_nginx(verdict: &Response, problem: &str) {
    assert_eq!((verdict.status, verdict.body.as_str()), (401, ""), "{verdict:?}");
    let mut answered = verdict.clone();
    answered.status = verdict.header("x-linkgate-status").unwrap().parse().unwrap();
    verdict
        .header("x-linkgate-answer")
        .unwrap()
        .clone_into(&mut answered.body);
    answered.assert_refused(problem);
}

#[tokio::test]
async fn what_is_no_oauth_problem_is_forbidden_for_nginx() {
    let linkgate = start().await;
    let ambiguous = Request::get("/page")
        .header("Content-Type", "a/b")
        .header("Content-Type", "c/d");
    let verdict = by_nginx(&ambiguous, "1").send(linkgate.address).await;
    verdict.assert(403, "x-linkgate-status", Some("400"));
    assert_eq!(verdict.header("www-authenticate"), None);
    assert_eq!(by_traefik(&ambiguous).send(linkgate.address).await.status, 400);
}

/// nginx makes a 500 of it, which no consumer takes for a verdict.
#[tokio::test]
async fn a_failure_of_ours_stays_one_for_nginx() {
    let linkgate = start().await;
    let call = || Peer::robot().call(&linkgate, "GET", "/api/x");
    call().passes(&linkgate).await;
    linkgate.database().hide_nonces().await;
    let call = call().oauth("oauth_timestamp", &(linkgate.now() + 60).to_string());
    let verdict = by_nginx(&call.request(&linkgate), "1")
        .send(linkgate.address)
        .await;
    assert!(verdict.status >= 500 && verdict.body.is_empty(), "{verdict:?}");
    for absent in ["www-authenticate", "x-linkgate-status", "x-linkgate-consumer"] {
        assert_eq!(verdict.header(absent), None, "{verdict:?}");
    }
}

#[tokio::test]
async fn envoy_is_told_what_to_remove() {
    let linkgate = start().await;
    let client = Request::get("/page")
        .header("REMOTE_USER", "mallory")
        .header("X-Auth-Request-Groups", "root");
    let verdict = by_envoy(&client).send(linkgate.address).await;
    assert_eq!(passes(&verdict), NOBODY);
    let removed = verdict.header("x-envoy-auth-headers-to-remove").unwrap();
    let removed: Vec<_> = removed.split(',').collect();
    for name in [
        "remote-user",
        "remote_user",
        "x-auth-request-groups",
        "x-forwarded-user",
        "x-linkgate-assertion",
        "x-linkgate-call",
        "x-linkgate-user",
        "x-remote-user",
    ] {
        assert!(removed.contains(&name), "{name}: {removed:?}");
    }
    let call = Peer::robot().call(&linkgate, "GET", "/api/x").request(&linkgate);
    let verdict = by_envoy(&call).send(linkgate.address).await;
    let removed = verdict.header("x-envoy-auth-headers-to-remove").unwrap();
    let names = |name: &str| removed.split(',').any(|removed| removed == name);
    assert!(names("x-linkgate-user"), "{removed}");
    assert!(!names("x-linkgate-consumer"), "{removed}");
}

#[tokio::test]
async fn no_other_proxy_is_answered() {
    let linkgate = start().await;
    let names = "Remote_User X-Remote-User X-Forwarded-User x_linkgate_user X-Auth-Request-User";
    for name in names.split(' ') {
        for target in ["/page", "/static/a.css", "/api/x"] {
            let client = Request::get(target).header(name, "mallory");
            let verdict = by_nginx(&client, "1").send(linkgate.address).await;
            let found = (verdict.status, verdict.header("x-linkgate-status"));
            assert_eq!(found, (403, Some("400")), "{name}");
            let answer = by_traefik(&client).send(linkgate.address).await;
            assert_eq!(answer.status, 400, "{name}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn no_header_makes_another_method_of_the_signed_one() {
    let linkgate = start().await;
    for (name, value, status) in [
        ("X-HTTP-Method-Override", "DELETE", 400),
        ("X_Http_Method", "delete", 400),
        ("X-HTTP-Method-Override", "GET", 204),
    ] {
        let call = Peer::robot().call(&linkgate, "GET", "/api/x");
        let client = call.request(&linkgate).header(name, value);
        let answer = by_traefik(&client).send(linkgate.address).await;
        assert_eq!(answer.status, status, "{name}: {value}: {answer:?}");
        // The nonce of a call that was refused so is not spent.
        let again = by_traefik(&call.request(&linkgate)).send(linkgate.address).await;
        assert_eq!(
            again.status,
            if status == 204 { 401 } else { 204 },
            "{name}: {value}"
        );
    }
    let page = Request::post("/page").header("X-HTTP-Method-Override", "DELETE");
    assert_eq!(passes(&by_traefik(&page).send(linkgate.address).await), NOBODY);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_address_to_trust() {
    let database = Database::sqlite();
    let linkgate = Program::start(&database, echo::start().await);
    for path in ["/forward-auth/nginx", "/forward-auth", "/forward-auth/envoy/page"] {
        let asked = Request::get(path).header("X-Original-URL", format!("{BASE}/page"));
        let verdict = asked.send(linkgate.address()).await;
        let found = (verdict.status, verdict.header("remote-user"));
        assert_eq!(found, (403, None), "{path}");
        assert!(
            verdict.body.is_empty() || verdict.body.contains("trusted_proxies"),
            "{verdict:?}"
        );
    }
    let log = linkgate.log();
    let remedies = log
        .matches("write server.trusted_proxies = [\"127.0.0.1\"]")
        .count();
    assert_eq!(remedies, 3, "{log}");
    assert!(log.contains("WARN"), "{log}");
}

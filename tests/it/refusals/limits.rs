//! Too much of something: refused early, and the answer does not grow with it.

use std::fmt::Write as _;

use linkgate::blocking::{DIAGNOSES, PASSWORDS, SIGNATURES};

use crate::support::{Blocked, CALLBACK, Form, Linkgate, Peer, Request};

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let linkgate = Linkgate::start().await;
    let long = "a".repeat(70 * 1024);
    let many = (0..200).fold(Request::get("/api/x"), |request, at| {
        request.header(&format!("X-{at}"), "x")
    });
    for request in [
        Request::get("/api/x").header("Authorization", format!("OAuth oauth_nonce=\"{long}\"")),
        Request::get(format!("/api/x?q={long}")),
        many,
    ] {
        let answer = request.send(linkgate.address).await;
        assert!(matches!(answer.status, 414 | 431), "{}", answer.status);
    }
}

#[tokio::test]
async fn too_many_parameters_are_refused() {
    let linkgate = Linkgate::start().await;
    let mut many = String::new();
    for at in 0..10_000 {
        let _ = write!(many, "&{at}");
    }
    let call = Peer::robot().call(&linkgate, "POST", "/api/x");
    let sent = call.request_with("x").form(many.clone());
    let form = sent.send(linkgate.address).await;
    form.assert_refused("parameter_rejected");
    let mut query = call.request_with("x");
    query.target = format!("/api/x?{many}");
    query.refused(linkgate.address, "parameter_rejected").await;
    let brackets = format!("a{}={}", "[".repeat(20_000), "]".repeat(20_000));
    let deep = call.request_with("x").form(brackets).send(linkgate.address).await;
    deep.assert_refused("signature_invalid");
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused_and_names_no_problem() {
    let linkgate = Linkgate::start().await;
    for (path, size) in [
        ("/oauth/request-token", 64 * 1024),
        ("/oauth/access-token", 64 * 1024),
        ("/api/x", 1 << 20),
        ("/anything", 1 << 20),
    ] {
        let call = Peer::robot()
            .call(&linkgate, "POST", path)
            .oauth("oauth_callback", CALLBACK);
        call.request_with("x")
            .form("a".repeat(size))
            .refused(linkgate.address, "signature_invalid")
            .await;
        for request in [
            call.request_with("x").form("a".repeat(size + 1)),
            call.request_with("x")
                .form("")
                .header("Content-Length", "99999999999"),
        ] {
            let answer = request.send(linkgate.address).await;
            let found = (answer.status, answer.header("www-authenticate"));
            assert_eq!(found, (413, None), "{path}");
        }
    }
}

#[tokio::test]
async fn an_answer_does_not_grow_with_the_request() {
    let linkgate = Linkgate::start().await;
    for name in [
        format!("oauth_{}", "a".repeat(20_000)),
        format!("oauth_{}", "%FF".repeat(5_000)),
    ] {
        let twice =
            Request::get("/api/x").header("Authorization", format!("OAuth {name}=\"1\", {name}=\"1\""));
        let stray =
            Request::get(format!("/api/x?{name}=1")).header("Authorization", "OAuth oauth_nonce=\"n\"");
        let broken = Request::get("/api/x").header("Authorization", format!("OAuth {name}=\"%\""));
        for request in [twice, stray, broken] {
            let answer = request.refused(linkgate.address, "parameter_rejected").await;
            assert!(answer.body.len() < 1_000, "{}", answer.body.len());
        }
    }
    let names: Vec<_> = (0..500)
        .map(|at| format!("oauth_{at}=\"1\", oauth_{at}=\"1\""))
        .collect();
    let many = Request::get("/api/x").header("Authorization", format!("OAuth {}", names.join(", ")));
    let answer = many.refused(linkgate.address, "parameter_rejected").await;
    assert!(answer.body.len() < 1_000, "{}", answer.body.len());
}

#[tokio::test]
async fn heavy_work_delays_no_signed_call() {
    let linkgate = Linkgate::start().await;
    let mut browser = linkgate.browser();
    let login = Form::of(&browser.get("/oauth/login").await, "password").unwrap();
    let login = login.with("username", "alice").with("password", "alice-password");
    let other_scheme = || {
        let call = Peer::robot().call(&linkgate, "GET", "/api/x");
        call.signed_for("https://builds.example.com/api/x")
    };
    let blocked = Blocked::all(&[&PASSWORDS, &SIGNATURES, &DIAGNOSES]).await;
    let call = Peer::robot().call(&linkgate, "GET", "/api/x");
    call.passes(&linkgate).await;
    // A false signature is answered, without an explanation; a password is not verified.
    let answer = other_scheme().refused(&linkgate, "signature_invalid").await;
    let advice = answer.value("oauth_problem_advice").unwrap();
    assert!(advice.starts_with("The signature does not match"), "{advice}");
    let answer = browser.submit(&login).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body.contains("temporarily unavailable"), "{}", answer.body);
    blocked.end().await;
    let answer = other_scheme().refused(&linkgate, "signature_invalid").await;
    let advice = answer.value("oauth_problem_advice").unwrap();
    assert!(advice.contains("http or https"), "{advice}");
    assert_eq!(browser.submit(&login).await.status, 303);
}

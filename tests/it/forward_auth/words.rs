//! Each front proxy is trusted in its own headers, and no other client in any.

use super::{BASE, NOBODY, by_each, by_envoy, by_nginx, by_traefik, passes, send_from, start};
use crate::support::{Linkgate, Peer, Request, Response, Setup, exchange};

fn call(linkgate: &Linkgate) -> Request {
    Peer::robot().call(linkgate, "GET", "/api/x").request(linkgate)
}

fn consumer(verdict: &Response) -> Option<&str> {
    verdict.header("x-linkgate-consumer")
}

#[tokio::test]
async fn only_a_trusted_proxy_is_answered() {
    let linkgate = start().await;
    let page = Request::get("/page");
    for question in by_each(&page) {
        let verdict = send_from("127.0.0.2", &question, linkgate.address).await;
        assert_eq!((verdict.status, consumer(&verdict)), (403, None), "{verdict:?}");
        let verdict = send_from("127.0.0.1", &question, linkgate.address).await;
        assert_eq!(passes(&verdict), NOBODY);
    }
    let nobody_is_trusted = Linkgate::start().await;
    for question in by_each(&page) {
        assert_eq!(question.send(nobody_is_trusted.address).await.status, 403);
    }
    assert!(nobody_is_trusted.app.received().is_empty());
}

#[tokio::test]
async fn each_proxy_is_believed_in_its_own_headers_only() {
    let linkgate = start().await;
    let lies = |request: Request, lies: &[(&str, &str)]| {
        lies.iter()
            .fold(request, |request, (name, value)| request.header(name, *value))
    };
    let standard = ("Forwarded", "for=192.0.2.9;host=evil.example;proto=http");
    let original = [
        ("X-Original-URL", "http://evil.example/static/x"),
        ("X-Original-Method", "POST"),
        ("X-Original-URI", "/static/x"),
        ("X-Rewrite-URL", "/static/x"),
        standard,
    ];
    let forwarded = [
        ("X-Forwarded-Uri", "/static/x"),
        ("X-Forwarded-Method", "POST"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "http"),
        standard,
    ];
    let verdict = lies(by_nginx(&call(&linkgate), "1"), &forwarded)
        .send(linkgate.address)
        .await;
    assert_eq!((verdict.status, consumer(&verdict)), (204, Some("robot")));
    let ours = [original[0], original[1], standard];
    let verdict = lies(by_traefik(&call(&linkgate)), &ours)
        .send(linkgate.address)
        .await;
    assert_eq!((verdict.status, consumer(&verdict)), (204, Some("robot")));
    let mut others = original.to_vec();
    others.extend(&forwarded[..3]);
    let verdict = lies(by_envoy(&call(&linkgate)), &others)
        .send(linkgate.address)
        .await;
    assert_eq!((verdict.status, consumer(&verdict)), (200, Some("robot")));
}

/// A front proxy would pass these on with a signed call, and nothing verified them.
#[tokio::test]
async fn a_signed_call_with_a_claim_is_refused_or_loses_it() {
    let linkgate = start().await;
    for lie in [
        ("X-Original-URI", "/static/x"),
        ("X-Rewrite-URL", "/static/x"),
        ("X-Host", "evil.example"),
        ("Tailscale-User-Login", "alice"),
        ("X-Ms-Client-Principal-Name", "alice"),
    ] {
        let sent = by_traefik(&call(&linkgate)).header(lie.0, lie.1);
        let verdict = sent.send(linkgate.address).await;
        assert_eq!(verdict.status, 400, "{lie:?}");
        let sent = by_nginx(&call(&linkgate), "2").header(lie.0, lie.1);
        let verdict = sent.send(linkgate.address).await;
        let found = (verdict.status, verdict.header("x-linkgate-status"));
        assert_eq!(found, (403, Some("400")), "{lie:?}");
        let sent = by_envoy(&call(&linkgate)).header(lie.0, lie.1);
        let verdict = sent.send(linkgate.address).await;
        let removed = verdict.header("x-envoy-auth-headers-to-remove").unwrap();
        assert!(
            removed.split(',').any(|name| name.eq_ignore_ascii_case(lie.0)),
            "{lie:?}: {removed}"
        );
        let unsigned = Request::get("/page");
        let call = by_traefik(&unsigned).header(lie.0, lie.1);
        let verdict = call.send(linkgate.address).await;
        assert_eq!(verdict.status, 204, "{lie:?}");
    }
}

#[tokio::test]
async fn a_repeated_header_of_the_proxy_is_rejected() {
    let linkgate = start().await;
    for name in ["X-Original-URL", "X-Original-Method", "X-Request-Id", "X-Real-IP"] {
        let question = by_nginx(&call(&linkgate), "1");
        let (_, value) = question
            .headers
            .iter()
            .find(|(given, _)| given == name)
            .unwrap()
            .clone();
        for value in [value.as_str(), "other"] {
            let verdict = question.clone().header(name, value).send(linkgate.address).await;
            let found = (verdict.status, verdict.header("x-linkgate-status"));
            assert_eq!(found, (403, Some("400")), "{name}");
        }
    }
    for name in "X-Forwarded-Method X-Forwarded-Uri X-Forwarded-Host X-Forwarded-Proto".split(' ') {
        let sent = by_traefik(&call(&linkgate)).header(name, "other");
        let verdict = sent.send(linkgate.address).await;
        assert_eq!(verdict.status, 400, "{name}");
    }
    for name in ["X-Forwarded-Proto", "Host"] {
        let verdict = by_envoy(&call(&linkgate))
            .header(name, "builds.example.com")
            .send(linkgate.address)
            .await;
        assert_eq!(verdict.status, 400, "{name}");
    }
}

#[tokio::test]
async fn what_a_proxy_leaves_out_is_not_guessed() {
    let linkgate = start().await;
    let without = |mut request: Request, name: &str| {
        request.headers.retain(|(given, _)| given != name);
        request
    };
    for (question, status) in [
        (without(by_nginx(&call(&linkgate), "1"), "X-Original-URL"), 403),
        (without(by_nginx(&call(&linkgate), "1"), "X-Original-Method"), 403),
        (without(by_traefik(&call(&linkgate)), "X-Forwarded-Uri"), 400),
        (without(by_traefik(&call(&linkgate)), "X-Forwarded-Method"), 400),
        (
            Request::get("/forward-auth/envoy").header("Host", "builds.example.com"),
            400,
        ),
    ] {
        let verdict = question.send(linkgate.address).await;
        let found = (verdict.status, consumer(&verdict));
        assert_eq!(found, (status, None), "{question:?}");
    }
    for target in [
        "/api/x#b",
        "api/x",
        "*",
        "http://builds.example.com/api/x",
        "/a b",
    ] {
        let mut question = by_traefik(&call(&linkgate));
        target.clone_into(&mut question.headers[1].1);
        let verdict = question.send(linkgate.address).await;
        assert_eq!((verdict.status, consumer(&verdict)), (400, None), "{target}");
    }
    for target in [
        "ftp://builds.example.com/api/x",
        "https://builds.example.com?b",
        "http://builds.example.com",
        "/api/x",
        "https://builds.example.com/a#b",
        "https://a b/",
        "*",
    ] {
        let question = without(by_nginx(&call(&linkgate), "1"), "X-Original-URL");
        let verdict = question
            .header("X-Original-URL", target)
            .send(linkgate.address)
            .await;
        assert_eq!((verdict.status, consumer(&verdict)), (403, None), "{target}");
    }
}

#[tokio::test]
async fn a_request_without_a_host_is_for_the_default_url() {
    let linkgate = start().await;
    let mut question = by_nginx(&call(&linkgate), "1");
    question.headers[0].1 = "https:///api/x".to_owned();
    let verdict = question.send(linkgate.address).await;
    let found = (verdict.status, consumer(&verdict));
    assert_eq!(found, (204, Some("robot")), "{verdict:?}");
    let mut question = by_traefik(&call(&linkgate));
    question.headers.retain(|(name, _)| name != "X-Forwarded-Host");
    let text = String::from_utf8(question.bytes(linkgate.address)).unwrap();
    let (line, rest) = text.split_once(" HTTP/1.1\r\n").unwrap();
    let (_, rest) = rest.split_once("\r\n").unwrap();
    let verdict = exchange(linkgate.address, format!("{line} HTTP/1.0\r\n{rest}").as_bytes()).await;
    let found = (verdict.status, consumer(&verdict));
    assert_eq!(found, (204, Some("robot")), "{verdict:?}");
}

#[tokio::test]
async fn a_question_that_is_not_answered_has_a_code() {
    let linkgate = start().await;
    let json = |request: Request| request.header("Accept", "application/json");
    let strange = json(by_traefik(&Request::get("/page")));
    let short = json(Request::get("/forward-auth"));
    for (verdict, status, code) in [
        (
            send_from("127.0.0.2", &strange, linkgate.address).await,
            403,
            "untrusted_proxy",
        ),
        (short.send(linkgate.address).await, 400, "proxy_says_too_little"),
    ] {
        let body: serde_json::Value = serde_json::from_str(&verdict.body).unwrap();
        assert_eq!((verdict.status, &body["code"]), (status, &code.into()), "{body}");
        assert!(!verdict.body.contains("127.0.0"), "{body}");
    }
}

#[tokio::test]
async fn a_name_chooses_among_the_configured_urls() {
    let linkgate = Setup::new()
        .base(BASE)
        .server("trusted_proxies = [\"127.0.0.1\"]\npublic_urls = [\"http://inner.example.com:8080\"]")
        .start()
        .await;
    for (signed, named, fits) in [
        (
            "http://inner.example.com:8080",
            "http://inner.example.com:8080",
            true,
        ),
        (BASE, "http://inner.example.com:8080", false),
        (BASE, "https://builds.example.com", true),
        (BASE, "https://evil.example", true),
        ("https://evil.example", "https://evil.example", false),
    ] {
        let call = || {
            let call = Peer::robot().call(&linkgate, "GET", "/api/x");
            call.signed_for(&format!("{signed}/api/x")).request(&linkgate)
        };
        let (proto, host) = named.split_once("://").unwrap();
        let mut by_nginx = by_nginx(&call(), "1");
        by_nginx.headers[0].1 = format!("{named}/api/x");
        let mut by_traefik = by_traefik(&call());
        by_traefik.headers[2].1 = host.to_owned();
        by_traefik.headers[3].1 = proto.to_owned();
        let mut by_envoy = by_envoy(&call());
        by_envoy.headers[0].1 = host.to_owned();
        by_envoy.headers[1].1 = proto.to_owned();
        for question in [by_nginx, by_traefik, by_envoy] {
            let verdict = question.send(linkgate.address).await;
            assert_eq!(consumer(&verdict).is_some(), fits, "{question:?}: {verdict:?}");
        }
    }
}

#[tokio::test]
async fn an_address_list_is_about_the_client_that_the_proxy_names() {
    let linkgate = start().await;
    let elsewhere = || {
        let call = Peer::of("elsewhere", "a-secret-of-elsewhere").call(&linkgate, "GET", "/api/x");
        call.request(&linkgate)
    };
    // Each with a nonce of its own.
    let questions = || {
        let (traefik, envoy) = (by_traefik(&elsewhere()), by_envoy(&elsewhere()));
        [by_nginx(&elsewhere(), "1"), traefik, envoy]
    };
    for question in questions() {
        let verdict = question.send(linkgate.address).await;
        assert_eq!(consumer(&verdict), Some("elsewhere"), "{question:?}: {verdict:?}");
    }
    for (address, status) in [("198.51.100.1", 401), ("192.0.2.7, 198.51.100.1", 401)] {
        for mut question in questions() {
            let named = |name: &str| matches!(name, "X-Real-IP" | "X-Forwarded-For");
            let client = question.headers.iter_mut().find(|(name, _)| named(name)).unwrap();
            address.clone_into(&mut client.1);
            let verdict = question.send(linkgate.address).await;
            assert_eq!(verdict.status, status, "{question:?}: {verdict:?}");
        }
    }
    // Without a client address no address of the list matches, and not the proxy's.
    for mut question in questions() {
        question
            .headers
            .retain(|(name, _)| !matches!(name.as_str(), "X-Real-IP" | "X-Forwarded-For"));
        let verdict = question.send(linkgate.address).await;
        assert_eq!(verdict.status, 401, "{question:?}: {verdict:?}");
    }
}

#[tokio::test]
async fn a_flood_is_refused_at_once() {
    let linkgate = start().await;
    let many: Vec<_> = (0..10_000).map(|at| at.to_string()).collect();
    let call = Peer::robot().call(&linkgate, "GET", &format!("/api/x?{}", many.join("&")));
    let client = call.request(&linkgate);
    for question in [by_traefik(&client), by_envoy(&client)] {
        question.refused(linkgate.address, "parameter_rejected").await;
    }
    let verdict = by_nginx(&client, "1").send(linkgate.address).await;
    verdict.assert(401, "x-linkgate-status", Some("400"));
    let page = Request::get("/page").header("X-Long", "a".repeat(70_000));
    for question in by_each(&page) {
        assert_eq!(question.send(linkgate.address).await.status, 431);
    }
}

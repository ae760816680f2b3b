//! Caddy from Debian before the application, with `config/deploy/Caddyfile`.

use super::nginx::linkgate;
use super::signed;
use crate::support::{FrontProxy, Linkgate, Peer, Request, deployed, reserved};

fn start(linkgate: &Linkgate) -> FrontProxy {
    start_with(linkgate, &[])
}

fn start_with(linkgate: &Linkgate, changes: &[(&str, String)]) -> FrontProxy {
    let address = reserved();
    let site = format!(
        "http://builds.example.com:{} {{\n\tbind 127.0.0.1\n",
        address.port()
    );
    let addresses = [
        ("builds.example.com {\n", site),
        ("127.0.0.1:9080", linkgate.address.to_string()),
        ("127.0.0.1:9090", linkgate.app.address.to_string()),
    ];
    let caddyfile = deployed("Caddyfile", &[&addresses, changes].concat());
    FrontProxy::caddy(address, &format!("{{\n\tadmin off\n}}\n{caddyfile}"))
}

#[tokio::test]
async fn an_admitted_call_reaches_the_application_as_its_user() {
    let linkgate = linkgate().await;
    let caddy = start(&linkgate);
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let call = Peer::hmac().call(&linkgate, "POST", "/api/x?a=b").token(&token);
    let request = call.request(&linkgate).header("Host", "builds.example.com");
    let request = request
        .header("Content-Type", "application/json")
        .body("{\"a\":1}");
    let answer = request.send(caddy.address).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{answer:?}");
    let received = linkgate.app.only();
    assert_eq!(received.line(), "POST /api/x?a=b HTTP/1.1");
    assert_eq!(received.body, b"{\"a\":1}");
    assert_eq!(received.header("remote-user"), ["alice"]);
    assert_eq!(received.header("x-linkgate-call"), ["three-legged"]);
    assert_eq!(received.header("authorization"), [""; 0]);
    assert_eq!(received.header("host"), ["builds.example.com"]);
    request.send(caddy.address).await.assert_refused("nonce_used");
}

#[tokio::test]
async fn identity_headers_of_clients_are_removed() {
    let linkgate = linkgate().await;
    let caddy = start(&linkgate);
    for (lie, status) in [
        ("Remote-User", 200),
        ("X-Linkgate-User", 200),
        ("X-Linkgate-Assertion", 200),
        ("Remote_User", 400),
        ("X_Linkgate_User", 400),
        ("X-Forwarded-User", 400),
    ] {
        let lying = Request::get("/page")
            .header("Host", "builds.example.com")
            .header(lie, "mallory");
        let answer = lying.send(caddy.address).await;
        assert_eq!(answer.status, status, "{lie}: {answer:?}");
        if let Some(received) = linkgate.app.received().pop() {
            assert!(!received.head.contains("mallory"), "{lie}: {}", received.head);
        }
    }
    assert_eq!(linkgate.app.received().len(), 3);
}

#[tokio::test]
async fn caddy_may_sign_the_applications_users_in() {
    let linkgate = linkgate().await;
    let user = "request_header @unsigned Remote-User ";
    let caddy = start_with(
        &linkgate,
        &[
            ("#@unsigned", "@unsigned".to_owned()),
            (&format!("#{user}{{http.auth.user.id}}"), format!("{user}carol")),
        ],
    );
    super::signs_carol_in(&linkgate, caddy.address).await;
}

#[tokio::test]
async fn the_consumer_receives_linkgates_response() {
    let linkgate = linkgate().await;
    let caddy = start(&linkgate);
    let form = Peer::robot()
        .call(&linkgate, "POST", "/api/x")
        .form(&[("a", "b")]);
    let form = form.request(&linkgate).header("Host", "builds.example.com");
    form.send(caddy.address).await.assert_refused("signature_invalid");
    super::passes_refusals_on(&linkgate, caddy.address).await;
}

/// Caddy keeps what Go's URL can keep. What it writes another way is refused, and never admitted as something else.
#[tokio::test]
async fn awkward_targets_arrive_as_they_were_signed_or_not_at_all() {
    let linkgate = linkgate().await;
    let caddy = start(&linkgate);
    let mut admitted = 0;
    for target in super::AWKWARD.split_whitespace() {
        let answer = signed(&linkgate, "GET", target).send(caddy.address).await;
        match linkgate.app.received().get(admitted) {
            Some(received) => {
                let found = (answer.status, received.line());
                assert_eq!(found, (200, format!("GET {target} HTTP/1.1").as_str()));
                assert_eq!(received.header("x-linkgate-consumer"), ["robot"]);
                admitted += 1;
            }
            None => assert_eq!(answer.status, 401, "{target}: {answer:?}"),
        }
    }
    assert!(admitted >= 12, "{admitted}");
}

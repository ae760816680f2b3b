//! Envoy before the application, with `config/deploy/envoy.yaml`. The program is a wheel of `PyPI`.

use super::nginx::linkgate;
use super::signed;
use crate::support::{FrontProxy, Linkgate, Peer, Request, deployed, reserved};

fn start(linkgate: &Linkgate) -> FrontProxy {
    start_with(linkgate, |yaml| yaml)
}

fn start_with(linkgate: &Linkgate, change: impl Fn(String) -> String) -> FrontProxy {
    let address = reserved();
    let port = |port: u16| format!("port_value: {port}");
    let yaml = deployed(
        "envoy.yaml",
        &[
            (
                "0.0.0.0, port_value: 8080",
                format!("127.0.0.1, {}", port(address.port())),
            ),
            ("port_value: 9080", port(linkgate.address.port())),
            ("port_value: 9090", port(linkgate.app.address.port())),
        ],
    );
    FrontProxy::envoy(address, &change(yaml))
}

#[tokio::test]
async fn an_admitted_call_reaches_the_application_as_its_user() {
    let linkgate = linkgate().await;
    let envoy = start(&linkgate);
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let call = Peer::hmac()
        .call(&linkgate, "POST", "/api/x?a=b")
        .token(&token)
        .form(&[("c", "d e"), ("f", "&")]);
    let request = call.request(&linkgate).header("Host", "builds.example.com");
    let answer = request.send(envoy.address).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{answer:?}");
    let received = linkgate.app.only();
    assert_eq!(received.line(), "POST /api/x?a=b HTTP/1.1");
    assert_eq!(received.body, request.body);
    assert_eq!(received.header("remote-user"), ["alice"]);
    assert_eq!(received.header("x-linkgate-call"), ["three-legged"]);
    assert_eq!(received.header("x-linkgate-assertion"), [""; 0]);
    request.send(envoy.address).await.assert_refused("nonce_used");
}

#[tokio::test]
async fn a_form_is_verified_when_envoy_shows_it_and_refused_when_not() {
    let linkgate = linkgate().await;
    let envoy = start(&linkgate);
    let form = |value: &str| {
        Peer::robot()
            .call(&linkgate, "POST", "/api/x")
            .form(&[("a", value)])
    };
    let mut tampered = form("b").request(&linkgate).header("Host", "builds.example.com");
    tampered.body = b"a=c".to_vec();
    tampered
        .send(envoy.address)
        .await
        .assert_refused("signature_invalid");
    let large = form(&"b".repeat(2 << 20))
        .request(&linkgate)
        .header("Host", "builds.example.com");
    large
        .send(envoy.address)
        .await
        .assert_refused("signature_invalid");
    // Any other body goes through, whatever its size.
    let upload = Peer::robot().call(&linkgate, "POST", "/api/x").request(&linkgate);
    let upload = upload
        .header("Host", "builds.example.com")
        .header("Content-Type", "a/b");
    let answer = upload.body(vec![b'x'; 2 << 20]).send(envoy.address).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(linkgate.app.only().body.len(), 2 << 20);
}

#[tokio::test]
async fn identity_headers_of_clients_are_removed() {
    let linkgate = linkgate().await;
    let envoy = start(&linkgate);
    let lies = "Remote-User Remote_User X-Linkgate-User X-Linkgate-Assertion X-Forwarded-User X-Remote-User";
    for lie in lies.split(' ') {
        let lying = Request::get("/page")
            .header("Host", "builds.example.com")
            .header(lie, "mallory");
        let answer = lying.send(envoy.address).await;
        assert_eq!(answer.status, 200, "{lie}: {answer:?}");
        let received = linkgate.app.last();
        assert!(!received.head.contains("mallory"), "{lie}: {}", received.head);
        assert!(received.header("remote-user").iter().all(|user| user.is_empty()));
    }
}

#[tokio::test]
async fn envoy_may_sign_the_applications_users_in() {
    let linkgate = linkgate().await;
    let envoy = start_with(&linkgate, |yaml| {
        let lines = yaml.lines().map(|line| {
            let commented = line
                .strip_prefix("          #")
                .filter(|rest| rest.starts_with(['-', ' ']));
            let setting = commented.filter(|rest| !rest.starts_with(" If"));
            setting.map_or(line.to_owned(), |setting| format!("          {setting}"))
        });
        let yaml = lines.collect::<Vec<_>>().join("\n");
        assert!(yaml.contains("\"a user\""), "{yaml}");
        yaml.replace("\"a user\"", "\"carol\"")
    });
    super::signs_carol_in(&linkgate, envoy.address).await;
}

#[tokio::test]
async fn the_consumer_receives_linkgates_response() {
    let linkgate = linkgate().await;
    let envoy = start(&linkgate);
    super::passes_refusals_on(&linkgate, envoy.address).await;
}

#[tokio::test]
async fn awkward_targets_are_admitted_as_they_arrive() {
    let linkgate = linkgate().await;
    let envoy = start(&linkgate);
    for target in super::AWKWARD.split_whitespace() {
        let answer = signed(&linkgate, "GET", target).send(envoy.address).await;
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        let received = linkgate.app.last();
        assert_eq!(received.line(), format!("GET {target} HTTP/1.1"));
    }
}

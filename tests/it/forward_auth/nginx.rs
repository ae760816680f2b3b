//! nginx from Debian before the application, with `config/deploy/nginx.conf`; and before linkgate, with `nginx-proxy.conf`.

use std::process::Command;

use super::{AWKWARD, signed};
use crate::support::{
    App, FrontProxy, Linkgate, Peer, Request, Response, Setup, Text as _, deployed, reserved,
};

const BASE: &str = "http://builds.example.com";

/// linkgate behind or beside nginx.
pub(super) async fn linkgate() -> Linkgate {
    Setup::new().base(BASE).trusting().start().await
}

/// nginx with `auth_request`. The application is the one that stands behind linkgate.
fn asking(linkgate: &Linkgate, bend: impl Fn(String) -> String) -> FrontProxy {
    let address = reserved();
    let site = deployed(
        "nginx.conf",
        &[
            ("listen 80;", format!("listen {address};")),
            ("127.0.0.1:9080", linkgate.address.to_string()),
            ("127.0.0.1:9090", linkgate.app.address.to_string()),
        ],
    );
    FrontProxy::nginx(address, &bend(site))
}

/// nginx as a proxy before linkgate.
fn proxying(linkgate: &Linkgate, merge_slashes: &str) -> FrontProxy {
    let address = reserved();
    let site = deployed(
        "nginx-proxy.conf",
        &[
            ("listen 80;", format!("listen {address};")),
            ("127.0.0.1:9080", linkgate.address.to_string()),
            ("merge_slashes off;", format!("merge_slashes {merge_slashes};")),
        ],
    );
    FrontProxy::nginx(address, &site)
}

fn unsigned(target: &str) -> Request {
    Request::get(target).header("Host", "builds.example.com")
}

#[tokio::test]
async fn an_admitted_call_reaches_the_application_as_its_user() {
    let linkgate = linkgate().await;
    let nginx = asking(&linkgate, |site| site);
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let call = Peer::hmac().call(&linkgate, "POST", "/api/x?a=b").token(&token);
    let cookies = "linkgate-session=s; a=b; __Host-linkgate-browser=t; c=d";
    let request = call.request(&linkgate).header("Host", "BUILDS.example.com:80");
    let request = request
        .header("Cookie", cookies)
        .header("Content-Type", "application/json")
        .body("{\"a\":1}");
    let answer = request.send(nginx.address).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{answer:?}");
    let received = linkgate.app.only();
    assert_eq!(received.line(), "POST /api/x?a=b HTTP/1.1");
    assert_eq!(received.body, b"{\"a\":1}");
    let names = "content-length content-type cookie host remote-user x-forwarded-for x-forwarded-host x-forwarded-proto x-linkgate-call x-linkgate-consumer x-linkgate-name x-linkgate-user";
    assert_eq!(received.names(), names);
    assert_eq!(received.header("remote-user"), ["alice"]);
    assert_eq!(received.header("host"), ["builds.example.com"]);
    assert_eq!(received.header("cookie"), ["a=b; c=d"]);
    // A replay, also one with a number of its own.
    for again in [
        request.clone(),
        request.header("X-Request-Id", "0123456789abcdef0123456789abcdef"),
    ] {
        again.send(nginx.address).await.assert_refused("nonce_used");
    }
    assert_eq!(linkgate.app.received().len(), 1);
}

#[tokio::test]
async fn the_consumer_receives_linkgates_response() {
    let linkgate = linkgate().await;
    let nginx = asking(&linkgate, |site| site);
    let robot = || Peer::robot().call(&linkgate, "GET", "/api/x");
    let late = robot().oauth("oauth_timestamp", "1700000000");
    let elsewhere = robot().signed_for("http://other.example/api/x");
    for (call, problem) in [
        (elsewhere, "signature_invalid"),
        (late, "timestamp_refused"),
        (robot().without("oauth_nonce"), "parameter_absent"),
        (robot().oauth("oauth_token", "unknown"), "token_rejected"),
    ] {
        let request = call.request(&linkgate).header("Host", "builds.example.com");
        let answer = request.send(nginx.address).await;
        answer.assert_refused(problem);
        answer.assert_header("cache-control", "no-store");
    }
    let form = Peer::robot()
        .call(&linkgate, "POST", "/api/x")
        .form(&[("a", "b")]);
    let call = form.request(&linkgate).header("Host", "builds.example.com");
    let form = call.send(nginx.address).await;
    form.assert_refused("signature_invalid");
    form.value("oauth_problem_advice").unwrap().has("did not show");
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn without_a_signature_identity_headers_are_removed() {
    let linkgate = linkgate().await;
    let nginx = asking(&linkgate, |site| site);
    let challenged = unsigned("/api/x").send(nginx.address).await;
    assert_eq!(challenged.status, 401);
    let challenge = challenged.header("www-authenticate");
    assert_eq!(challenge, Some("OAuth realm=\"http%3A%2F%2Fbuilds.example.com\""));
    for (lie, status) in [
        ("Remote-User", 200),
        ("X-Linkgate-User", 200),
        ("X-Linkgate-Assertion", 200),
        ("Remote_User", 200),   // nginx drops it by itself
        ("X-Remote-User", 400), // nginx would pass it on, so it is refused
        ("X-Forwarded-User", 400),
        ("X-Auth-Request-User", 400),
    ] {
        let lying = unsigned("/page")
            .header(lie, "mallory")
            .header("Authorization", "Bearer t");
        let answer = lying.send(nginx.address).await;
        assert_eq!(answer.status, status, "{lie}: {answer:?}");
        if let Some(received) = linkgate.app.received().pop() {
            assert!(!received.head.contains("mallory"), "{lie}: {}", received.head);
            assert_eq!(received.header("authorization"), ["Bearer t"]);
        }
    }
    assert_eq!(linkgate.app.received().len(), 4);
}

/// An nginx that signs the application's own users in writes `Remote-User` itself, and never on a signed call.
#[tokio::test]
async fn nginx_may_sign_the_applications_users_in() {
    let linkgate = linkgate().await;
    let nginx = asking(&linkgate, |site| {
        let own = "default $remote_user_header; \"\" \"\";";
        assert!(site.contains(own));
        site.replace(own, "default $remote_user_header; \"\" carol;")
    });
    super::signs_carol_in(&linkgate, nginx.address).await;
}

/// nginx asks before `try_files`, and once more where it leads.
#[tokio::test]
async fn a_request_that_nginx_redirects_within_itself_is_no_replay() {
    let linkgate = linkgate().await;
    let nginx = asking(&linkgate, |site| {
        let tried = "location / { auth_request /linkgate-verdict; try_files /no-such-file @application; }\n\
                     location @application {\n";
        assert!(site.contains("location / {\n"));
        site.replace("location / {\n", tried)
    });
    for count in 1..=3 {
        let request = signed(&linkgate, "GET", "/api/a//b?c=d");
        assert_eq!(request.send(nginx.address).await.status, 200);
        let received = linkgate.app.received();
        assert_eq!(received.len(), count);
        assert_eq!(received[count - 1].header("x-linkgate-consumer"), ["robot"]);
        assert_eq!(received[count - 1].line(), "GET /api/a//b?c=d HTTP/1.1");
        request.send(nginx.address).await.assert_refused("nonce_used");
    }
    let asked = nginx.wrote("access.log").matches("/linkgate-verdict 204").count();
    assert_eq!(asked, 6, "{}", nginx.wrote("access.log"));
}

#[tokio::test]
async fn awkward_targets_are_admitted_as_they_arrive() {
    let linkgate = linkgate().await;
    for front in [
        asking(&linkgate, |site| site),
        proxying(&linkgate, "off"),
        proxying(&linkgate, "on"),
    ] {
        for target in AWKWARD.split_whitespace() {
            let answer = signed(&linkgate, "GET", target).send(front.address).await;
            assert_eq!(answer.status, 200, "{target}: {answer:?}");
            let received = linkgate.app.last();
            assert_eq!(received.line(), format!("GET {target} HTTP/1.1"));
            assert_eq!(received.header("x-linkgate-consumer"), ["robot"]);
        }
    }
}

#[tokio::test]
async fn a_path_that_nginx_writes_anew_is_not_admitted() {
    let linkgate = linkgate().await;
    let address = reserved();
    let site = deployed(
        "nginx-proxy.conf",
        &[
            ("listen 80;", format!("listen {address};")),
            ("127.0.0.1:9080", linkgate.address.to_string()),
            ("merge_slashes off;", String::new()),
            (
                "proxy_pass http://linkgate;",
                "proxy_pass http://linkgate/;".to_owned(),
            ),
        ],
    );
    let nginx = FrontProxy::nginx(address, &site);
    for target in ["/api//x", "/api/a/../x", "/api/%7Ex"] {
        let answer = signed(&linkgate, "GET", target).send(nginx.address).await;
        answer.assert_refused("signature_invalid");
    }
    let answer = signed(&linkgate, "GET", "/api/x").send(nginx.address).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(linkgate.app.received().len(), 1);
}

#[tokio::test]
async fn verdicts_are_not_for_clients() {
    let linkgate = linkgate().await;
    let nginx = proxying(&linkgate, "off");
    for path in [
        "/forward-auth",
        "/forward-auth/nginx",
        "/forward-auth/envoy/x",
        "/x/../forward-auth",
        "/forward%2dauth",
    ] {
        let asked = unsigned(path).header("X-Original-URL", "http://builds.example.com/page");
        assert_eq!(asked.send(nginx.address).await.status, 404, "{path}");
    }
    // In front of the application nothing leads there either.
    let nginx = asking(&linkgate, |site| site);
    let answer = unsigned("/linkgate-verdict").send(nginx.address).await;
    assert_eq!(answer.status, 404, "{answer:?}");
    assert!(linkgate.app.received().is_empty());
    assert_eq!(unsigned("/forward-auth").send(nginx.address).await.status, 200);
    assert_eq!(linkgate.app.only().line(), "GET /forward-auth HTTP/1.1");
}

#[tokio::test]
async fn a_linkgate_that_is_down_costs_no_token() {
    let linkgate = linkgate().await;
    let absent = App::absent().address;
    let nginx = asking(&linkgate, |site| {
        site.replace(&linkgate.address.to_string(), &absent.to_string())
    });
    let answer: Response = signed(&linkgate, "GET", "/api/x").send(nginx.address).await;
    answer.assert(503, "www-authenticate", None);
    answer.assert_header("retry-after", "1");
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_sends_awkward_paths() {
    let linkgate = linkgate().await;
    let [asking, proxying] = [asking(&linkgate, |site| site), proxying(&linkgate, "off")];
    for address in [linkgate.address, asking.address, proxying.address] {
        for target in AWKWARD.split_whitespace() {
            let request = signed(&linkgate, "GET", target);
            let (_, authorization) = &request.headers[0];
            let mut curl = Command::new("curl");
            curl.args([
                "--silent",
                "--show-error",
                "--path-as-is",
                "--globoff",
                "--max-time",
                "20",
            ])
            .args([
                "--write-out",
                " %{http_code}",
                "--header",
                "Host: builds.example.com",
                "--header",
            ])
            .arg(format!("Authorization: {authorization}"))
            .arg(format!("http://{address}{target}"));
            let output = tokio::task::block_in_place(|| curl.output());
            let output = output.expect("curl runs: apt-get install curl");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(
                said,
                "ok 200",
                "{target}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            let received = linkgate.app.last();
            assert_eq!(received.line(), format!("GET {target} HTTP/1.1"));
        }
    }
}

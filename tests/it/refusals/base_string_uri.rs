//! Host, scheme, and the proxies in front: the signed URL is one that is configured.

use axum::body::Body;
use http::header::{AUTHORIZATION, HOST};
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::support::{CALLBACK, Call, Linkgate, Peer, Request, Setup, exchange};

fn call(linkgate: &Linkgate) -> Call {
    Peer::robot().call(linkgate, "GET", "/api/x")
}

/// One that trusts the proxy that the test is, and is known under three names.
async fn behind_a_proxy() -> Linkgate {
    let server = "trusted_proxies = [\"127.0.0.0/8\"]\n\
                  public_urls = [\"http://inner.example.com:8080\", \"https://third.example.com/ctx\"]";
    Setup::new()
        .base("https://builds.example.com")
        .server(server)
        .start()
        .await
}

/// A choice: another `Host` alone is not refused. It is simply not believed: neither for the signature, nor by the
/// application behind an admitted call.
#[tokio::test]
async fn host_does_not_choose_what_was_signed() {
    let linkgate = Linkgate::start().await;
    for host in [
        "evil.example",
        "builds.example.com.evil.example",
        "builds.example.com:81",
        "127.0.0.1",
    ] {
        let signed = call(&linkgate).signed_for(&format!("http://{host}/api/x"));
        let lured = signed.request(&linkgate);
        lured
            .header("Host", host)
            .refused(linkgate.address, "signature_invalid")
            .await;
        let sent = call(&linkgate).request(&linkgate).header("Host", host);
        let answer = sent.send(linkgate.address).await;
        assert_eq!(answer.status, 200, "{host}: {answer:?}");
        let received = linkgate.app.last();
        assert_eq!(received.header("host"), ["builds.example.com"]);
        assert_eq!(received.header("x-forwarded-host"), ["builds.example.com"]);
    }
    for host in [
        "builds.example.com",
        "builds.example.com:80",
        "BUILDS.example.com",
    ] {
        let sent = call(&linkgate).request(&linkgate).header("Host", host);
        let answer = sent.send(linkgate.address).await;
        assert_eq!(answer.status, 200, "{host}: {answer:?}");
    }
}

#[tokio::test]
async fn a_request_that_names_two_hosts_is_rejected_on_every_path() {
    let linkgate = Linkgate::start().await;
    let paths = "/api/x /anything /oauth/request-token /oauth/access-token /oauth/authorize /oauth/login";
    for path in paths.split(' ') {
        for head in [
            format!("GET {path} HTTP/1.1\r\nHost: a\r\nHost: b\r\n"),
            format!("GET {path} HTTP/1.1\r\n"),
            format!("GET {path} HTTP/1.1\r\nHost: user@a\r\n"),
            format!("GET http://b{path} HTTP/1.1\r\nHost: a\r\n"),
        ] {
            let answer = exchange(
                linkgate.address,
                format!("{head}Connection: close\r\n\r\n").as_bytes(),
            )
            .await;
            let found = (answer.status, answer.header("www-authenticate"));
            assert_eq!(found, (400, None), "{head}: {answer:?}");
        }
    }
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn an_absolute_target_is_read_as_its_path() {
    let linkgate = Linkgate::start().await;
    for authority in ["builds.example.com", "evil.example"] {
        let mut request = call(&linkgate).request(&linkgate).header("Host", authority);
        request.target = format!("http://{authority}/api/x");
        request.passes(linkgate.address).await;
        assert_eq!(linkgate.app.last().line(), "GET /api/x HTTP/1.1");
    }
    let unsigned = Request::get("http://builds.example.com/api/x").header("Host", "builds.example.com");
    assert_eq!(unsigned.send(linkgate.address).await.status, 401);
    let token = Peer::hmac()
        .call(&linkgate, "POST", "/oauth/request-token")
        .oauth("oauth_callback", CALLBACK);
    let mut token = token.request(&linkgate).header("Host", "builds.example.com");
    token.target = "http://builds.example.com/oauth/request-token".to_owned();
    token.passes(linkgate.address).await;
}

#[tokio::test]
async fn http_1_0_needs_no_host() {
    let linkgate = Linkgate::start().await;
    let request = call(&linkgate).request(&linkgate);
    let text = format!(
        "GET /api/x HTTP/1.0\r\nAuthorization: {}\r\n\r\n",
        request.headers[0].1
    );
    assert_eq!(exchange(linkgate.address, text.as_bytes()).await.status, 200);
    exchange(linkgate.address, text.as_bytes())
        .await
        .assert_refused("nonce_used");
}

#[tokio::test]
async fn the_scheme_is_not_guessed() {
    let linkgate = Setup::new().base("https://builds.example.com").start().await;
    let http = call(&linkgate)
        .signed_for("http://builds.example.com/api/x")
        .send(&linkgate)
        .await;
    http.assert_refused("signature_invalid");
    let advice = http.value("oauth_problem_advice").unwrap();
    assert!(
        advice.contains("http or https"),
        "the administrator learns why: {advice}"
    );
    let with_port = call(&linkgate).signed_for("https://builds.example.com:443/api/x");
    with_port.refused(&linkgate, "signature_invalid").await;
    call(&linkgate).passes(&linkgate).await;
}

#[tokio::test]
async fn the_port_is_the_public_one() {
    let linkgate = Setup::new().base("http://builds.example.com:8443").start().await;
    for url in [
        "http://builds.example.com/api/x".to_owned(),
        format!("http://{}/api/x", linkgate.address),
    ] {
        let sent = call(&linkgate).signed_for(&url);
        sent.refused(&linkgate, "signature_invalid").await;
    }
    call(&linkgate).passes(&linkgate).await;
}

#[tokio::test]
async fn two_families_of_forwarding_headers_must_agree() {
    let linkgate = behind_a_proxy().await;
    for path in "/api/x /anything /oauth/request-token /oauth/authorize /oauth/login".split(' ') {
        for (one, other) in [
            (("X-Forwarded-Host", "builds.example.com"), "host=evil.example"),
            (("X-Forwarded-Proto", "https"), "proto=http"),
            (("X-Forwarded-For", "192.0.2.1"), "for=192.0.2.2"),
        ] {
            let request = Request::get(path).header(one.0, one.1).header("Forwarded", other);
            let answer = request.send(linkgate.address).await;
            let found = (answer.status, answer.header("www-authenticate"));
            assert_eq!(found, (400, None), "{request:?}: {answer:?}");
        }
    }
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn a_trusted_proxy_chooses_among_the_configured_urls() {
    let linkgate = behind_a_proxy().await;
    let (inner, third) = ("inner.example.com:8080", "third.example.com");
    for (url, host, proto, fits) in [
        ("http://inner.example.com:8080", inner, "http", true),
        ("http://inner.example.com:8080", inner, "https", false),
        (
            "http://inner.example.com:8080",
            "inner.example.com",
            "http",
            false,
        ),
        ("https://builds.example.com", inner, "http", false),
        ("https://third.example.com/ctx", third, "https", true),
        ("https://third.example.com", third, "https", false),
        ("https://builds.example.com", "evil.example", "https", true),
        ("https://evil.example", "evil.example", "https", false),
    ] {
        let sent = call(&linkgate).signed_for(&format!("{url}/api/x"));
        let request = sent.request(&linkgate);
        let request = request
            .header("X-Forwarded-Host", host)
            .header("X-Forwarded-Proto", proto);
        let answer = request.send(linkgate.address).await;
        if fits {
            assert_eq!(answer.status, 200, "{url} {host} {proto}: {answer:?}");
        } else {
            answer.assert_refused("signature_invalid");
        }
    }
}

#[tokio::test]
async fn an_untrusted_client_does_not_choose_the_public_url() {
    let linkgate = Linkgate::start().await;
    let request = call(&linkgate).request(&linkgate);
    let request = request
        .header("X-Forwarded-Host", "evil.example")
        .header("Forwarded", "host=worse.example");
    request.passes(linkgate.address).await;
    let received = linkgate.app.only();
    let found = received.header("forwarded");
    assert_eq!(found, ["for=127.0.0.1;host=builds.example.com;proto=http"]);
    assert_eq!(received.header("x-forwarded-host"), ["builds.example.com"]);
}

#[tokio::test]
async fn an_address_list_is_about_the_client_address() {
    let direct = Linkgate::start().await;
    let proxied = behind_a_proxy().await;
    let elsewhere = |linkgate: &Linkgate| {
        Peer::of("elsewhere", "a-secret-of-elsewhere")
            .call(linkgate, "GET", "/api/x")
            .request(linkgate)
    };
    for (linkgate, chain, fits) in [
        (&direct, None, false),
        (&direct, Some("192.0.2.7"), false),
        (&proxied, None, false),
        (&proxied, Some("192.0.2.7"), true),
        (&proxied, Some("192.0.2.7, 127.0.0.9"), true),
        (&proxied, Some("::ffff:192.0.2.7"), true),
        (&proxied, Some("192.0.2.7, 198.51.100.1"), false),
        (&proxied, Some("192.0.2.7, unknown"), false),
        (&proxied, Some("192.0.2.7,, nonsense"), false),
        (&proxied, Some("192.0.2.7, 300.1.1.1"), false),
        (&proxied, Some("192.0.2.7, 127.0.0.1:99999"), false),
        (&proxied, Some("192.0.2.7, []"), false),
        (&proxied, Some("192.0.2.7, ::ffff:127.0.0.9"), true),
        (&proxied, Some("192.0.3.7"), false),
    ] {
        let request = elsewhere(linkgate);
        let request = match chain {
            Some(chain) => request.header("X-Forwarded-For", chain),
            None => request,
        };
        let answer = request.send(linkgate.address).await;
        if fits {
            assert_eq!(answer.status, 200, "{chain:?}: {answer:?}");
        } else {
            answer.assert_refused("consumer_key_rejected");
        }
    }
    let token = Peer::of("elsewhere", "a-secret-of-elsewhere").call(&proxied, "POST", "/oauth/request-token");
    let token = token.oauth("oauth_callback", CALLBACK);
    token.send(&proxied).await.assert_refused("consumer_key_rejected");
    let from_there = token
        .oauth("oauth_nonce", "there")
        .request(&proxied)
        .header("X-Forwarded-For", "192.0.2.7");
    assert_eq!(from_there.send(proxied.address).await.status, 200);
}

#[tokio::test]
async fn http_2_names_its_authority_once() {
    let linkgate = Setup::new().server("h2c = true").start().await;
    for (authority, host, status) in [
        ("builds.example.com", None, 200),
        ("builds.example.com", Some("builds.example.com:80"), 200),
        ("builds.example.com", Some("evil.example"), 400),
        ("evil.example", Some("builds.example.com"), 400),
    ] {
        let socket = TcpStream::connect(linkgate.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket))
                .await
                .unwrap();
        let connection = tokio::spawn(connection);
        let signed = call(&linkgate).request(&linkgate);
        let mut request = http::Request::get(format!("http://{authority}/api/x"))
            .header(AUTHORIZATION, &signed.headers[0].1);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let answer = sender
            .send_request(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{authority} {host:?}");
        answer.into_body().collect().await.unwrap();
        connection.abort();
    }
    assert_eq!(linkgate.app.received().len(), 2);
}

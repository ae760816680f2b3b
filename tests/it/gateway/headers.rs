//! What is taken away from a message, and what is written.

use axum::body::Body;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::{exchange, get, start, status};
use crate::support::app::App;

#[tokio::test]
async fn nobody_says_who_they_are() {
    let app = App::start().await;
    let gateway = start(&app).await;
    let said = "Remote-User: a\r\nREMOTE_USER: a\r\nX_Remote_User: a\r\nX-Forwarded-User: a\r\n\
                X-Forwarded-Preferred-Username: a\r\nX-Auth-Request-Email: a\r\nx_linkgate_user: a\r\n\
                X-Linkgate-Assertion: a\r\nX.Linkgate.Consumer: a\r\nX-Mine: kept\r\n";
    for path in ["/page", "/static/a.css"] {
        assert_eq!(status(&get(gateway, path, said).await), "200");
        let request = app.received().pop().unwrap();
        assert_eq!(
            request.names(),
            [
                "forwarded",
                "host",
                "x-forwarded-for",
                "x-forwarded-host",
                "x-forwarded-proto",
                "x-mine"
            ],
            "{path}"
        );
    }
}

#[tokio::test]
async fn no_connection_header_removes_what_we_write() {
    let app = App::start().await;
    let gateway = start(&app).await;
    let request = "GET /x HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close, X-Forwarded-For, Cookie, X-Hop\r\n\
                   Keep-Alive: 5\r\nTE: gzip\r\nProxy-Authorization: Basic eA==\r\nX-Hop: 1\r\nCookie: a=b\r\n\r\n";
    assert_eq!(status(&exchange(gateway, request.as_bytes()).await), "200");
    assert_eq!(
        app.only().names(),
        [
            "cookie",
            "forwarded",
            "host",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto"
        ]
    );
}

#[tokio::test]
async fn an_answer_loses_its_hop_by_hop_headers_only() {
    let app = App::answering(
        "HTTP/1.1 200 Fine\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\
         Location: /a/../b\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let gateway = start(&app).await;
    let answer = get(gateway, "/x", "").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut names: Vec<_> = head
        .lines()
        .skip(1)
        .map(|line| line.split(':').next().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "connection",
            "content-length",
            "date",
            "location",
            "set-cookie",
            "set-cookie"
        ]
    );
    assert_eq!(body, "ok");
}

#[tokio::test]
async fn the_applications_own_authorization_is_its_own() {
    let app = App::start().await;
    let gateway = start(&app).await;
    assert_eq!(
        status(&get(gateway, "/x", "Authorization: Bearer b\r\n").await),
        "200"
    );
    assert_eq!(app.only().header("authorization"), ["Bearer b"]);
    // Not looked at, and not passed on.
    let oauth = "Authorization: oauth oauth_token=\"a\"\r\n";
    assert_eq!(
        status(&get(gateway, "/static/x?oauth_token=a", oauth).await),
        "200"
    );
    let request = app.received().pop().unwrap();
    assert_eq!(request.header("authorization"), [""; 0]);
    assert_eq!(request.line(), "GET /static/x?oauth_token=a HTTP/1.1");
}

#[tokio::test]
async fn a_route_that_needs_oauth_challenges() {
    let app = App::start().await;
    let gateway = start(&app).await;
    for path in [
        "/api",
        "/api/x",
        "//api/x",
        "/API/x",
        "/static/..%2fapi/x",
        "/static/%252e%252e/api",
    ] {
        let answer = get(
            gateway,
            path,
            "Authorization: Basic eA==, OAuth oauth_token=\"a\"\r\n",
        )
        .await;
        assert_eq!(status(&answer), "401", "{path}: {answer}");
        let challenge = "www-authenticate: OAuth realm=\"https%3A%2F%2Fbuilds.example.com\"\r\n";
        assert!(answer.contains(challenge), "{path}: {answer}");
    }
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn large_and_many_headers_do_no_harm() {
    let app = App::start().await;
    let gateway = start(&app).await;
    for (length, answered) in [(50_000, "200"), (60_000, "431")] {
        let long = format!(
            "X-Long: {}\r\nCookie: {}\r\n",
            "a".repeat(length),
            "b".repeat(8_000)
        );
        assert_eq!(status(&get(gateway, "/x", &long).await), answered, "{length}");
    }
    let dots = format!("/static{}/x", "/%2e%2e".repeat(8_000));
    let begun = std::time::Instant::now();
    assert_eq!(status(&get(gateway, &dots, "").await), "200");
    assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
    for raw in [
        &b"X-Odd: \xff\xfe\r\n"[..],
        b"Forwarded: \xff\r\nConnection: \xff\r\nAccept: \xff\r\n",
        b"Content-Type: \xff\r\n",
    ] {
        let mut request = b"GET /x HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close\r\n".to_vec();
        request.extend_from_slice(raw);
        request.extend_from_slice(b"\r\n");
        assert_eq!(status(&exchange(gateway, &request).await), "200", "{raw:?}");
    }
}

#[tokio::test]
async fn http2_arrives_as_http1() {
    let app = App::start().await;
    let gateway = start(&app).await;
    let stream = TokioIo::new(TcpStream::connect(gateway).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut ask = |host: Option<&str>| {
        let mut request = Request::get("http://builds.example.com/a/../b?q")
            .header("cookie", "a=b")
            .header("cookie", "c=d")
            .header("remote-user", "mallory");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        client.send_request(request.body(Body::empty()).unwrap())
    };
    assert_eq!(ask(None).await.unwrap().status(), 200);
    assert_eq!(ask(Some("builds.example.com:80")).await.unwrap().status(), 200);
    assert_eq!(ask(Some("other.example")).await.unwrap().status(), 400);
    let received = app.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].line(), "GET /a/../b?q HTTP/1.1");
    assert_eq!(received[0].header("host"), ["builds.example.com"]);
    assert_eq!(received[0].header("cookie"), ["a=b; c=d"]);
    assert_eq!(received[0].header("remote-user"), [""; 0]);
}

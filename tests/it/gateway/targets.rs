//! The request line, and the name under which a request came.

use super::{ask, exchange, get, start, start_behind_proxy, started, status};
use crate::support::{App, Received, rows};

#[tokio::test]
async fn path_and_query_arrive_byte_for_byte() {
    let (app, gateway) = started().await;
    let targets = [
        "/",
        "/?",
        "/a/../b",
        "/a/./b/..",
        "//x",
        "//x//y/",
        "/%2e%2e/%2E",
        "/a%2fb%2Fc",
        "/a;x=1/b;y",
        "/it's",
        "/{}/{a}",
        "/a|b",
        "/a^b",
        "/a\\b",
        "/a[0]",
        "/a\"b\"",
        "/a!$&()*+,:@=~_-.",
        "/%zz/%/%2",
        "/%00",
        "/caf\u{e9}",
        "/%ff?x=%ff&y=%",
        "/a?b=c?d/e//f/../g",
        "/a?x=1&&x=2&=&y",
        "/a?q='{}|\\^`[]",
        "/a?q=a+b%20c%2B",
        "/http://other.example/",
    ];
    for target in targets {
        let answer = get(gateway, target, "").await;
        assert_eq!(status(&answer), "200", "{target}: {answer}");
    }
    let received = app.received();
    let lines: Vec<_> = received.iter().map(Received::line).collect();
    assert_eq!(lines, targets.map(|target| format!("GET {target} HTTP/1.1")));
}

#[tokio::test]
async fn what_hyper_cannot_keep_is_refused_and_not_changed() {
    let (app, gateway) = started().await;
    for target in ["/a`b", "/a<b>", "/a?\"", "/a?<", "/a b", "*", "a"] {
        let answer = get(gateway, target, "").await;
        assert_eq!(status(&answer), "400", "{target}: {answer}");
    }
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn methods_arrive_as_they_are() {
    let app = App::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let gateway = start(&app).await;
    for method in ["HEAD", "PROPFIND", "get", "OPTIONS", "DELETE"] {
        let answer = ask(gateway, &format!("{method} /x"), "\r\n").await;
        assert_eq!(status(&answer), "204", "{method}: {answer}");
        let line = app.received().last().unwrap().line().to_owned();
        assert_eq!(line, format!("{method} /x HTTP/1.1"));
    }
    let connect = b"CONNECT other.example:80 HTTP/1.1\r\nHost: other.example:80\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&exchange(gateway, connect).await), "400");
}

#[tokio::test]
async fn two_names_for_one_request_are_refused() {
    let (app, gateway) = started().await;
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n",
        "GET / HTTP/1.1\r\nHost: a, b\r\n",
        "GET / HTTP/1.1\r\nHost: user@a\r\n",
        "GET / HTTP/1.1\r\nHost: a:x\r\n",
        "GET / HTTP/1.1\r\nHost: a:\r\n",
        "GET / HTTP/1.1\r\nHost: :80\r\n",
        "GET / HTTP/1.1\r\nHost: a:65536\r\n",
        "GET / HTTP/1.1\r\nHost: a:+1\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n",
        "GET / HTTP/1.1\r\nHost: [a]\r\n",
        "GET / HTTP/1.1\r\nHost: ::1\r\n",
        "GET / HTTP/1.1\r\nHost: [::1\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n",
        "GET http://a:/ HTTP/1.1\r\nHost: a\r\n",
        "GET http://b/ HTTP/1.1\r\nHost: a\r\n",
        "GET http://user@a/ HTTP/1.1\r\nHost: a\r\n",
    ] {
        let answer = exchange(gateway, format!("{request}Connection: close\r\n\r\n").as_bytes()).await;
        assert_eq!(status(&answer), "400", "{request}: {answer}");
    }
    assert!(app.received().is_empty());
    let absolute = b"GET http://a:80/x?y HTTP/1.1\r\nHost: A\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&exchange(gateway, absolute).await), "200");
    let request = app.only();
    let found = (request.line(), request.header("host"));
    assert_eq!(found, ("GET /x?y HTTP/1.1", vec!["A"]));
}

#[tokio::test]
async fn forwarding_fields_of_an_untrusted_client_are_ignored() {
    let (app, gateway) = started().await;
    let said = "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: gopher\r\n\
                Forwarded: for=2.2.2.2;host=evil.example\r\nX-Forwarded-Prefix: /x\r\nX-Original-URL: /admin\r\n";
    assert_eq!(status(&get(gateway, "/x", said).await), "200");
    let request = app.only();
    let names = "forwarded host x-forwarded-for x-forwarded-host x-forwarded-proto x-linkgate-via";
    assert_eq!(request.names(), names);
    assert_eq!(request.header("host"), ["builds.example.com"]);
    assert_eq!(request.header("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(request.header("x-forwarded-host"), ["builds.example.com"]);
    assert_eq!(request.header("x-forwarded-proto"), ["https"]);
    let standard = "for=127.0.0.1;host=builds.example.com;proto=https";
    assert_eq!(request.header("forwarded"), [standard]);
}

#[tokio::test]
async fn forwarding_fields_of_a_trusted_proxy_are_used() {
    let app = App::start().await;
    let gateway = start_behind_proxy(&app).await;
    let said = "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Host: inner.example.com:8080\r\nX-Forwarded-Proto: http\r\n\
                X-Forwarded-Prefix: /x\r\n";
    assert_eq!(status(&get(gateway, "/x", said).await), "200");
    let request = app.only();
    assert_eq!(request.header("host"), ["inner.example.com:8080"]);
    assert_eq!(request.header("x-forwarded-for"), ["1.1.1.1, 127.0.0.1"]);
    assert_eq!(request.header("x-forwarded-host"), ["inner.example.com:8080"]);
    assert_eq!(request.header("x-forwarded-proto"), ["http"]);
    assert_eq!(request.header("x-forwarded-prefix"), [""; 0]);
    let standard = "for=1.1.1.1, for=127.0.0.1;host=\"inner.example.com:8080\";proto=http";
    assert_eq!(request.header("forwarded"), [standard]);
    let two_stories = "X-Forwarded-Host: a\r\nForwarded: host=b\r\n";
    assert_eq!(status(&get(gateway, "/x", two_stories).await), "400");
}

#[tokio::test]
async fn any_host_that_is_one_passes_unsigned() {
    let (app, gateway) = started().await;
    for host in [
        "other.example",
        "a:65535",
        "1.2.3.4:1",
        "[::1]",
        "[::1]:80",
        "a_b.c-d",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = exchange(gateway, request.as_bytes()).await;
        assert_eq!(status(&answer), "200", "{host}: {answer}");
        let request = app.last();
        let named = ["host", "x-forwarded-host", "x-forwarded-proto"].map(|name| request.header(name)[0]);
        assert_eq!(named, [host, host, "https"]);
    }
}

#[tokio::test]
async fn what_a_trusted_proxy_reports_is_read_and_passed_on() {
    let app = App::start().await;
    let gateway = start_behind_proxy(&app).await;
    for [sent, host, proto, chain, hops] in rows(REPORTS) {
        let headers = match sent {
            "none" => String::new(),
            sent => sent.replace(" || ", "\r\n") + "\r\n",
        };
        assert_eq!(status(&get(gateway, "/x", &headers).await), "200", "{sent}");
        let request = app.last();
        for (name, value) in [
            ("host", host),
            ("x-forwarded-host", host),
            ("x-forwarded-proto", proto),
            ("x-forwarded-for", chain),
        ] {
            assert_eq!(request.header(name), [value], "{sent}");
        }
        let quote = if host.contains(':') { "\"" } else { "" };
        let forwarded = format!("{hops};host={quote}{host}{quote};proto={proto}");
        assert_eq!(request.header("forwarded"), [forwarded], "{sent}");
    }
    let answer = get(gateway, "/x", "X-Forwarded-Host: user@a\r\n").await;
    assert_eq!(status(&answer), "400", "{answer}");
}

/// What a trusted proxy sends, and what the application receives: host, scheme, `X-Forwarded-For`, hops of `Forwarded`. A bar
/// separates them, and two the header lines.
const REPORTS: &str = r#"
none | builds.example.com | https | 127.0.0.1 | for=127.0.0.1
// As it is written, with our peer at its end.
X-Forwarded-For: 192.0.2.1,192.0.2.2:80 | builds.example.com | https | 192.0.2.1,192.0.2.2:80, 127.0.0.1 | for=192.0.2.1, for=192.0.2.2, for=127.0.0.1
X-Forwarded-For: nonsense || X-Forwarded-For: [2001:db8::2]:80 | builds.example.com | https | nonsense, [2001:db8::2]:80, 127.0.0.1 | for=unknown, for="[2001:db8::2]", for=127.0.0.1
// Made anew, where only `Forwarded` knows it.
Forwarded: for="[2001:db8::1]:80", for=_hidden | builds.example.com | https | 2001:db8::1, unknown, 127.0.0.1 | for="[2001:db8::1]", for=unknown, for=127.0.0.1
// The last value counts, and a quoted comma or semicolon separates nothing.
X-Forwarded-Host: evil.example, Inner.example.com:8080 || X-Forwarded-Proto: https, HTTP | inner.example.com:8080 | http | 127.0.0.1 | for=127.0.0.1
Forwarded: for=1.1.1.1;host="evil, for=9.9.9.9;", For=192.0.2.1;PROTO=http;host="inner.example.com:8080" | inner.example.com:8080 | http | 1.1.1.1, 192.0.2.1, 127.0.0.1 | for=1.1.1.1, for=192.0.2.1, for=127.0.0.1
// Both families, which agree as far as they go.
Forwarded: for=192.0.2.1;proto=https || X-Forwarded-Host: other.example || X-Forwarded-For: 192.0.2.9, 192.0.2.1 | other.example | https | 192.0.2.9, 192.0.2.1, 127.0.0.1 | for=192.0.2.9, for=192.0.2.1, for=127.0.0.1
"#;

//! What a client is told when there is no answer of the application: status, code, and what to do now.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use linkgate::gateway::{PublicUrls, TrustedProxies, Upstream};
use linkgate::oauth::PublicUrl;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::{exchange, get, options, serve, start, started, status};
use crate::support::{App, Text as _, app};

/// Sends a request that accepts JSON; status, code and advice of the answer, which tells nothing about the inside.
async fn told(gateway: SocketAddr, line: &str, rest: &str) -> (String, String, String) {
    let request =
        format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: application/json\r\n{rest}");
    let answer = exchange(gateway, request.as_bytes()).await;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{answer:?}"));
    let lower = head.to_ascii_lowercase();
    assert!(
        lower.contains("\r\ncontent-type: application/json\r\n"),
        "{answer}"
    );
    answer.lacks("127.0.0.1");
    answer.lacks("oauth_problem");
    assert!(!lower.contains("www-authenticate"), "{answer}");
    let body: Value = serde_json::from_str(body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (status(&answer).to_owned(), text("code"), text("advice"))
}

const FORM: &str =
    "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: OAuth oauth_nonce=\"n\"\r\n";

#[tokio::test]
async fn what_is_wrong_with_a_request_has_a_code() {
    let app = App::start().await;
    let mut options = options(&app).await;
    options.check.body_limits.time = Duration::from_millis(500);
    let gateway = serve(options).await;
    let broken = "Transfer-Encoding: chunked\r\n\r\nzz\r\n";
    let form = |rest: &str| format!("{FORM}{rest}");
    for (rest, code, name) in [
        ("Host: b\r\n\r\n", "400", "ambiguous_request"),
        (&*form("Content-Length: 9999999\r\n\r\n"), "413", "body_too_large"),
        (
            &form("Content-Encoding: br\r\nContent-Length: 1\r\n\r\na"),
            "415",
            "compressed_form",
        ),
        (&form("Content-Length: 9\r\n\r\na=b"), "408", "body_too_slow"),
        (&form(broken), "400", "body_incomplete"),
        (broken, "400", "body_incomplete"),
        (
            "Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n",
            "501",
            "transfer_coding_unknown",
        ),
    ] {
        let (status, code_told, _) = told(gateway, "POST /x", rest).await;
        assert_eq!((&*status, &*code_told), (code, name), "{rest}");
    }
}

/// An address at which connections are neither accepted nor refused, because as many wait as may wait.
async fn full() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let (address, mut waiting) = (listener.local_addr().unwrap(), Vec::new());
    while let Ok(stream) = timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    (address, listener, waiting)
}

#[tokio::test]
async fn a_silent_or_broken_application_has_a_code_and_an_advice() {
    let sent = "look first whether it was done";
    for (answer, code, name) in [
        (
            "nonsense\r\n\r\nconnection: close",
            "502",
            "upstream_answer_broken",
        ),
        ("HTTP/1.1 101 Surprise\r\n\r\n", "502", "upstream_upgrade_unasked"),
        ("", "504", "upstream_answer_timeout"),
    ] {
        let app = App::answering(answer).await;
        let mut options = options(&app).await;
        options.upstream.response_timeout = Duration::from_millis(500);
        let (status, code_told, advice) = told(serve(options).await, "GET /x", "\r\n").await;
        assert_eq!((&*status, &*code_told), (code, name), "{answer:?}");
        assert!(advice.contains(sent), "{advice}");
    }
    let app = App::absent();
    let (status, code, advice) = told(start(&app).await, "GET /x", "\r\n").await;
    assert_eq!((&*status, &*code), ("502", "upstream_refused"));
    assert!(advice.contains("try again") && !advice.contains(sent), "{advice}");
    let (address, _listener, _waiting) = full().await;
    let mut options = options(&app).await;
    options.upstream.url = Upstream::parse(&format!("http://{address}")).unwrap();
    options.upstream.connect_timeout = Duration::from_millis(300);
    let (status, code, advice) = told(serve(options).await, "GET /x", "\r\n").await;
    assert_eq!((&*status, &*code), ("504", "upstream_connect_timeout"));
    assert!(advice.contains("Nothing was sent to it"), "{advice}");
}

#[tokio::test]
async fn references_differ_and_can_be_read_out() {
    let gateway = start(&App::absent()).await;
    let mut references = HashSet::new();
    for _ in 0..50 {
        let answer = get(gateway, "/x", "").await;
        let (_, reference) = answer.trim_end().rsplit_once("Reference: ").unwrap();
        let is_letter = |c| "-ABCDEFGHJKMNPQRSTVWXYZ23456789".contains(c);
        assert!(reference.chars().all(is_letter), "{reference}");
        assert_eq!(
            (reference.len(), reference.find('-')),
            (9, Some(4)),
            "{reference}"
        );
        assert!(references.insert(reference.to_owned()), "{reference}");
    }
}

#[tokio::test]
async fn a_page_is_sent_to_those_who_ask_for_one_by_name() {
    let gateway = start(&App::absent()).await;
    for (accept, kind) in [
        ("", "text/plain;charset=UTF-8"),
        ("Accept: */*\r\n", "text/plain;charset=UTF-8"),
        ("Accept: text/*\r\n", "text/plain;charset=UTF-8"),
        (
            "Accept: application/xml, TEXT/HTML;q=0.9, */*\r\n",
            "text/html;charset=UTF-8",
        ),
        ("Accept: application/vnd.x+json\r\n", "application/json"),
    ] {
        let answer = get(gateway, "/x", accept).await;
        assert!(
            answer.contains(&format!("\r\ncontent-type: {kind}\r\n")),
            "{accept}: {answer}"
        );
    }
}

#[tokio::test]
async fn half_a_handshake_asks_for_no_web_socket() {
    let (app, gateway) = started().await;
    let version = "Sec-WebSocket-Version: 13\r\n";
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let length = format!("{upgrade}Content-Length: 0\r\n");
    let twice = format!("{upgrade}Upgrade: h2c\r\n");
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    for (line, headers) in [
        ("POST /x HTTP/1.1", &*length),
        ("GET /x HTTP/1.0", upgrade),
        ("GET /x HTTP/1.1", "Upgrade: websocket\r\n"),
        ("GET /x HTTP/1.1", &twice),
        ("GET /x HTTP/1.1", h2c),
    ] {
        let request = format!("{line}\r\nHost: a\r\n{version}{headers}\r\n");
        let mut client = tokio::io::BufReader::new(TcpStream::connect(gateway).await.unwrap());
        client.write_all(request.as_bytes()).await.unwrap();
        let answer = app::read_head(&mut client).await.unwrap();
        assert_eq!(status(&answer), "200", "{headers}: {answer}");
        let received = app.last();
        for gone in ["upgrade", "connection", "http2-settings"] {
            assert_eq!(received.header(gone), [""; 0], "{line} {headers}");
        }
    }
    let other = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let gateway = start(&App::answering(other).await).await;
    let (answer, _) = super::connections::ask_for("websocket", gateway).await;
    assert_eq!(status(&answer), "502", "{answer}");
}

/// The proxy in between passes everything on, so that only the mark can tell.
#[tokio::test]
async fn a_request_that_comes_back_is_answered_once() {
    let (gateway, relayed) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
    let (here, count) = (Arc::clone(&gateway), Arc::clone(&relayed));
    let relay = App::scripted(move |_, mut stream| {
        count.fetch_add(1, Ordering::Relaxed);
        let here = Arc::clone(&here);
        async move {
            let mut back = TcpStream::connect(*here.get().unwrap()).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut back).await;
        }
    })
    .await;
    gateway.set(start(&relay).await).unwrap();
    for host in ["builds.example.com", "other.example"] {
        let head = format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = exchange(*gateway.get().unwrap(), head.as_bytes()).await;
        assert_eq!(status(&answer), "508", "{answer}");
        answer.has("upstream.url must be the application's own address");
    }
    assert_eq!(relayed.load(Ordering::Relaxed), 1, "one connection, used again");
}

#[tokio::test]
async fn a_request_that_comes_back_through_another_linkgate_is_answered() {
    let second = Arc::new(OnceLock::new());
    let there = Arc::clone(&second);
    let relay = App::scripted(move |_, mut stream| {
        let there = Arc::clone(&there);
        async move {
            let mut second = TcpStream::connect(*there.get().unwrap()).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut second).await;
        }
    })
    .await;
    let first = start(&relay).await;
    let mut other = options(&relay).await;
    other.upstream = toml::from_str(&format!("url = \"http://{first}\"")).unwrap();
    let url = PublicUrl::parse("https://other.example.com").unwrap();
    other.check.public_urls = PublicUrls::new(url, Vec::new(), TrustedProxies::default());
    second.set(serve(other).await).unwrap();
    let answer = timeout(Duration::from_secs(10), get(first, "/x", "")).await;
    let answer = answer.expect("it does not go round for ever");
    assert_eq!(status(&answer), "508", "{answer}");
}

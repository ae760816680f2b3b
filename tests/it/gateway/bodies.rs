//! Forms are held, everything else streams.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::{ask, get, options, serve, start, started, status};
use crate::support::{App, Text as _, app};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n";
/// What makes a request one that carries OAuth.
const OAUTH: &str = "Authorization: OAuth oauth_nonce=\"n\"\r\n";

async fn send(address: std::net::SocketAddr, method: &str, headers: &str, body: &[u8]) -> String {
    let rest = [headers.as_bytes(), b"\r\n", body].concat();
    ask(address, &format!("{method} /x"), rest).await
}

#[tokio::test]
async fn a_form_arrives_unchanged() {
    let (app, gateway) = started().await;
    let body = b"a=1&b=%zz&&c=+\xff&d";
    for method in ["POST", "PUT", "GET", "DELETE"] {
        let length = format!("{FORM}Content-Length: {}\r\n", body.len());
        let answer = send(gateway, method, &length, body).await;
        assert_eq!(status(&answer), "200", "{method}: {answer}");
        let request = app.last();
        assert_eq!(request.body, body, "{method}");
        let found = request.header("content-type");
        assert_eq!(found, ["application/x-www-form-urlencoded; charset=UTF-8"]);
    }
    let chunked = format!("{FORM}Transfer-Encoding: chunked\r\n");
    let answer = send(gateway, "GET", &chunked, b"2\r\na=\r\n1\r\n1\r\n0\r\n\r\n").await;
    assert_eq!(status(&answer), "200", "{answer}");
    let request = app.last();
    let found = (request.body.as_slice(), request.header("content-length"));
    assert_eq!(found, (&b"a=1"[..], vec!["3"]));
}

#[tokio::test]
async fn other_bodies_arrive_unchanged() {
    let (app, gateway) = started().await;
    let json = "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n";
    for method in ["POST", "GET"] {
        let answer = send(gateway, method, json, b"{}").await;
        assert_eq!(status(&answer), "200", "{method}: {answer}");
        assert_eq!(app.last().body, b"{}", "{method}");
    }
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: Remote-User\r\n";
    let body = b"2\r\n{}\r\n0\r\nRemote-User: alice\r\n\r\n";
    for method in ["POST", "GET", "HEAD", "DELETE", "OPTIONS"] {
        let answer = send(gateway, method, chunked, body).await;
        assert_eq!(status(&answer), "200", "{method}: {answer}");
        let request = app.last();
        assert_eq!(request.body, b"{}", "{method}");
        assert_eq!(request.header("content-length"), ["2"], "{method}");
        assert_eq!(request.header("transfer-encoding"), [""; 0], "{method}");
        assert_eq!(request.header("trailer"), [""; 0]);
    }
}

/// Python's `http.server` and others read no chunks.
#[tokio::test]
async fn a_body_of_unknown_length_is_sent_in_chunks_if_it_is_long_or_pauses() {
    let (app, gateway) = started().await;
    for (length, framing) in [(16 << 10, "content-length"), (17 << 10, "transfer-encoding")] {
        let piece = vec![b'a'; length];
        let chunks = [format!("{length:x}\r\n").as_bytes(), &piece, b"\r\n0\r\n\r\n"].concat();
        let answer = send(gateway, "PUT", "Transfer-Encoding: chunked\r\n", &chunks).await;
        assert_eq!(status(&answer), "200", "{length}: {answer}");
        let request = app.last();
        assert_eq!(request.header(framing).len(), 1, "{length}: {}", request.head);
    }
    let (app, mut arrived) = echo().await;
    let mut client = TcpStream::connect(start(&app).await).await.unwrap();
    let head = b"PUT /x HTTP/1.1\r\nHost: builds.example.com\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n";
    client.write_all(head).await.unwrap();
    assert_eq!(arrived.recv().await.unwrap(), "1\r\na\r\n");
    client.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(arrived.recv().await.unwrap(), "0\r\n\r\n");
}

#[tokio::test]
async fn a_signed_form_has_an_end() {
    let (app, gateway) = started().await;
    let megabyte = vec![b'a'; 1 << 20];
    // It is refused by what it says, and by what it is.
    let declared = format!("{FORM}{OAUTH}Content-Length: {}\r\n", megabyte.len() + 1);
    assert_eq!(status(&send(gateway, "POST", &declared, b"").await), "413");
    let mut signed = b"a=1&oauth%5Fnonce=n&b=".to_vec();
    signed.extend_from_slice(&megabyte);
    let mut chunks = format!("{:x}\r\n", signed.len()).into_bytes();
    chunks.extend_from_slice(&signed);
    for headers in [
        format!("{OAUTH}Transfer-Encoding: chunked\r\n"),
        "Transfer-Encoding: chunked\r\n".to_owned(),
    ] {
        let answer = send(gateway, "POST", &format!("{FORM}{headers}"), &chunks).await;
        assert_eq!(status(&answer), "413", "{headers}");
    }
    let declared = format!("{FORM}Content-Length: {}\r\n", signed.len());
    assert_eq!(status(&send(gateway, "POST", &declared, &signed).await), "413");
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn an_unsigned_form_has_no_limit() {
    let (app, gateway) = started().await;
    let large = b"field=value&".repeat(300_000);
    for (size, coding) in [
        (1 << 20, ""),
        ((1 << 20) + 1, ""),
        (large.len(), ""),
        (large.len(), "Content-Encoding: gzip\r\n"),
        (9, "Content-Encoding: gzip\r\n"),
    ] {
        let body = &large[..size];
        let headers = format!("{FORM}{coding}Content-Length: {size}\r\n");
        let answer = send(gateway, "POST", &headers, body).await;
        assert_eq!(status(&answer), "200", "{size} {coding}: {answer}");
        let received = app.last();
        assert!(received.body == body, "{size} {coding}");
        assert_eq!(received.header("content-length"), [size.to_string()]);
        assert_eq!(received.header("transfer-encoding"), [""; 0]);
        assert_eq!(received.header("x-linkgate-call"), [""; 0]);
    }
    let chunks = [
        format!("{:x}\r\n", large.len()).as_bytes(),
        &large,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    let chunked = format!("{FORM}Transfer-Encoding: chunked\r\n");
    assert_eq!(status(&send(gateway, "POST", &chunked, &chunks).await), "200");
    let received = app.last().body;
    assert_eq!(received.split(|byte| *byte == b'&').count(), 300_001);
    // Where OAuth is required, it is as unsigned as any other request.
    for coding in ["", "Content-Encoding: gzip\r\n"] {
        let head = format!("{FORM}{coding}Content-Length: {}\r\n\r\n", (1 << 20) + 1);
        let rest = [head.as_bytes(), &large[..=1 << 20]].concat();
        let answer = ask(gateway, "POST /api/x", rest).await;
        assert!(status(&answer) == "401", "{answer}");
        answer.lacks("oauth_problem");
    }
    assert_eq!(app.received().len(), 6);
}

#[tokio::test]
async fn an_unsigned_form_may_be_slow() {
    let (app, mut arrived) = echo().await;
    let mut options = options(&app).await;
    options.check.body_limits.time = Duration::from_millis(300);
    let gateway = serve(options).await;
    let mut client = TcpStream::connect(gateway).await.unwrap();
    let head = format!("POST /x HTTP/1.1\r\nHost: builds.example.com\r\n{FORM}Content-Length: 7\r\n\r\na=1");
    client.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(arrived.recv().await.unwrap(), "a=1");
    client.write_all(b"&b=2").await.unwrap();
    assert_eq!(arrived.recv().await.unwrap(), "&b=2");
}

#[tokio::test]
async fn a_form_that_cannot_be_read_is_refused() {
    let (app, gateway) = started().await;
    let compressed = format!("{FORM}{OAUTH}Content-Encoding: gzip\r\nContent-Length: 1\r\n");
    assert_eq!(status(&send(gateway, "POST", &compressed, b"x").await), "415");
    let twice = format!("{FORM}Content-Type: text/plain\r\nContent-Length: 1\r\n");
    assert_eq!(status(&send(gateway, "POST", &twice, b"x").await), "400");
    let coded = format!("{FORM}Transfer-Encoding: gzip, chunked\r\n");
    let answer = send(gateway, "POST", &coded, b"1\r\nx\r\n0\r\n\r\n").await;
    assert_eq!(status(&answer), "501", "{answer}");
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn a_form_on_an_open_route_passes_unread() {
    let (app, gateway) = started().await;
    for headers in ["Content-Encoding: gzip\r\n", "Content-Type: text/plain\r\n"] {
        let rest = format!("{FORM}{headers}Content-Length: 3\r\n\r\na=b");
        let answer = ask(gateway, "POST /static/x", rest).await;
        assert_eq!(status(&answer), "200", "{headers}: {answer}");
        assert_eq!(app.last().body, b"a=b");
    }
}

/// A body may be expected of these methods (RFC 9110, section 8.6), and a length that the client sent is repeated.
#[tokio::test]
async fn a_request_without_a_body_has_the_length_that_is_expected() {
    let (app, gateway) = started().await;
    for (method, headers, length) in [
        ("POST", "", &["0"][..]),
        ("PUT", "", &["0"]),
        ("PATCH", "", &["0"]),
        ("POST", "Content-Length: 0\r\n", &["0"]),
        ("GET", "Content-Length: 0\r\n", &["0"]),
        ("GET", "", &[]),
        ("DELETE", "", &[]),
    ] {
        let answer = send(gateway, method, headers, b"").await;
        assert_eq!(status(&answer), "200", "{method}: {answer}");
        let request = app.last();
        assert_eq!(request.header("content-length"), length, "{method} {headers}");
        assert_eq!(request.header("transfer-encoding"), [""; 0], "{method} {headers}");
    }
}

/// An application that tells, piece by piece, what arrives; and answers each piece.
async fn echo() -> (App, mpsc::UnboundedReceiver<String>) {
    let (pieces, arrived) = mpsc::unbounded_channel();
    let app = App::scripted(move |_, mut stream| {
        let pieces = pieces.clone();
        async move {
            app::read_head(&mut stream).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut piece = [0; 1024];
            loop {
                let n = stream.read(&mut piece).await.unwrap_or(0);
                if n == 0 {
                    return;
                }
                stream.write_all(&piece[..n]).await.unwrap();
                pieces
                    .send(String::from_utf8_lossy(&piece[..n]).into_owned())
                    .unwrap();
            }
        }
    })
    .await;
    (app, arrived)
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let (app, mut arrived) = echo().await;
    let gateway = start(&app).await;
    let mut client = BufReader::new(TcpStream::connect(gateway).await.unwrap());
    let head = "POST /x HTTP/1.1\r\nHost: builds.example.com\r\nContent-Length: 6\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(b"one").await.unwrap();
    assert_eq!(arrived.recv().await.unwrap(), "one");
    let head = app::read_head(&mut client).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let mut chunk = [0; 8];
    client.read_exact(&mut chunk).await.unwrap();
    assert_eq!(&chunk, b"3\r\none\r\n");
    client.write_all(b"two").await.unwrap();
    assert_eq!(arrived.recv().await.unwrap(), "two");
    client.read_exact(&mut chunk).await.unwrap();
    assert_eq!(&chunk, b"3\r\ntwo\r\n");
}

#[tokio::test]
async fn trailers_of_an_answer_arrive() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
    )
    .await;
    let gateway = start(&app).await;
    let answer = get(gateway, "/x", "TE: trailers, gzip\r\n").await;
    assert_eq!(
        (app.only().header("te"), app.only().header("connection")),
        (vec!["trailers"], vec!["te"])
    );
    assert!(
        answer.ends_with("\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_answer_to_head_has_a_length_and_no_body() {
    let app = App::answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await;
    let gateway = start(&app).await;
    for _ in 0..3 {
        let answer = send(gateway, "HEAD", "", b"").await;
        assert_eq!(status(&answer), "200", "{answer}");
        assert!(answer.contains("\r\ncontent-length: 5\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
    let connections: Vec<_> = app.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0; 3], "its connection is whole, and used again");
}

#[tokio::test]
async fn bodies_that_are_held_have_one_budget() {
    let (_, gateway) = started().await;
    let begin = async || {
        let mut client = TcpStream::connect(gateway).await.unwrap();
        let head = format!(
            "POST /jobs HTTP/1.1\r\nHost: builds.example.com\r\n{FORM}{OAUTH}\
             Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        client
    };
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(begin().await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut answer = String::new();
    begin().await.read_to_string(&mut answer).await.unwrap();
    assert!(status(&answer) == "503", "{answer}");
    answer.has("too many requests");
    // What is not signed is not held, and what ends makes room.
    let unsigned = format!("{FORM}Content-Length: 3\r\n");
    assert_eq!(status(&send(gateway, "POST", &unsigned, b"a=1").await), "200");
    let mut last = held.pop().unwrap();
    last.write_all(b"0\r\n\r\n").await.unwrap();
    answer.clear();
    last.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), "400");
    let mut next = begin().await;
    next.write_all(b"0\r\n\r\n").await.unwrap();
    answer.clear();
    next.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), "400");
}

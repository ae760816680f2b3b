//! Messages that two readers would end in two places (RFC 9112, section 11.2): the application receives the one message that
//! was judged, framed anew, or nothing.

use super::{ask, exchange, signed, start, started, status};
use crate::support::{App, Received, Text as _};

/// Sends a request that goes on like this after its first lines; the answer, which must be one, and what arrived.
async fn answered(shape: &str) -> (String, Vec<Received>) {
    let (app, gateway) = started().await;
    let answer = ask(gateway, "POST /page", shape).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{shape:?}: {answer}");
    (status(&answer).to_owned(), app.received())
}

/// Each is answered 400, and nothing reaches the application.
async fn refuses<T: AsRef<str>>(shapes: &[T]) {
    for shape in shapes.iter().map(AsRef::as_ref) {
        let (status, received) = answered(shape).await;
        assert_eq!((&*status, received.len()), ("400", 0), "{shape:?}: {received:?}");
    }
}

/// Each arrives as one message with this body, and with its length.
async fn passes<T: AsRef<str>>(shapes: &[T], body: &[u8]) {
    for shape in shapes.iter().map(AsRef::as_ref) {
        let (status, received) = answered(shape).await;
        assert_eq!((&*status, received.len()), ("200", 1), "{shape:?}: {received:?}");
        assert_eq!(received[0].body, body, "{shape:?}");
        let framing = ["content-length", "transfer-encoding", "trailer"];
        let framing = framing.map(|name| received[0].header(name).len());
        assert_eq!(framing, [1, 0, 0], "{shape:?}: {received:?}");
        received[0].head.lacks("mallory");
    }
}

#[tokio::test]
async fn a_length_is_one_number() {
    refuses(&[
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "Content-Length: 5, 5\r\n\r\nhello",
        "Content-Length: 5, 6\r\n\r\nhello!",
        "Content-Length: +5\r\n\r\nhello",
        "Content-Length: -5\r\n\r\nhello",
        "Content-Length: 0x5\r\n\r\nhello",
        "Content-Length: 5 5\r\n\r\nhello",
        "Content-Length:\r\n\r\nhello",
        "Content-Length: 99999999999999999999\r\n\r\nhello",
        "Content-Length : 5\r\n\r\nhello",
    ])
    .await;
    passes(&["Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"], b"hello").await;
}

/// Chunks win over a length (RFC 9112, section 6.3), and what follows them on this connection is not read.
#[tokio::test]
async fn chunks_and_a_length_make_one_message() {
    let hidden = "GET /hidden HTTP/1.1\r\nHost: builds.example.com\r\n\r\n";
    let length_first = format!("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}");
    let chunks_first = format!("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n{hidden}");
    for shape in [length_first, chunks_first] {
        let app = App::start().await;
        let gateway = start(&app).await;
        // No `Connection: close`: it is the server that must not go on.
        let head = "POST /page HTTP/1.1\r\nHost: builds.example.com\r\n";
        let answer = exchange(gateway, format!("{head}{shape}").as_bytes()).await;
        let found = (status(&answer), answer.matches("HTTP/1.1 ").count());
        assert_eq!(found, ("200", 1), "{shape:?}");
        let request = app.only();
        assert_eq!(request.body, b"", "{shape:?}");
        assert_eq!(request.header("content-length"), ["0"], "{shape:?}");
    }
}

#[tokio::test]
async fn no_other_coding_frames_a_body() {
    refuses(&[
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: \"chunked\"\r\nContent-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ])
    .await;
    passes(
        &["Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
        b"",
    )
    .await;
}

#[tokio::test]
async fn a_coding_beside_chunked_is_not_implemented() {
    let (app, gateway) = started().await;
    for (coding, code) in [
        ("gzip, chunked", "501"),
        ("chunked, chunked", "501"),
        ("identity, chunked", "501"),
        ("Chunked", "200"),
    ] {
        for path in ["/page", "/static/x", "/api/x"] {
            let rest = format!("Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n");
            let code = if code == "200" && path == "/api/x" {
                "401"
            } else {
                code
            };
            let answer = ask(gateway, &format!("POST {path}"), rest).await;
            assert_eq!(status(&answer), code, "{path} {coding}: {answer}");
        }
    }
    assert_eq!(app.received().len(), 2);
}

#[tokio::test]
async fn a_line_ends_where_it_ends() {
    refuses(&[
        "X-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello",
        "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "X-A: b\rRemote-User: mallory\r\nContent-Length: 5\r\n\r\nhello",
        "X-A: b\0c\r\nContent-Length: 5\r\n\r\nhello",
        "X A: b\r\nContent-Length: 5\r\n\r\nhello",
        "Xab\r\nContent-Length: 5\r\n\r\nhello",
    ])
    .await;
    passes(
        &["X-A: b\nRemote-User: mallory\nContent-Length: 5\r\n\r\nhello"],
        b"hello",
    )
    .await;
}

#[tokio::test]
async fn a_chunk_has_its_declared_length() {
    let chunked = |body: &&str| format!("Transfer-Encoding: chunked\r\n\r\n{body}");
    let arrive = [
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "5;a=\"b;c\"\r\nhello\r\n0;x\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nRemote-User: mallory\r\nContent-Length: 9\r\n\r\n",
    ];
    passes(&arrive.each_ref().map(chunked), b"hello").await;
    let malformed = [
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-1\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF5\r\nhello\r\n0\r\n\r\n",
        // These break in the middle: what had arrived may have gone on, and its end never comes.
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r\n0\n\n",
    ];
    refuses(&malformed.each_ref().map(chunked)).await;
}

#[tokio::test]
async fn a_signed_form_arrives_as_it_was_verified() {
    let (app, gateway) = started().await;
    let chunked = "Transfer-Encoding: chunked\r\n";
    let both = "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n";
    for (framing, body, code) in [
        ("Content-Length: 3\r\n", "a=b", "200"),
        (chunked, "3;x=\"&c=d\"\r\na=b\r\n0\r\n&c: d\r\n\r\n", "200"),
        (both, "1\r\na\r\n2\r\n=b\r\n0\r\n\r\n", "200"),
        (chunked, "7\r\na=b&c=d\r\n0\r\n\r\n", "401"),
        ("Content-Length: 7\r\n", "a=b&c=d", "401"),
        (chunked, "3\r\na=b&c=d\r\n0\r\n\r\n", "400"),
    ] {
        let authorization = signed::form_authorization("/api/x", b"a=b");
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        let rest = format!("{authorization}{kind}{framing}\r\n{body}");
        let before = app.received().len();
        let answer = ask(gateway, "POST /api/x", rest).await;
        assert_eq!(status(&answer), code, "{framing}{body}: {answer}");
        let received = app.received();
        let found = received.len() - before;
        assert_eq!(found, usize::from(code == "200"), "{framing}{body}");
        if let [.., last] = &received[before..] {
            let found = (last.body.as_slice(), last.header("content-length"));
            assert_eq!(found, (&b"a=b"[..], vec!["3"]));
            assert_eq!(last.header("transfer-encoding"), [""; 0]);
        }
    }
}

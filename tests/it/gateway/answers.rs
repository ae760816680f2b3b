//! What the application answers: where it ends, and what is no answer.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::signed::authorization;
use super::{ask, get, options, serve, start, status};
use crate::support::{App, Text as _, app};

/// The body of an answer, without its chunks.
fn body(answer: &str) -> &str {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    if !head.contains("transfer-encoding: chunked") {
        return body;
    }
    let (_, body) = body.split_once("\r\n").unwrap();
    body.strip_suffix("\r\n0\r\n\r\n").unwrap()
}

#[tokio::test]
async fn a_response_ends_where_its_framing_ends() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n4;x=y\r\nbody\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nbody",
        "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nbody",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
    ] {
        let gateway = start(&App::answering(answer).await).await;
        for _ in 0..3 {
            let got = get(gateway, "/x", "").await;
            assert_eq!((status(&got), body(&got)), ("200", "body"), "{answer:?}: {got:?}");
            assert!(!got.contains("103") && !got.contains("</x>"), "{got:?}");
        }
    }
    for answer in [
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n",
    ] {
        let app = App::answering(answer).await;
        let gateway = start(&app).await;
        for _ in 0..3 {
            let got = get(gateway, "/x", "").await;
            assert!(["204", "304"].contains(&status(&got)), "{got:?}");
            assert!(got.ends_with("\r\n\r\n"), "{got:?}");
        }
        assert!(app.received().iter().all(|request| request.connection == 0));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_taken_for_whole() {
    for (rest, whole) in [
        ("Content-Length: 9\r\n\r\nbody", "content-length: 4\r\n"),
        ("Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n", "\r\n0\r\n"),
        (
            "Transfer-Encoding: chunked\r\n\r\n4\r\nbodyX0\r\n\r\n",
            "\r\n0\r\n",
        ),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{rest}").leak();
        let gateway = start(&App::answering(answer).await).await;
        let got = get(gateway, "/x", "").await;
        assert!(got.is_empty() || status(&got) == "200", "{got:?}");
        assert!(!got.contains(whole), "{got:?}");
    }
}

#[tokio::test]
async fn an_answer_that_contradicts_itself_does_not_arrive() {
    for fields in [
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: 4, 5",
        "Content-Length: -4",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: identity\r\nContent-Length: 4",
        "Content-Length: ",
        "Content-Length: +4",
        "Content-Length: 4,",
        "Content-Length: 18446744073709551616",
        "X-Bad: a\r\n b",
        "X Bad: a",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\nbody").leak();
        let gateway = start(&App::answering(answer).await).await;
        for method in ["GET", "HEAD"] {
            let got = ask(gateway, &format!("{method} /x"), "\r\n").await;
            assert_eq!(status(&got), "502", "{method} {fields}: {got:?}");
            assert!(!got.ends_with("body"), "{got:?}");
        }
    }
    let old =
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nconnection: close\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    let gateway = start(&App::answering(old).await).await;
    assert_eq!(status(&get(gateway, "/x", "").await), "502");
}

/// A client that reads a length otherwise than we do would end the answer elsewhere.
#[tokio::test]
async fn a_length_is_passed_on_in_one_spelling() {
    for (written, passed) in [
        ("5", "5"),
        ("05", "5"),
        ("5, 5", "5"),
        ("5\r\nContent-Length: 005", "5"),
    ] {
        for (code, method, body) in [("200 OK", "GET", "hello"), ("200 OK", "HEAD", "")] {
            let answer = format!("HTTP/1.1 {code}\r\nContent-Length: {written}\r\n\r\n{body}").leak();
            let gateway = start(&App::answering(answer).await).await;
            let got = ask(gateway, &format!("{method} /x"), "\r\n").await;
            let lengths: Vec<_> = got
                .lines()
                .filter_map(|line| line.strip_prefix("content-length: "))
                .collect();
            let found = (lengths, got.ends_with(&format!("\r\n\r\n{body}")));
            assert_eq!(found, (vec![passed], true), "{method} {got}");
        }
    }
}

/// Chunks win over a length (RFC 9112, section 6.3), which does not arrive; what follows on this connection is not read.
#[tokio::test]
async fn a_length_beside_chunks_is_dropped_with_the_connection() {
    let both =
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    let old = "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nbody";
    for (answer, has_length) in [(both, false), (old, true)] {
        let app = App::answering(answer).await;
        let gateway = start(&app).await;
        for _ in 0..2 {
            let got = get(gateway, "/x", "").await;
            let found = (body(&got), got.contains("content-length"));
            assert_eq!(found, ("body", has_length), "{got}");
        }
        let connections: Vec<_> = app.received().iter().map(|request| request.connection).collect();
        assert_eq!(connections, [0, 1]);
        if !has_length {
            // It would be a tunnel.
            let got = ask(gateway, "CONNECT /x", "\r\n").await;
            assert_eq!(status(&got), "502", "{got}");
        }
    }
}

#[tokio::test]
async fn what_follows_an_answer_is_no_answer() {
    let app = App::scripted(|connection, mut stream| async move {
        for turn in 0.. {
            let Some(head) = app::read_head(&mut stream).await else {
                return;
            };
            let line = head.lines().next().unwrap();
            let mut answer = format!(
                "HTTP/1.1 200 OK\r\nX-On: {connection}.{turn}\r\nContent-Length: {}\r\n\r\n{line}",
                line.len()
            );
            write!(answer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil").unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = start(&app).await;
    for n in 0..3 {
        let got = get(gateway, &format!("/{n}"), "").await;
        assert_eq!(body(&got), format!("GET /{n} HTTP/1.1"));
        assert!(got.contains(&format!("\r\nx-on: {n}.0\r\n")), "{got:?}");
    }
    // The same, a moment later, over a connection that rests.
    let app = App::scripted(|_, mut stream| async move {
        app::read_head(&mut stream).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            .await
            .unwrap();
        let _ = stream.read(&mut [0; 9]).await;
    })
    .await;
    let gateway = start(&app).await;
    for _ in 0..3 {
        assert_eq!(body(&get(gateway, "/x", "").await), "good");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test]
async fn an_early_answer_arrives() {
    let app = App::scripted(|_, mut stream| async move {
        app::read_head(&mut stream).await.unwrap();
        let answer = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge";
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let gateway = start(&app).await;
    let mut client = BufReader::new(TcpStream::connect(gateway).await.unwrap());
    let head = "PUT /x HTTP/1.1\r\nHost: builds.example.com\r\nContent-Length: 100000000\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&[b'x'; 10_000]).await.unwrap();
    let answer = app::read_head(&mut client).await.unwrap();
    assert_eq!(status(&answer), "413", "{answer}");
    let mut body = [0; 5];
    client.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"large");
}

#[tokio::test]
async fn a_body_is_not_lost_with_a_closed_connection() {
    let app = App::scripted(|_, mut stream| async move {
        let Some(_) = app::read_head(&mut stream).await else {
            return;
        };
        let mut body = [0; 10];
        stream.read_exact(&mut body).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
        stream.write_all(&[answer, &body[..]].concat()).await.unwrap();
    })
    .await;
    let gateway = start(&app).await;
    for _ in 0..20 {
        let got = ask(gateway, "POST /x", "Content-Length: 10\r\n\r\n0123456789").await;
        assert_eq!((status(&got), body(&got)), ("200", "0123456789"), "{got:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// RFC 9112, section 5.1: a proxy removes the blank.
#[tokio::test]
async fn a_blank_before_a_colon_is_removed() {
    let app = App::answering("HTTP/1.1 200 OK\r\nX-Odd : a\r\nContent-Length \t: 2\r\n\r\nok").await;
    let answer = get(start(&app).await, "/x", "").await;
    answer.has("\r\nx-odd: a\r\n");
    answer.has("\r\ncontent-length: 2\r\n");
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
}

#[tokio::test]
async fn a_thousand_fields_pass() {
    for (count, code) in [(129, "200"), (999, "200"), (1001, "502")] {
        let mut fields = String::new();
        for at in 1..count {
            write!(fields, "X-{at}: {at}\r\n").unwrap();
        }
        let answer = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok");
        let answer = get(start(&App::answering(answer.leak()).await).await, "/x", "").await;
        assert_eq!(status(&answer), code, "{count}");
        let passed = answer
            .lines()
            .filter(|line| line.starts_with("x-") && line.contains(": "))
            .count();
        assert!(code == "502" || passed == count - 1, "{passed}");
    }
}

#[tokio::test]
async fn an_interim_answer_begins_the_time_again() {
    for (interim, code) in [("HTTP/1.1 102 Processing\r\n\r\n", "200"), ("", "504")] {
        let app = App::scripted(move |_, mut stream| async move {
            app::read_head(&mut stream).await;
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let _ = stream.write_all(interim.as_bytes()).await;
            }
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .await;
        })
        .await;
        let mut options = options(&app).await;
        options.upstream.response_timeout = Duration::from_millis(600);
        let answer = get(serve(options).await, "/x", "").await;
        assert_eq!(status(&answer), code, "{interim:?}: {answer}");
    }
}

/// A cache in front sees neither the signature nor the user.
#[tokio::test]
async fn a_response_to_a_signed_call_is_private_by_default() {
    for (says, expected) in [
        ("", Some("private")),
        (
            "cache-control: public, max-age=60\r\n",
            Some("public, max-age=60"),
        ),
        ("cache-control: no-store\r\n", Some("no-store")),
        ("expires: 0\r\n", None),
        ("pragma: no-cache\r\n", None),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{says}content-length: 2\r\n\r\nok");
        let app = App::answering(answer.leak()).await;
        let gateway = start(&app).await;
        let cache_control = |answer: &str| {
            let mut lines = answer.lines().filter_map(|line| line.split_once(": "));
            let found = lines.find(|(name, _)| name.eq_ignore_ascii_case("cache-control"));
            found.map(|(_, value)| value.to_owned())
        };
        let signed = get(gateway, "/api/x", &authorization("/api/x")).await;
        assert_eq!(status(&signed), "200", "{signed}");
        assert_eq!(cache_control(&signed).as_deref(), expected, "{says}: {signed}");
        let unsigned = get(gateway, "/page", "").await;
        let own = says.strip_prefix("cache-control: ").map(str::trim_end);
        assert_eq!(cache_control(&unsigned).as_deref(), own, "{says}: {unsigned}");
    }
}

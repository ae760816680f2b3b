//! Connections to the application: reused, never trusted to be open, ended in time.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{ask, get, options, serve, start, started, status};
use crate::support::{App, Text as _, app};

#[tokio::test]
async fn a_connection_is_used_again() {
    let (app, gateway) = started().await;
    for _ in 0..5 {
        assert_eq!(status(&get(gateway, "/x", "").await), "200");
    }
    let connections: Vec<_> = app.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0; 5]);
}

#[tokio::test]
async fn an_old_connection_is_not_used_again() {
    let app = App::start().await;
    let mut options = options(&app).await;
    options.upstream.idle_timeout = Duration::from_millis(20);
    let gateway = serve(options).await;
    for _ in 0..2 {
        assert_eq!(status(&get(gateway, "/x", "").await), "200");
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let connections: Vec<_> = app.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 1]);
}

#[tokio::test]
async fn a_closed_connection_is_no_obstacle() {
    let app = App::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
    let gateway = start(&app).await;
    for _ in 0..5 {
        assert_eq!(status(&get(gateway, "/x", "").await), "200");
    }
    // It said nothing and closed: a connection that looks open when the next request comes.
    let app = App::scripted(|_, mut stream| async move {
        app::read_head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
    })
    .await;
    let gateway = start(&app).await;
    for _ in 0..20 {
        assert_eq!(status(&get(gateway, "/x", "").await), "200");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_request_is_sent_once() {
    let (seen, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let app = App::scripted(move |_, mut stream| {
        let seen = seen.clone();
        async move {
            for answer in [
                &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"[..],
                b"HTTP/1.1 ",
            ] {
                app::read_head(&mut stream).await;
                seen.send(()).unwrap();
                stream.write_all(answer).await.unwrap();
            }
        }
    })
    .await;
    let gateway = start(&app).await;
    assert_eq!(status(&get(gateway, "/x", "").await), "200");
    assert_eq!(status(&get(gateway, "/x", "").await), "502");
    assert!(requests.recv().await.is_some() && requests.recv().await.is_some());
    assert!(requests.is_empty());
}

#[tokio::test]
async fn an_application_that_is_not_there() {
    let gateway = start(&App::absent()).await;
    let answer = get(gateway, "/x", "Accept: text/html\r\n").await;
    assert_eq!(status(&answer), "502");
    answer.has("<h1>The application is not running.</h1>");
    answer.lacks("oauth");
    answer.lacks("127.0.0.1");
    let answer = get(gateway, "/x", "Accept: application/json\r\n").await;
    answer.has(r#""error":"The application is not running.""#);
}

#[tokio::test]
async fn an_application_that_speaks_something_else() {
    for nonsense in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\nbroken header\r\n\r\n",
        "HTTP/1.1 101 Surprise\r\n\r\n",
    ] {
        let gateway = start(&App::answering(nonsense).await).await;
        let answer = get(gateway, "/x", "").await;
        assert_eq!(status(&answer), "502", "{nonsense}: {answer}");
    }
}

#[tokio::test]
async fn an_application_that_does_not_answer() {
    let app = App::answering("").await;
    let mut options = options(&app).await;
    options.upstream.response_timeout = Duration::from_millis(100);
    let gateway = serve(options).await;
    let answer = get(gateway, "/x", "").await;
    assert_eq!(status(&answer), "504", "{answer}");
    // A client that takes its time is not the application's fault.
    let mut client = BufReader::new(TcpStream::connect(gateway).await.unwrap());
    let head = "POST /x HTTP/1.1\r\nHost: builds.example.com\r\nContent-Length: 2\r\n\r\na";
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_millis(300), app::read_head(&mut client)).await;
    assert!(answer.is_err(), "{answer:?}");
    client.write_all(b"b").await.unwrap();
    let answer = app::read_head(&mut client).await.unwrap();
    assert_eq!(status(&answer), "504", "{answer}");
}

/// Asks for a protocol; returns the head of the answer, and the connection.
pub(super) async fn ask_for(protocol: &str, gateway: std::net::SocketAddr) -> (String, BufReader<TcpStream>) {
    let mut client = BufReader::new(TcpStream::connect(gateway).await.unwrap());
    let head = format!(
        "GET /chat HTTP/1.1\r\nHost: builds.example.com\r\nConnection: keep-alive, Upgrade\r\nUpgrade: {protocol}\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nRemote-User: a\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = app::read_head(&mut client).await.unwrap();
    (answer, client)
}

#[tokio::test]
async fn a_web_socket_is_joined() {
    let app = App::scripted(|_, mut stream| async move {
        let head = app::read_head(&mut stream).await.unwrap();
        head.has("\r\nconnection: Upgrade\r\n");
        head.has("\r\nupgrade: websocket\r\n");
        assert!(!head.contains("remote-user"), "{head}");
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello";
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut piece = [0; 4];
        stream.read_exact(&mut piece).await.unwrap();
        stream.write_all(&piece).await.unwrap();
    })
    .await;
    let gateway = start(&app).await;
    let (answer, mut client) = ask_for("websocket", gateway).await;
    assert_eq!(status(&answer), "101", "{answer}");
    answer.has("\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    client.write_all(b"ping").await.unwrap();
    let mut said = Vec::new();
    client.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"helloping");
}

#[tokio::test]
async fn no_other_protocol_gets_past_the_guard() {
    let (app, gateway) = started().await;
    for protocol in ["h2c", "websocket, h2c", "TLS/1.2"] {
        let (answer, _) = ask_for(protocol, gateway).await;
        assert_eq!(status(&answer), "200", "{protocol}: {answer}");
        assert_eq!(app.last().header("upgrade"), [""; 0], "{protocol}");
    }
}

/// An application that leaves a body unread, as Python's `http.server` does, takes it for the next request.
#[tokio::test]
async fn a_connection_is_not_used_again_after_a_body() {
    let app = App::scripted(|_, mut stream| async move {
        while let Some(head) = app::read_head(&mut stream).await {
            let line = head.lines().next().unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{line}", line.len());
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await;
    let gateway = start(&app).await;
    let hidden = "GET /hidden HTTP/1.1\r\nRemote-User: alice\r\n\r\n";
    let length = format!("Content-Length: {}", hidden.len());
    let chunks = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    for (method, framing, body) in [
        ("GET", &*length, hidden),
        ("POST", &*length, hidden),
        ("PUT", "Transfer-Encoding: chunked", &*chunks),
    ] {
        let rest = format!("{framing}\r\n\r\n{body}");
        let answer = ask(gateway, &format!("{method} /seen"), rest).await;
        assert!(answer.ends_with(&format!("{method} /seen HTTP/1.1")), "{answer}");
        let answer = get(gateway, "/next", "").await;
        assert!(answer.ends_with("GET /next HTTP/1.1"), "{method}: {answer}");
    }
}

/// An application that closes a kept connection while the next request is on its way received it or not: nothing tells.
#[tokio::test]
async fn what_may_be_repeated_is_sent_again_when_a_kept_connection_closes() {
    for (method, length, code) in [
        ("GET", "", "200"),
        ("DELETE", "", "200"),
        ("POST", "Content-Length: 0\r\n", "502"),
    ] {
        let app = App::scripted(|connection, mut stream| async move {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            app::read_head(&mut stream).await;
            stream.write_all(answer).await.unwrap();
            app::read_head(&mut stream).await;
            if connection > 0 {
                stream.write_all(answer).await.unwrap();
            }
        })
        .await;
        let gateway = start(&app).await;
        assert_eq!(status(&get(gateway, "/first", "").await), "200");
        let answer = ask(gateway, &format!("{method} /x"), format!("{length}\r\n")).await;
        assert_eq!(status(&answer), code, "{method}: {answer}");
    }
}

#[tokio::test]
async fn an_upload_may_be_slow_and_may_not_stand_still() {
    let app = App::start().await;
    let mut options = options(&app).await;
    options.upstream.upload_timeout = Duration::from_millis(500);
    options.upstream.response_timeout = Duration::from_millis(200);
    let gateway = serve(options).await;
    let upload = async |framing: &str, pieces: &[&str]| {
        let mut client = BufReader::new(TcpStream::connect(gateway).await.unwrap());
        let head =
            format!("PUT /x HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close\r\n{framing}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        for piece in pieces {
            tokio::time::sleep(Duration::from_millis(250)).await;
            client.write_all(piece.as_bytes()).await.unwrap();
        }
        let mut answer = String::new();
        let read = tokio::time::timeout(Duration::from_secs(10), client.read_to_string(&mut answer));
        read.await.expect("it ends").unwrap();
        answer
    };
    let answer = upload("Content-Length: 4", &["a", "b", "c", "d"]).await;
    assert_eq!(status(&answer), "200", "{answer}");
    let answer = upload("Content-Length: 4", &[]).await;
    assert!(status(&answer) == "408", "{answer}");
    answer.has("did not arrive in time");
    assert_eq!(status(&upload("Content-Length: 4", &["a"]).await), "408");
    let answer = upload("Transfer-Encoding: chunked", &["1\r\na\r\n"]).await;
    assert_eq!(status(&answer), "408", "{answer}");
    assert_eq!(app.received().len(), 1);
}

#[tokio::test]
async fn a_download_may_be_slow_and_may_not_stand_still() {
    const LENGTH: usize = 64 << 20;
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let app = App::scripted(move |_, mut stream| {
        let ended = ended.clone();
        async move {
            app::read_head(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {LENGTH}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![b'x'; 1 << 20];
            for _ in 0..LENGTH >> 20 {
                if stream.write_all(&piece).await.is_err() {
                    break;
                }
            }
            ended.send(()).unwrap();
        }
    })
    .await;
    let mut options = options(&app).await;
    options.download_timeout = Duration::from_millis(500);
    let gateway = serve(options).await;
    let request = b"GET /x HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close\r\n\r\n";
    let mut client = TcpStream::connect(gateway).await.unwrap();
    client.write_all(request).await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(20), ends.recv());
    end.await.expect("the application is free again").unwrap();
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest).await;
    assert!(rest.len() < LENGTH);

    // Over HTTP/2 no write waits: the stream has no room, and the connection has.
    let stream = TokioIo::new(TcpStream::connect(gateway).await.unwrap());
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut client, connection) = builder.handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let get = Request::get("http://builds.example.com/x").body(Body::empty());
    let response = client.send_request(get.unwrap()).await;
    let end = tokio::time::timeout(Duration::from_secs(20), ends.recv());
    end.await.expect("the application is free again").unwrap();
    let read = response.unwrap().into_body().collect().await;
    assert!(read.is_err(), "the stream is reset");

    let mut client = TcpStream::connect(gateway).await.unwrap();
    client.write_all(request).await.unwrap();
    let (mut read, mut piece) = (0, vec![0; 16 << 20]);
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        match client.read(&mut piece).await.unwrap() {
            0 => break,
            count => read += count,
        }
        if read > 8 << 20 {
            let mut rest = Vec::new();
            read += client.read_to_end(&mut rest).await.unwrap();
        }
    }
    assert!(read > LENGTH, "{read}");
}

#[tokio::test]
async fn the_application_gets_so_many_requests_at_once() {
    let (go, wait) = tokio::sync::watch::channel(false);
    let app = App::scripted(move |_, mut stream| {
        let mut wait = wait.clone();
        async move {
            while app::read_head(&mut stream).await.is_some() {
                let _ = wait.wait_for(|go| *go).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                    .await;
            }
        }
    })
    .await;
    let mut options = options(&app).await;
    options.upstream.max_requests = 1.try_into().unwrap();
    options.upstream.connect_timeout = Duration::from_millis(300);
    let gateway = serve(options).await;
    let first = tokio::spawn(async move { get(gateway, "/x", "").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = get(gateway, "/x", "Accept: application/json\r\n").await;
    assert!(status(&answer) == "503", "{answer}");
    answer.has("\"code\":\"busy\"");
    go.send(true).unwrap();
    assert_eq!(status(&first.await.unwrap()), "200");
    assert_eq!(status(&get(gateway, "/x", "").await), "200");
}

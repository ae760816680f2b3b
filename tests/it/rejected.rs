//! Connections that are turned away before there is a request: what a client is told, the line in the log, and the limits.

use std::net::SocketAddr;
use std::time::Duration;

use linkgate::telemetry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::gateway;
use crate::support::{App, Authority, Captured, Setup, Text as _};

/// What is answered until the other side closes; it must not reset the connection.
async fn answered(address: SocketAddr, bytes: &[u8]) -> String {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(bytes).await.unwrap();
    let mut answer = String::new();
    let read = timeout(Duration::from_secs(10), client.read_to_string(&mut answer));
    read.await.expect("it is closed").unwrap();
    answer
}

/// Waits for the one line of a connection that was rejected, and checks that it was counted.
async fn logged(captured: &Captured, before: usize, reason: &str) -> String {
    let log = async {
        loop {
            let log = captured.log();
            if let Some(line) = log[before..].lines().find(|line| line.contains("was rejected")) {
                return line.to_owned();
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let line = timeout(Duration::from_secs(10), log).await.expect(reason);
    line.has(" INFO ");
    line.has("peer=127.0.0.1 ");
    assert!(line.contains(&format!("reason=\"{reason}\"")), "{line}");
    let counted = format!("linkgate_connections_rejected_total{{reason=\"{reason}\"}} ");
    assert!(telemetry::metrics(0).contains(&counted), "{reason}");
    line
}

/// nginx passes the first four.
#[tokio::test]
async fn a_head_that_cannot_be_read_is_logged_with_its_cause() {
    let captured = Captured::start();
    let app = App::start().await;
    let gateway = gateway::start(&app).await;
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    let field = |field: &str| format!("POST /x HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n");
    let large = ("431", "head_too_large", "message head is too large");
    let tls = ("400", "tls_on_clear_text", "invalid HTTP");
    let bad = |error| ("400", "malformed", error);
    let coding = bad("invalid transfer-encoding parsed");
    let method = bad("invalid HTTP method parsed");
    for (request, (status, reason, error)) in [
        (get("/a?<"), bad("invalid URI")),
        (get("/a?>"), bad("invalid URI")),
        (get("/a?\""), bad("invalid URI")),
        (get("/a`b"), bad("invalid URI")),
        (get(&format!("/{}", "a".repeat(66_000))), large),
        (field(&"X: y\r\n".repeat(101)), large),
        (field(&format!("X: {}", "y".repeat(66_000))), large),
        (field("X Y: z"), bad("invalid HTTP header parsed")),
        (field("Content-Length: x"), bad("invalid content-length parsed")),
        (field("Transfer-Encoding: gzip"), coding),
        (get("/ HTTP/3.0\r\nX:"), bad("invalid HTTP version parsed")),
        ("G(T / HTTP/1.1\r\n\r\n".to_owned(), method),
        ("\x16\x03\x01\x02".to_owned(), tls),
    ] {
        let before = captured.log().len();
        let answer = answered(gateway, request.as_bytes()).await;
        assert_eq!(gateway::status(&answer), status, "{request:.60}: {answer}");
        let line = logged(&captured, before, reason).await;
        assert!(line.contains(&format!("error={error}")), "{request:.60}: {line}");
    }
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn clear_text_on_a_tls_port_is_told_to_use_https() {
    let captured = Captured::start();
    let files = tempfile::tempdir().unwrap();
    let issued = Authority::new().issue(&["builds.example.com"]);
    std::fs::write(files.path().join("c"), &issued.certificate).unwrap();
    std::fs::write(files.path().join("k"), &issued.key).unwrap();
    let folder = files.path().display();
    let linkgate = Setup::new()
        .base("https://builds.example.com")
        .server(format!("tls = {{ cert_file = '{folder}/c', key_file = '{folder}/k' }}").leak())
        .start()
        .await;
    // A load balancer that only looks whether the port is open.
    drop(TcpStream::connect(linkgate.address).await.unwrap());
    sleep(Duration::from_millis(200)).await;
    assert!(!captured.log().contains("was rejected"), "{}", captured.log());
    let request = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n",
        "a".repeat(20_000)
    );
    let answer = answered(linkgate.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    answer.has("https://");
    logged(&captured, 0, "clear_text_on_tls").await;
}

/// A connection may be idle for five times as long as a head may take.
#[tokio::test]
async fn a_head_that_has_begun_is_limited_on_a_kept_connection_too() {
    let app = App::start().await;
    let mut options = gateway::options(&app).await;
    options.head_timeout = Duration::from_secs(2);
    let gateway = gateway::serve(options).await;
    let mut client = TcpStream::connect(gateway).await.unwrap();
    for _ in 0..2 {
        client
            .write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 500];
        let length = client.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
        sleep(Duration::from_millis(2500)).await;
    }
    let (mut reader, mut writer) = client.split();
    let slowly = async {
        loop {
            let _ = writer.write_all(b"G").await;
            sleep(Duration::from_millis(300)).await;
        }
    };
    let mut rest = Vec::new();
    tokio::select! {
        () = slowly => {}
        _ = reader.read_to_end(&mut rest) => {}
        () = sleep(Duration::from_secs(5)) => panic!("it is closed after two seconds"),
    }
    assert!(rest.is_empty(), "{rest:?}");
}

/// A client that opens connections and sends nothing, which cost others theirs.
#[tokio::test]
async fn a_client_has_so_many_connections_without_a_request() {
    let captured = Captured::start();
    let app = App::start().await;
    let mut options = gateway::options(&app).await;
    options.max_half_open = 3;
    let gateway = gateway::serve(options).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(TcpStream::connect(gateway).await.unwrap());
    }
    for _ in 0..2 {
        assert_eq!(answered(gateway, b"").await, "", "it is closed");
    }
    // Those that have begun are not counted, and stay.
    for _ in 0..2 {
        let mut client = open.remove(0);
        let request = b"GET /static/x HTTP/1.1\r\nHost: a\r\n\r\n";
        client.write_all(request).await.unwrap();
        assert!(client.read(&mut [0; 500]).await.unwrap() > 0);
        open.push(client);
    }
    let answer = gateway::get(gateway, "/static/x", "").await;
    assert_eq!(gateway::status(&answer), "200");
    let log = captured.log();
    let lines = log
        .lines()
        .filter(|line| line.contains("further ones are closed"));
    assert_eq!(lines.count(), 1, "{log}");
    assert!(telemetry::metrics(0).contains("reason=\"half_open\"} 2"));
}

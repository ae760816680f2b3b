//! The public listener with a certificate: both versions of HTTP, web sockets, and a pair that changes while it serves.

use std::fs;
use std::io;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ProtocolVersion;
use tokio_rustls::rustls::version::TLS12;

use crate::support::{Authority, Call, Captured, Issued, Linkgate, Peer, Setup, Text as _};

const NAME: &str = "builds.example.com";

/// A linkgate whose listener shows a certificate, and where the pair's files are.
struct Secured {
    linkgate: Linkgate,
    authority: Authority,
    files: TempDir,
}

impl Secured {
    async fn start() -> Self {
        let (authority, files) = (Authority::new(), tempfile::tempdir().unwrap());
        write(&files, &authority.issue(&[NAME]));
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| files.path().join(name));
        let tls = format!(
            "tls = {{ cert_file = '{}', key_file = '{}' }}",
            certificate.display(),
            key.display()
        );
        let linkgate = Setup::new()
            .base("https://builds.example.com")
            .server(tls.leak())
            .start()
            .await;
        Self {
            linkgate,
            authority,
            files,
        }
    }

    async fn connect(&self, protocol: &[u8]) -> io::Result<TlsStream<TcpStream>> {
        let address = self.linkgate.address;
        self.authority.connect(address, NAME, &[protocol]).await
    }

    /// The certificate that is shown now, as DER.
    async fn shown(&self) -> Vec<u8> {
        let stream = self.connect(b"http/1.1").await.unwrap();
        let (_, session) = stream.get_ref();
        session.peer_certificates().unwrap()[0].to_vec()
    }

    async fn shows_soon(&self, expected: bool, before: &[u8]) -> bool {
        for _ in 0..80 {
            if (self.shown().await != before) == expected {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    }
}

fn write(files: &TempDir, issued: &Issued) {
    fs::write(files.path().join("cert.pem"), &issued.certificate).unwrap();
    fs::write(files.path().join("key.pem"), &issued.key).unwrap();
}

fn call(linkgate: &Linkgate) -> Call {
    Peer::robot().call(linkgate, "GET", "/api/x")
}

async fn over_http1(secured: &Secured, bytes: &[u8]) -> String {
    let mut stream = secured.connect(b"http/1.1").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let secured = Secured::start().await;
    let linkgate = &secured.linkgate;
    let request = call(linkgate).request(linkgate).header("Host", NAME);
    let answer = over_http1(&secured, &request.bytes(linkgate.address)).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");

    let stream = secured.connect(b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    for _ in 0..3 {
        let signed = call(linkgate).request(linkgate);
        let request = http::Request::get("https://builds.example.com/api/x")
            .header("authorization", &signed.headers[0].1);
        let answer = sender
            .send_request(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.unwrap();
    }
    let received = linkgate.app.received();
    assert_eq!(received.len(), 4);
    for request in received {
        assert_eq!(request.line(), "GET /api/x HTTP/1.1");
        assert_eq!(request.header("x-linkgate-consumer"), ["robot"]);
        assert_eq!(request.header("x-forwarded-proto"), ["https"]);
    }
    // No connection outlives its client: a stop has nothing to cut off.
    drop(sender);
    drop(secured.linkgate.restarted().await);
}

#[tokio::test]
async fn old_and_clear_text_is_not_spoken() {
    let secured = Secured::start().await;
    let address = secured.linkgate.address;
    let old = secured
        .authority
        .connect_with(address, NAME, &[b"http/1.1"], &[&TLS12])
        .await
        .unwrap();
    assert_eq!(old.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    // A ClientHello of TLS 1.1: record version 3.1, handshake version 3.2, one cipher that rustls does not know anyway.
    let hello = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x02aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x00\x00\x02\x00\x2f\x01\x00";
    let answer = async |bytes| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap_or_default();
        answer
    };
    // An alert, fatal (RFC 8446, section 6), and nothing else.
    assert!(matches!(answer(&hello[..]).await[..], [21, _, _, _, _, 2, _]));
    // A client without TLS is told in the language that it speaks.
    let told = answer(b"GET /x HTTP/1.1\r\nHost: builds.example.com\r\n\r\n").await;
    let told = String::from_utf8(told).unwrap();
    assert!(told.starts_with("HTTP/1.1 400 "), "{told}");
    told.has("https://");
    assert!(secured.linkgate.app.received().is_empty());
}

#[tokio::test]
async fn a_new_pair_is_taken_and_a_bad_one_is_not() {
    let captured = Captured::start();
    let secured = Secured::start().await;
    let first = secured.shown().await;
    let mut kept = secured.connect(b"http/1.1").await.unwrap();

    // What is half written, or wrong, stays out: by itself, and when it is asked for.
    fs::write(
        secured.files.path().join("cert.pem"),
        secured.authority.issue(&[NAME]).certificate,
    )
    .unwrap();
    assert!(secured.linkgate.try_reload().await.is_err());
    let refusals = || captured.log().matches("the old certificate stays in use").count();
    while refusals() == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(secured.shown().await, first);
    // It is looked at every two seconds, and reported once.
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    assert_eq!(refusals(), 1, "{}", captured.log());

    // Both files changed: taken without a word to us.
    write(&secured.files, &secured.authority.issue(&[NAME]));
    assert!(
        secured.shows_soon(true, &first).await,
        "the new certificate is shown"
    );
    let second = secured.shown().await;

    // And at once, when it is asked for.
    write(&secured.files, &secured.authority.issue(&[NAME]));
    secured.linkgate.try_reload().await.unwrap();
    assert_ne!(secured.shown().await, second);

    // Who was connected before still is.
    let request = b"GET /x HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close\r\n\r\n";
    kept.write_all(request).await.unwrap();
    let mut answer = String::new();
    kept.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn a_client_without_a_handshake_is_closed_and_delays_no_other() {
    let secured = Secured::start().await;
    let mut idle = TcpStream::connect(secured.linkgate.address).await.unwrap();
    idle.write_all(b"\x16\x03\x01").await.unwrap();
    let others = call(&secured.linkgate)
        .request(&secured.linkgate)
        .header("Host", NAME);
    let answer = over_http1(&secured, &others.bytes(secured.linkgate.address)).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let end = tokio::time::timeout(Duration::from_secs(15), idle.read(&mut [0; 64])).await;
    assert!(end.is_ok(), "the connection is closed after ten seconds");
    // Nor does such a client hold up the end.
    let _idle = TcpStream::connect(secured.linkgate.address).await.unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(3), secured.linkgate.stop()).await;
    assert!(stopped.is_ok());
}

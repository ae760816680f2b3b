//! What is said before the answer: `Expect: 100-continue` and responses of 1xx (RFC 9110, sections 10.1.1 and 15.2).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{exchange, start, status};
use crate::support::{App, app};

/// An application that refuses `/refused` from its head, asks for the body of `/asked`, and of others takes it as it comes.
async fn deciding() -> App {
    App::scripted(|_, mut stream| async move {
        let head = app::read_head(&mut stream).await.unwrap();
        assert!(head.contains("\r\nexpect: 100-continue\r\n"), "{head}");
        if head.starts_with("POST /refused") {
            let answer = b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno";
            stream.write_all(answer).await.unwrap();
            assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "no body comes");
            return;
        }
        if head.starts_with("POST /asked") {
            let early = timeout(Duration::from_millis(300), stream.read(&mut [0])).await;
            assert!(early.is_err(), "nothing comes before it is asked for");
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        }
        let mut body = [0; 3];
        stream.read_exact(&mut body).await.unwrap();
        assert_eq!(&body, b"abc");
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
    })
    .await
}

/// A client that has announced a body, and the first that it is answered.
async fn announced(gateway: SocketAddr, path: &str) -> (BufReader<TcpStream>, String) {
    let mut client = BufReader::new(TcpStream::connect(gateway).await.unwrap());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: builds.example.com\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = app::read_head(&mut client).await.unwrap();
    (client, answer)
}

#[tokio::test]
async fn the_application_decides_whether_a_body_is_sent() {
    let gateway = start(&deciding().await).await;
    let (_, refused) = announced(gateway, "/refused").await;
    assert_eq!(status(&refused), "401", "{refused}");
    // An application that does not know the field is sent the body after a second.
    for (path, slow) in [("/asked", false), ("/taken", true)] {
        let began = Instant::now();
        let (mut client, asked) = announced(gateway, path).await;
        assert_eq!(asked, "HTTP/1.1 100 Continue\r\n\r\n", "{path}");
        assert_eq!(began.elapsed() > Duration::from_millis(900), slow, "{path}");
        client.write_all(b"abc").await.unwrap();
        let answer = app::read_head(&mut client).await.unwrap();
        assert_eq!(status(&answer), "200", "{path}");
    }
}

#[tokio::test]
async fn linkgate_asks_for_no_body_that_it_would_refuse() {
    let gateway = start(&App::start().await).await;
    let large = "POST /x HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close\r\nExpect: 100-continue\r\n\
                 Authorization: OAuth oauth_nonce=\"n\"\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: 9999999\r\n\r\n";
    assert_eq!(status(&exchange(gateway, large.as_bytes()).await), "413");
}

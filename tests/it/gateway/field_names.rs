//! The case of field names over HTTP/1.1: they mean the same in any (RFC 9110, section 5.1), but some clients look for one.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::start;
use crate::support::{App, Linkgate, Text as _};

/// What is answered, byte for byte.
async fn exact(address: std::net::SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// `ScribeJava` keeps fields in a map that knows one case.
#[tokio::test]
async fn ours_are_written_as_usual() {
    let linkgate = Linkgate::start().await;
    for line in ["GET /api/x", "POST /oauth/request-token"] {
        let answer = exact(linkgate.address, line).await;
        for name in [
            "WWW-Authenticate: OAuth realm=",
            "Content-Type: ",
            "Date: ",
            "Connection: close",
        ] {
            assert!(answer.contains(&format!("\r\n{name}")), "{name}: {answer}");
        }
    }
    let answer = exact(linkgate.address, "GET /x").await;
    answer.begins("HTTP/1.1 200 OK\r\n");
    let request = String::from_utf8(linkgate.app.only().raw).unwrap();
    for name in ["Host", "X-Forwarded-For", "X-Linkgate-Via"] {
        assert!(request.contains(&format!("\r\n{name}: ")), "{name}: {request}");
    }
}

#[tokio::test]
async fn those_of_the_application_arrive_as_it_wrote_them() {
    let app = App::answering(
        "HTTP/1.1 401 No\r\nwww-AUTHENTICATE: Basic\r\nX-jENKINS: 1\r\nx-jenkins: 2\r\nETag: \"a\"\r\ndAtE: now\r\n\
         content-LENGTH: 2\r\n\r\nno",
    )
    .await;
    let answer = exact(start(&app).await, "GET /x").await;
    for field in [
        "www-AUTHENTICATE: Basic",
        "X-jENKINS: 1",
        "x-jenkins: 2",
        "ETag: \"a\"",
        "dAtE: now",
        "content-LENGTH: 2",
        "Connection: close",
    ] {
        assert!(answer.contains(&format!("\r\n{field}\r\n")), "{field}: {answer}");
    }
}

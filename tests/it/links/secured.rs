//! A link to an https address: which certificates it trusts, and that no other remote learns anything.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::support::{App, Authority, Database, Linked, Planned};

/// A linkgate with a link to an https address, which has these keys besides; `ca.pem` is this authority's.
async fn linked(to: SocketAddr, authority: &Authority, more: &str) -> Linked {
    let planned = Planned::new("left");
    planned.file("ca.pem", &authority.pem);
    let link =
        format!("[[links]]\nname = \"other\"\nurl = \"https://{to}/bitbucket\"\nitself = true\n{more}");
    let database = Database::sqlite();
    planned.start(&database, "listen = \"127.0.0.1:0\"", &link).await
}

/// A call is answered with this reason, and so is a user who wants to connect.
async fn assert_unreachable(left: &Linked, reason: &str) {
    let answer = left.ask("/other/rest/api", None).await;
    let told = (answer.status, answer.header("x-linkgate-error"));
    assert_eq!(told, (502, Some("unreachable")), "{reason}: {answer:?}");
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert!(body["advice"].as_str().unwrap().contains(reason), "{body}");

    let mut browser = left.browser();
    browser.sign_in("alice").await;
    let page = browser.get("/oauth/links/other/connect").await;
    assert_eq!(page.status, 503, "{page:?}");
    assert!(page.body.contains(reason), "{}", page.body);
    assert!(!page.body.contains('…'), "it is shown to its end: {}", page.body);
}

#[tokio::test]
async fn a_remote_with_a_certificate_of_the_links_issuer_is_called() {
    let (authority, there) = (Authority::new(), App::start().await);
    let shown = authority.issue(&["127.0.0.1"]);
    let to = shown.in_front_of(there.address).await;
    let left = linked(to, &authority, "ca_file = \"ca.pem\"").await;
    let answer = left.ask("/other/rest/api?a=1", None).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{answer:?}");
    let seen = there.only();
    assert_eq!(seen.line(), "GET /bitbucket/rest/api?a=1 HTTP/1.1");
    assert!(seen.header("authorization")[0].starts_with("OAuth "), "{seen:?}");
}

#[tokio::test]
async fn an_untrusted_remote_receives_nothing_and_the_reason_is_told() {
    let (authority, other) = (Authority::new(), Authority::new());
    let believed = "ca_file = \"ca.pem\"";
    let here = ["127.0.0.1"];
    let cases = [
        (authority.issue(&here), "", "not trusted"),
        (other.issue(&here), believed, "not trusted"),
        (authority.issue(&["192.0.2.1"]), believed, "for another name"),
        (authority.issue_for(&here, 2001, 2002), believed, "has expired"),
    ];
    for (shown, more, reason) in cases {
        let there = App::start().await;
        let to = shown.in_front_of(there.address).await;
        let left = linked(to, &authority, more).await;
        assert_unreachable(&left, reason).await;
        assert_eq!(there.count(), 0, "{reason}");
    }
}

#[tokio::test]
async fn another_side_that_speaks_no_tls_is_said_to() {
    let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = there.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = there.accept().await.unwrap();
            let answer = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    });
    let left = linked(address, &Authority::new(), "").await;
    assert_unreachable(&left, "does not speak TLS").await;
}

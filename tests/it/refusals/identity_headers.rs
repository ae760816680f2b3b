//! Identity headers are linkgate's alone: those of a client do not reach the application.

use crate::support::{Linkgate, Peer, Place, Request, Text as _, exchange};

#[tokio::test]
async fn identity_headers_of_a_client_are_removed() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().connect(&linkgate, "bob").await;
    let said = |mut request: Request| {
        let names = "Remote-User remote_user X-Remote-User X-Forwarded-User X-Linkgate-User X-Linkgate-Call";
        for name in names.split(' ') {
            request = request.header(name, "alice");
        }
        request.header("Connection", "remote-user, x-linkgate-user")
    };
    let as_bob = said(
        Peer::hmac()
            .call(&linkgate, "GET", "/api/x")
            .token(&token)
            .request(&linkgate),
    );
    as_bob.passes(linkgate.address).await;
    let received = linkgate.app.last();
    assert_eq!(received.header("remote-user"), ["bob"]);
    assert_eq!(received.header("x-linkgate-user"), ["bob"]);
    received.head.lacks("alice");
    received.head.lacks("OAuth");
    for path in ["/static/x", "/anything"] {
        said(Request::get(path)).passes(linkgate.address).await;
        assert!(!linkgate.app.last().head.contains("alice"), "{path}");
    }
    let count = linkgate.app.received().len();
    let refused = said(Request::get("/api/x")).send(linkgate.address).await;
    assert_eq!(refused.status, 401);
    assert!(!format!("{refused:?}").contains("alice"), "{refused:?}");
    assert_eq!(linkgate.app.received().len(), count);
}

#[tokio::test]
async fn parameters_in_query_or_form_reach_the_application() {
    let linkgate = Linkgate::start().await;
    let call = |place| {
        let mut call = Peer::robot().call(&linkgate, "POST", "/api/x?a=1");
        call.place = place;
        call.form = (place != Place::Query).then(|| vec![("b".to_owned(), "2".to_owned())]);
        call
    };
    assert_eq!(call(Place::Query).send(&linkgate).await.status, 200);
    let received = linkgate.app.last();
    let line = received.line();
    line.has("?a=1&oauth_consumer_key=robot&");
    line.has("&oauth_signature=");
    assert_eq!(call(Place::Form).send(&linkgate).await.status, 200);
    let received = linkgate.app.last();
    let body = String::from_utf8(received.body.clone()).unwrap();
    assert!(body.starts_with("oauth_consumer_key=robot&"), "{body}");
    body.has("&oauth_signature=");
    assert_eq!(call(Place::Header).send(&linkgate).await.status, 200);
    let received = linkgate.app.last();
    received.head.lacks("oauth_");
    assert!(received.body == b"b=2", "{received:?}");
}

#[tokio::test]
async fn identity_headers_in_trailers_are_removed() {
    let linkgate = Linkgate::start().await;
    // A short body is sent on with its length, a long one in chunks.
    for (body, end) in [("x".to_owned(), "x"), ("x".repeat(20_000), "x\r\n0\r\n\r\n")] {
        let signed = Peer::robot().call(&linkgate, "POST", "/api/x").request(&linkgate);
        let signature = format!("Authorization: {}\r\n", signed.headers[0].1);
        for (path, signature) in [("/api/x", &*signature), ("/x", "")] {
            let text = format!(
                "POST {path} HTTP/1.1\r\n{signature}Host: a\r\nTransfer-Encoding: chunked\r\nTrailer: Remote-User\r\nTE: trailers\r\n\
                 Connection: close\r\n\r\n{:x}\r\n{body}\r\n0\r\nRemote-User: alice\r\nX-Linkgate-User: alice\r\n\r\n",
                body.len()
            );
            assert_eq!(exchange(linkgate.address, text.as_bytes()).await.status, 200);
            let received = linkgate.app.last();
            assert!(received.body.ends_with(end.as_bytes()), "{}", received.head);
            assert!(!received.head.contains("alice"), "{received:?}");
        }
    }
}

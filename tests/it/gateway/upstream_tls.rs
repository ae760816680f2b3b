//! An application that speaks TLS: believed when it proves who it is, and a clear answer when it does not.

use std::time::Duration;

use linkgate::gateway::Upstream;
use linkgate::setting::FromFile;
use linkgate::tls::{Roots, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Options, get, options, serve, status};
use crate::support::{App, Authority, Issued, Text as _, app};

/// A gateway that believes an authority, in front of an application with a certificate.
async fn behind(
    authority: &Authority,
    issued: &Issued,
    app: &App,
    name: Option<&str>,
) -> std::net::SocketAddr {
    let address = issued.in_front_of(app.address).await;
    serve(trusting(authority, &format!("https://{address}"), app, name).await).await
}

async fn trusting(authority: &Authority, url: &str, app: &App, name: Option<&str>) -> Options {
    let mut options = options(app).await;
    options.upstream.url = Upstream::parse(url).unwrap();
    options.upstream.server_name = name.map(|name| ServerName::try_from(name.to_owned()).unwrap());
    options.upstream.ca_file = Some(FromFile {
        path: "ca.pem".into(),
        content: Roots::parse(authority.pem.as_bytes()).unwrap(),
    });
    options
}

#[tokio::test]
async fn an_application_with_a_certificate_is_reached() {
    let (authority, app) = (Authority::new(), App::start().await);
    let by_address = authority.issue(&["127.0.0.1"]);
    let gateway = behind(&authority, &by_address, &app, None).await;
    for _ in 0..3 {
        assert_eq!(status(&get(gateway, "/a/../b?q=%2f", "").await), "200");
    }
    let received = app.received();
    assert_eq!(received[0].line(), "GET /a/../b?q=%2f HTTP/1.1");
    let connections: Vec<_> = received.iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0; 3], "one handshake for all of them");

    let by_name = authority.issue(&["builds.internal"]);
    let gateway = behind(&authority, &by_name, &app, Some("builds.internal")).await;
    assert_eq!(status(&get(gateway, "/x", "").await), "200");
}

#[tokio::test]
async fn a_web_socket_reaches_an_application_with_a_certificate() {
    let app = App::scripted(|_, mut stream| async move {
        app::read_head(&mut stream).await.unwrap();
        let answer =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello";
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut piece = [0; 4];
        stream.read_exact(&mut piece).await.unwrap();
        stream.write_all(&piece).await.unwrap();
    })
    .await;
    let authority = Authority::new();
    let gateway = behind(&authority, &authority.issue(&["127.0.0.1"]), &app, None).await;
    let (answer, mut client) = super::connections::ask_for("websocket", gateway).await;
    assert_eq!(status(&answer), "101", "{answer}");
    client.write_all(b"ping").await.unwrap();
    let mut said = Vec::new();
    client.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"helloping");
}

#[tokio::test]
async fn an_application_that_does_not_prove_who_it_is_gets_nothing() {
    let (authority, stranger, app) = (Authority::new(), Authority::new(), App::start().await);
    let here = &["127.0.0.1"][..];
    let elsewhere = authority.issue(&["elsewhere.example"]);
    let early = "is not valid yet, or a clock is wrong";
    for (issued, code, title) in [
        (stranger.issue(here), "untrusted", "is not trusted"),
        (authority.issue_for(here, 2020, 2021), "expired", "has expired"),
        (authority.issue_for(here, 2090, 2100), "not_yet_valid", early),
        (elsewhere, "wrong_name", "is for another name"),
        (authority.own(), "unusable", "cannot be used"),
    ] {
        let code = format!("upstream_certificate_{code}");
        let title = format!("certificate {title}.");
        let gateway = behind(&authority, &issued, &app, None).await;
        assert_told(gateway, "502", &code, &title).await;
    }
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn an_application_without_tls_is_told_apart() {
    let plain = App::scripted(|_, mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    })
    .await;
    let (authority, app) = (Authority::new(), App::start().await);
    let title = "secure connection to the application came about.";
    let options_of = async |app: &App| {
        let url = format!("https://{}", app.address);
        trusting(&authority, &url, app, None).await
    };
    let gateway = serve(options_of(&plain).await).await;
    assert_told(gateway, "502", "upstream_tls_failed", title).await;
    // This one waits for the end of a head.
    let mut waiting = options_of(&app).await;
    waiting.upstream.connect_timeout = Duration::from_millis(300);
    let gateway = serve(waiting).await;
    assert_told(gateway, "504", "upstream_tls_timeout", title).await;
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn an_application_without_an_address_is_told_apart() {
    let app = App::absent();
    let mut options = options(&app).await;
    options.upstream.url = Upstream::parse("http://builds.invalid:8080").unwrap();
    assert_told(
        serve(options).await,
        "502",
        "upstream_name_unknown",
        "host name cannot be found.",
    )
    .await;
    assert_told(
        super::start(&app).await,
        "502",
        "upstream_refused",
        "is not running.",
    )
    .await;
}

/// A page and an object say the same, and neither says more about the inside.
async fn assert_told(gateway: std::net::SocketAddr, expected: &str, code: &str, title: &str) {
    let page = get(gateway, "/x", "Accept: text/html\r\n").await;
    assert_eq!(status(&page), expected, "{page}");
    assert!(page.contains(&format!("{title}</h1>")), "{page}");
    let object = get(gateway, "/x", "Accept: application/json\r\n").await;
    assert_eq!(status(&object), expected, "{object}");
    assert!(object.contains(&format!("\"code\":\"{code}\"")), "{object}");
    for answer in [page, object] {
        answer.lacks("127.0.0.1");
        answer.lacks("oauth");
        answer.lacks("elsewhere");
    }
}

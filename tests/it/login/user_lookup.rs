//! The application is asked whether a user exists.

use std::time::{Duration, Instant};

use linkgate::http::client::{Connector, Reach};
use linkgate::login::{UserLookup, UserLookupUrl};
use linkgate::model::UserStatus;
use linkgate::tls::{ClientTls, Roots};

use crate::support::{App, Authority};

fn lookup(app: &App, path: &str) -> UserLookup {
    new(&format!("http://{}{path}", app.address), 500, None)
}

fn new(url: &str, timeout_ms: u64, tls: Option<ClientTls>) -> UserLookup {
    let http = Connector {
        tls,
        reach: Reach::Anywhere,
        timeout: Duration::from_millis(timeout_ms),
    };
    UserLookup::new(UserLookupUrl::parse(url).unwrap(), http)
}

fn known(name: &str) -> UserStatus {
    UserStatus::Active {
        display_name: name.to_owned(),
    }
}

#[tokio::test]
async fn a_name_is_asked_about_as_it_is() {
    let app = App::start().await;
    let lookup = lookup(&app, "/api/users/{user}?fields=name");
    for (name, target) in [
        ("alice", "alice"),
        ("J\u{f6}rg 100%", "J%C3%B6rg%20100%25"),
        ("a?b=c#d&e", "a%3Fb%3Dc%23d%26e"),
        ("{user}", "%7Buser%7D"),
        ("a..b", "a..b"),
        ("a;b:c@d", "a%3Bb%3Ac%40d"),
    ] {
        assert_eq!(lookup.user_status(name).await, known(name), "{name}");
        let request = app.last();
        assert_eq!(
            request.line(),
            format!("GET /api/users/{target}?fields=name HTTP/1.1")
        );
        assert_eq!(request.names(), "accept host user-agent");
        assert_eq!(request.header("host"), [app.address.to_string()]);
    }
}

#[tokio::test]
async fn a_name_that_servers_take_for_a_path_is_not_found() {
    let app = App::start().await;
    let lookup = lookup(&app, "/api/users/{user}");
    for name in ["", ".", "..", "alice/", "../users/alice", "a\\b", "alice\0"] {
        assert_eq!(lookup.user_status(name).await, UserStatus::NotFound, "{name:?}");
    }
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn only_two_answers_say_something() {
    let empty = "content-length: 0\r\n\r\n";
    let unauthorized = format!("HTTP/1.1 401 Unauthorized\r\n{empty}");
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: /login\r\n{empty}");
    for (answer, user_status) in [
        (format!("HTTP/1.1 200 OK\r\n{empty}"), known("alice")),
        (format!("HTTP/1.1 404 Not Found\r\n{empty}"), UserStatus::NotFound),
        (format!("HTTP/1.1 410 Gone\r\n{empty}"), UserStatus::NotFound),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), UserStatus::Unknown),
        (redirect, UserStatus::Unknown),
        (unauthorized, UserStatus::Unknown),
        (format!("HTTP/1.1 500 Oops\r\n{empty}"), UserStatus::Unknown),
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), UserStatus::Unknown),
    ] {
        let app = App::answering(answer.clone().leak()).await;
        let told = lookup(&app, "/{user}").user_status("alice").await;
        assert_eq!(told, user_status, "{answer}");
    }
    let absent = App::absent();
    let found = lookup(&absent, "/{user}").user_status("alice").await;
    assert_eq!(found, UserStatus::Unknown);
}

#[tokio::test]
async fn an_answer_has_its_time() {
    let app = App::answering("").await;
    let lookup = lookup(&app, "/{user}");
    let before = Instant::now();
    assert_eq!(lookup.user_status("alice").await, UserStatus::Unknown);
    assert!(before.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn an_answer_is_kept_and_silence_is_not() {
    let app = App::start().await;
    let kept = lookup(&app, "/{user}");
    for _ in 0..5 {
        assert_eq!(kept.user_status("alice").await, known("alice"));
    }
    assert_eq!(app.received().len(), 1);
    let failing = App::answering("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").await;
    let lookup = lookup(&failing, "/{user}");
    for _ in 0..2 {
        assert_eq!(lookup.user_status("alice").await, UserStatus::Unknown);
    }
    assert_eq!(failing.received().len(), 2);
}

#[tokio::test]
async fn an_application_with_a_certificate_is_asked() {
    let (app, authority) = (App::start().await, Authority::new());
    let address = authority.issue(&["127.0.0.1"]).in_front_of(app.address).await;
    let url = format!("https://{address}/{{user}}");
    let believing = |authority: &Authority| {
        let tls = ClientTls::with_roots(Roots::parse(authority.pem.as_bytes()).unwrap());
        new(&url, 5000, Some(tls))
    };
    assert_eq!(believing(&authority).user_status("alice").await, known("alice"));
    let found = believing(&Authority::new()).user_status("alice").await;
    assert_eq!(found, UserStatus::Unknown);
    let found = new(&url, 5000, None).user_status("alice").await;
    assert_eq!(found, UserStatus::Unknown);
}

#[test]
fn a_url_has_one_place_for_the_name() {
    for url in [
        "http://h/{user}",
        "http://h:8080/u?name={user}&x",
        "http://[::1]:1/{user}",
    ] {
        assert!(UserLookupUrl::parse(url).is_ok(), "{url}");
    }
    for url in [
        "http://h/",
        "http://h/{user}/{user}",
        "http://{user}/x",
        "http://{user}@h/",
        "http://h:{user}/",
        "/api/{user}",
        "ftp://h/{user}",
        "{user}",
    ] {
        assert!(UserLookupUrl::parse(url).is_err(), "{url}");
    }
}

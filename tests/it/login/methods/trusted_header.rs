//! A proxy in front signs people in.

use crate::login::site::Site;
use crate::support::{AUTHORIZE, Browser, Form, Request, Response, Text as _, assert_notice, question};
use http::{HeaderMap, HeaderName, HeaderValue};
use linkgate::login::TrustedHeader;
use linkgate::model::RequestTokenState;
use linkgate::oauth::Timestamp;

async fn site(proxies: &str) -> Site {
    let login = r#"
[login]
method = "trusted-header"

[login.trusted-header]
header = "Remote-User"
display_header = "Remote-Name"
"#;
    let server = format!("trusted_proxies = [\"{proxies}\"]");
    Site::with("https://builds.example.com", &server, login).await
}

/// What the proxy sends for this user, wherever it is sent on.
async fn through(browser: &mut Browser, request: Request, user: &str) -> Response {
    let mut answer = browser.send(request.header("Remote-User", user)).await;
    for _ in 0..5 {
        let Some(location) = answer.header("location").filter(|there| there.starts_with('/')) else {
            break;
        };
        let request = Request::get(location).header("Remote-User", user);
        answer = browser.send(request).await;
    }
    answer
}

#[tokio::test]
async fn the_header_is_read_on_every_request() {
    let site = site("127.0.0.1").await;
    let token = site.question().await;
    let mut browser = site.browser();
    let page = through(&mut browser, Request::get(question(&token)), "alice").await;
    let form = Form::at(&page, AUTHORIZE).pressing("approve");
    assert_eq!(form.value("subject"), "alice");

    let answer = browser.send(form.request().header("Remote-User", "bob")).await;
    assert_notice(&answer, 409, "You are now signed in as bob");
    let answer = browser.send(form.request()).await;
    answer.header("location").unwrap().begins("/oauth/login?");
    let twice = form.request().header("Remote-User", "alice");
    let answer = browser.send(twice.header("remote-user", "alice")).await;
    assert_notice(&answer, 403, "Your user could not be determined");
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);

    let answer = browser.send(form.request().header("Remote-User", "alice")).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let state = site.state(&token).await;
    assert!(
        matches!(&state, RequestTokenState::Authorized { by } if by.proved_by == "trusted-header"),
        "{state:?}"
    );
}

#[tokio::test]
async fn a_name_comes_in_as_it_goes_out() {
    let site = site("127.0.0.1").await;
    for name in ["j%C3%B6rn", "j\u{f6}rn"] {
        let token = site.question().await;
        let mut browser = site.browser();
        let page = through(&mut browser, Request::get(question(&token)), name).await;
        let form = Form::at(&page, AUTHORIZE);
        assert_eq!(form.value("subject"), "j\u{f6}rn", "{page:?}");
    }
    let sessions = "select * from sessions where subject = 'j\u{f6}rn' and display_name = 'j\u{f6}rn'";
    assert_eq!(site.sql(sessions).await, 2);
    let forged = Request::get("/oauth/login").header("Remote-User", "%6a%C3%B6rn");
    let notice = site.browser().send(forged).await;
    assert_notice(&notice, 403, "Your user could not be determined");
}

#[tokio::test]
async fn only_the_proxy_names_a_user() {
    let site = site("192.0.2.1").await;
    let token = site.question().await;
    let request = Request::get("/oauth/login")
        .header("Remote-User", "alice")
        .header("X-Forwarded-For", "192.0.2.1");
    let notice = site.browser().send(request).await;
    assert_notice(&notice, 403, "Your user could not be determined");
    assert_eq!(site.sql("select * from sessions").await, 0);
    assert_eq!(site.state(&token).await, RequestTokenState::Pending);
}

/// The TCP peer, its header fields, and the two names or the error.
const HEADERS: &str = "
10.1.2.3 | remote-user: alice | alice alice
::ffff:10.1.2.3 | remote-user:  alice ; remote-name: \u{c4}lice | alice \u{c4}lice
10.1.2.3 | remote-user:   | anonymous
10.1.2.3 | other: alice | anonymous
192.0.2.1 | remote-user: alice; x-forwarded-for: 10.1.2.3 | 192.0.2.1 is not in server.trusted_proxies
::1 | remote-user: alice | ::1 is not in server.trusted_proxies
unknown | remote-user: alice | an unknown address is not in server.trusted_proxies
10.1.2.3 | remote-user: alice; remote-user: alice | remote-user has more than one value
10.1.2.3 | remote-user: alice; remote-name: a; remote-name: b | remote-name has more than one value
10.1.2.3 | remote-user: mallory, alice | remote-user has more than one value
10.1.2.3 | remote-user: j%C3%B6rn; remote-name: J%c3%b6rn | j\u{f6}rn J\u{f6}rn
10.1.2.3 | remote-user: 100%25; remote-name: 100% | 100% 100%
10.1.2.3 | remote-user: %61dmin | remote-user has a % that is not part of percent-encoded UTF-8
10.1.2.3 | remote-user: a%00 | remote-user has a %
10.1.2.3 | remote-user: 100% | remote-user has a %
10.1.2.3 | remote-user: \\xff | remote-user is not a user's name
";

#[test]
fn one_value_of_a_trusted_proxy_names_a_user() {
    let trusted = TrustedHeader {
        proxies: vec!["10.0.0.0/8".parse().unwrap()],
        display_header: Some(HeaderName::from_static("remote-name")),
        ..TrustedHeader::default()
    };
    for line in HEADERS.trim().lines() {
        let [peer, fields, expected] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let mut headers = HeaderMap::new();
        for (name, value) in fields.split(';').filter_map(|field| field.split_once(": ")) {
            let name: HeaderName = name.trim().parse().unwrap();
            let value = if value == "\\xff" {
                b"\xff"
            } else {
                value.as_bytes()
            };
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let user = trusted.identify(&headers, peer.parse().ok(), Timestamp::from_seconds(7));
        let result = match user {
            Ok(Some(user)) => format!("{} {}", user.subject, user.display_name),
            Ok(None) => "anonymous".to_owned(),
            Err(error) => error,
        };
        assert!(result.starts_with(expected), "{line}: {result}");
    }
}

//! What goes out to the other side and what comes back, byte for byte.

use serde_json::Value;

use crate::support::{App, Database, Linked, Planned, Request, TOKEN, Text as _};

const ITSELF: &str = "itself = true\n";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn the_target_and_the_body_leave_as_they_came() {
    let other = App::start().await;
    let left = Linked::with_peer(other.address, ITSELF).await;
    let target = "/other/rest/a//b/%2e%2E/{x}|y;v=1?q=a+b&q='&flag&e=";
    let post = Linked::asks(target, None)
        .header("Content-Type", "application/json")
        .header("Cookie", "JSESSIONID=theirs")
        .header("X-Atlassian-Token", "no-check")
        .header("X-Forwarded-For", "1.1.1.1");
    let post = post.posted().body("{\"a\": 1}");
    assert_eq!(post.send(left.calls).await.status, 200);
    let seen = other.only();
    assert_eq!(
        seen.line(),
        "POST /rest/a//b/%2e%2E/{x}|y;v=1?q=a+b&q='&flag&e= HTTP/1.1"
    );
    assert_eq!(seen.body, b"{\"a\": 1}");
    assert_eq!(seen.header("host"), [other.address.to_string()]);
    assert_eq!(seen.header("x-atlassian-token"), ["no-check"]);
    for absent in ["cookie", "x-forwarded-for", "x-linkgate-user", "connection"] {
        assert_eq!(seen.header(absent), [""; 0], "{absent}");
    }
    let authorization = seen.header("authorization")[0];
    authorization.begins("OAuth oauth_consumer_key=\"linkgate-left\"");
    authorization.has("oauth_signature_method=\"RSA-SHA1\"");
    assert!(authorization.contains("oauth_token=\"\""), "{authorization}");
    assert!(!authorization.contains(TOKEN), "{authorization}");
}

#[tokio::test]
async fn the_answer_comes_back_without_the_other_sides_session() {
    let other = App::answering(
        "HTTP/1.1 418 I'm a teapot\r\nset-cookie: JSESSIONID=x\r\nx-linkgate-error: forged\r\netag: \"1\"\r\n\
         connection: x-gone\r\nx-gone: 1\r\ncontent-length: 3\r\n\r\ntea",
    )
    .await;
    let left = Linked::with_peer(other.address, ITSELF).await;
    let answer = left.ask("/other", None).await;
    assert_eq!((answer.status, answer.body.as_str()), (418, "tea"));
    answer.assert_header("etag", "\"1\"");
    for absent in ["set-cookie", "x-linkgate-error", "x-gone"] {
        assert_eq!(answer.header(absent), None, "{absent}");
    }
    assert_eq!(other.only().line(), "GET / HTTP/1.1");
}

#[tokio::test]
async fn only_the_application_may_call() {
    let other = App::start().await;
    let left = Linked::with_peer(other.address, ITSELF).await;
    for request in [
        Request::get("/other/x"),
        Request::get("/other/x").header("Authorization", "Bearer wrong"),
        Request::get("/other/x").header("Authorization", format!("Basic {TOKEN}")),
        Request::get("/other/x").header("Authorization", "Bearer "),
        Request::get("/other/x").header("Authorization", TOKEN),
        Request::get("/other/x").header("Authorization", format!("Bearer {}", &TOKEN[1..])),
        Linked::asks("/other/x", None).header("Authorization", format!("Bearer {TOKEN}")),
    ] {
        let answer = request.send(left.calls).await;
        answer.assert(401, "x-linkgate-error", Some("wrong_token"));
        answer.assert_header("www-authenticate", "Bearer realm=\"linkgate links\"");
    }
    assert_eq!(other.received().len(), 0);
    let spelt = Request::get("/other/x").header("Authorization", format!("bearer  {TOKEN}"));
    assert_eq!(spelt.send(left.calls).await.status, 200);
}

#[tokio::test]
async fn what_the_application_must_not_say_is_refused() {
    let other = App::start().await;
    let left = Linked::with_peer(other.address, ITSELF).await;
    for (target, user, status, code) in [
        ("/unknown/x", None, 404, "unknown_link"),
        ("/", None, 404, "unknown_link"),
        ("/other/x?xoauth_requestor_id=alice", None, 400, "bad_request"),
        ("/other/x?oauth_token=t", None, 400, "bad_request"),
        ("/other/x?a=%zz", None, 400, "bad_request"),
        ("/other/x", Some(""), 400, "bad_user"),
        ("/other/x", Some("%ff"), 400, "bad_user"),
        ("/other/x", Some("%"), 400, "bad_user"),
        ("/other/x", Some("a%00"), 400, "bad_user"),
        ("/other/x", Some("a%0A"), 400, "bad_user"),
        ("/other/x", Some(&"a".repeat(256)), 400, "bad_user"),
        ("/other/x", Some(&"a".repeat(255)), 401, "not_connected"),
        ("/other/x", Some("alice"), 401, "not_connected"),
    ] {
        let answer = left.ask(target, user).await;
        let found = (answer.status, answer.header("x-linkgate-error"));
        assert_eq!(found, (status, Some(code)), "{target}");
        assert_eq!(json(&answer.body)["error"], code);
    }
    let twice = Linked::asks("/other/x", Some("alice")).header("X-Linkgate-User", "bob");
    assert_eq!(twice.send(left.calls).await.status, 400);
    for form in ["oauth_token=t", "a=b&xoauth%5Frequestor_id=alice"] {
        let form = Linked::asks("/other/x", None).form(form).posted();
        assert_eq!(form.send(left.calls).await.status, 400);
    }
    assert_eq!(other.received().len(), 0);
}

#[tokio::test]
async fn redirects_are_signed_anew_within_the_link_alone() {
    for (location, followed) in [
        ("/within?x=1", true),
        ("http://{here}/within?x=1#fragment", true),
        ("HTTP://{here}/within?x=1", true),
        ("/x/../within", false),
        ("/./within", false),
        ("/x\\..\\within", false),
        ("within", false),
        ("", false),
        ("http://{here}.evil.example/within", false),
        ("http://{here}@evil.example/within", false),
        ("http://evil.example/within", false),
        ("//evil.example/within", false),
        ("https://{here}/within", false),
    ] {
        let other = App::scripted(move |connection, mut stream| async move {
            use tokio::io::AsyncWriteExt as _;
            let here = stream.get_ref().local_addr().unwrap();
            let location = location.replace("{here}", &here.to_string());
            while let Some(head) = crate::support::read_head(&mut stream).await {
                let line = head.lines().next().unwrap_or_default().to_owned();
                let answer = if line.starts_with("GET /within") {
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{line}", line.len())
                } else {
                    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
                };
                let _ = (connection, stream.write_all(answer.as_bytes()).await);
            }
        })
        .await;
        let left = Linked::with_peer(other.address, ITSELF).await;
        let answer = left.ask("/other/start", None).await;
        if followed {
            let found = (answer.status, answer.body.as_str());
            assert_eq!(found, (200, "GET /within?x=1 HTTP/1.1"));
        } else {
            let location = location.replace("{here}", &other.address.to_string());
            answer.assert(302, "location", Some(&*location));
        }
        // What changes something is not done again elsewhere.
        let post = Linked::asks("/other/start", None).form("a=b").posted();
        assert_eq!(post.send(left.calls).await.status, 302);
    }
}

/// The name is part of what is signed, so a redirect may bring it along.
#[tokio::test]
async fn a_redirect_within_the_link_names_the_user_once() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: /ctx/x?a&xoauth_requestor_id=J%C3%B6rg%20B\r\ncontent-length: 0\r\n\r\n";
    let other = App::answering(answer).await;
    let link = format!(
        "[[links]]\nname = \"other\"\nurl = \"http://{}/ctx\"\nusers = \"impersonate\"\n",
        other.address
    );
    let left = Linked::with_links(&link).await;
    for first in ["/x", "/x?a"] {
        let before = other.count();
        let answer = left.ask(&format!("/other{first}"), Some("J%C3%B6rg B")).await;
        assert_eq!(answer.status, 302, "{answer:?}");
        let lines = other.lines_since(before);
        let separator = if first.contains('?') { '&' } else { '?' };
        let expected = format!("GET /ctx{first}{separator}xoauth_requestor_id=J%C3%B6rg%20B HTTP/1.1");
        assert_eq!(String::from_utf8_lossy(&lines[0]), expected);
        for line in &lines[1..] {
            let expected = "GET /ctx/x?a&xoauth_requestor_id=J%C3%B6rg%20B HTTP/1.1";
            assert_eq!(String::from_utf8_lossy(line), expected);
        }
        assert_eq!(lines.len(), 6);
    }
    // Below the host, and not below the link.
    for location in [
        "/ctxevil/x",
        "/ctx/%2e%2e/x",
        "/ctx/%252E./x",
        "/ctx/../other",
        "/ctx/..;/other",
        "/ctx\\..\\other",
        "/other",
        "http://127.0.0.1:9/ctx/x",
    ] {
        let beside = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let other = App::answering(beside.leak()).await;
        let link = format!(
            "[[links]]\nname = \"other\"\nurl = \"http://{}/ctx\"\n{ITSELF}",
            other.address
        );
        let left = Linked::with_links(&link).await;
        assert_eq!((left.ask("/other/x", None).await.status, other.count()), (302, 1));
    }
}

#[tokio::test]
async fn a_redirect_writes_no_protocol_parameters() {
    for parameter in [
        "xoauth_requestor_id=root",
        "%78oauth_requestor_id=root",
        "xoauth_requestor_id=J%C3%B6rg%20B&xoauth_requestor_id=J%C3%B6rg%20B",
        "a=b&oauth_token=t",
        "oauth%5Fsignature=s",
        "%2",
    ] {
        let answer =
            format!("HTTP/1.1 302 Found\r\nlocation: /ctx/y?{parameter}\r\ncontent-length: 0\r\n\r\n");
        let other = App::answering(answer.leak()).await;
        let users = ["users = \"impersonate\"\n", ITSELF].concat();
        let link = format!(
            "[[links]]\nname = \"other\"\nurl = \"http://{}/ctx\"\n{users}",
            other.address
        );
        let left = Linked::with_links(&link).await;
        for (count, user) in (1..).zip([Some("J%C3%B6rg B"), None]) {
            let answer = left.ask("/other/x", user).await;
            assert_eq!((answer.status, other.count()), (302, count), "{parameter}");
        }
    }
}

#[tokio::test]
async fn an_address_is_called_as_it_is_written() {
    let other = App::start().await;
    let port = other.address.port();
    for (count, host) in (1..).zip(["localhost", "0.0.0.0"]) {
        let link = format!("[[links]]\nname = \"other\"\nurl = \"http://{host}:{port}\"\n{ITSELF}");
        let left = Linked::with_links(&link).await;
        let answer = left.ask("/other/x", None).await;
        assert_eq!((answer.status, other.count()), (200, count), "{host}: {answer:?}");
    }
}

#[tokio::test]
async fn a_loop_of_redirects_ends() {
    let other = App::answering("HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n").await;
    let left = Linked::with_peer(other.address, ITSELF).await;
    assert_eq!(left.ask("/other/start", None).await.status, 302);
    assert_eq!(other.received().len(), 6);
}

#[tokio::test]
async fn a_unix_socket_serves_as_well() {
    use std::os::unix::fs::PermissionsExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let other = App::start().await;
    let link = format!(
        "[[links]]\nname = \"other\"\nurl = \"http://{}\"\n{ITSELF}",
        other.address
    );
    let planned = Planned::new("left");
    let left = planned
        .start(&Database::sqlite(), "listen = \"unix:calls.sock\"", &link)
        .await;
    let socket = left.folder().join("calls.sock");
    let mut stream = tokio::net::UnixStream::connect(&socket).await.unwrap();
    let request = format!(
        "GET /other/x HTTP/1.1\r\nhost: links\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("ok"), "{answer}");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    left.stop().await;
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_dead_socket_is_replaced_and_nothing_else_is() {
    for (what, replaced) in [("dead", true), ("alive", false), ("file", false)] {
        let planned = Planned::new("left");
        let path = planned.file("unused", "").with_file_name("calls.sock");
        let alive = match what {
            "file" => std::fs::write(&path, "text").map(|()| None).unwrap(),
            _ => Some(std::os::unix::net::UnixListener::bind(&path).unwrap()).filter(|_| what == "alive"),
        };
        let link = format!("[[links]]\nname = \"other\"\nurl = \"http://127.0.0.1:9\"\n{ITSELF}");
        let database = Database::sqlite();
        let starting = tokio::spawn(async move {
            let left = planned
                .start(&database, "listen = \"unix:calls.sock\"", &link)
                .await;
            tokio::net::UnixStream::connect(left.folder().join("calls.sock"))
                .await
                .unwrap();
        });
        assert_eq!(starting.await.is_ok(), replaced, "{what}");
        drop(alive);
    }
}

#[tokio::test]
async fn administrators_see_how_calls_went() {
    let other = App::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let left = Linked::with_peer(other.address, "itself = true\n[admin]\nsubjects = [\"alice\"]\n").await;
    let mut alice = left.browser();
    alice.sign_in("alice").await;
    let before = alice.get("/oauth/admin").await.body;
    let section = |page: &str| page.split_once("<h2>Outgoing links</h2>").unwrap().1.to_owned();
    assert!(
        section(&before).contains("<dt>Last contact</dt><dd>not yet</dd>"),
        "{before}"
    );
    assert_eq!(left.ask("/other", None).await.status, 200);
    let after = section(&alice.get("/oauth/admin").await.body);
    after.has(format!("<code>http://{}</code>", other.address));
    after.has("<dt>Last contact</dt><dd><time datetime=");
    after.has("<dt>Last success</dt><dd><time datetime=");
    assert!(after.contains("SHA256:"), "{after}");
}

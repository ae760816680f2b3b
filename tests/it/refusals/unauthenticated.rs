//! Requests without a true signature write nothing, break nothing, and leave no secret in the log.

use crate::support::{
    CALLBACK, Captured, Credentials, Form, Linkgate, Peer, Request, credentials, exchange, question,
};

/// Requests of an attacker who has seen a token, a consumer key and a session cookie's name.
fn barrage(linkgate: &Linkgate, token: &Credentials) -> Vec<Request> {
    let mut all = Vec::new();
    for path in [
        "/oauth/request-token",
        "/oauth/access-token",
        "/plugins/servlet/oauth/access-token",
        "/oauth/authorize",
        "/oauth/login",
        "/oauth/logout",
        "/api/x",
        "/static/x",
        "/anything",
    ] {
        for method in ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get"] {
            for peer in [Peer::hmac(), Peer::rsa(), Peer::robot(), Peer::of("nobody", "x")] {
                let call = peer
                    .call(linkgate, method, path)
                    .token(token)
                    .oauth("oauth_verifier", "x");
                all.push(call.request_with("AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
            }
            let form = format!(
                "oauth_token={}&oauth_verifier=x&oauth_session_handle=x",
                token.token
            );
            all.push(Request::new(method, path));
            all.push(Request::new(method, format!("{path}?{form}")));
            all.push(Request::new(method, path).form(form));
            all.push(Request::new(method, path).form("username=alice&password=x&form_token=x&return_to=/"));
            all.push(Request::new(method, path).form("oauth_token=x&subject=alice&form_token=x&approve=1"));
            all.push(Request::new(method, path).header("Cookie", "linkgate-session=x; linkgate-browser=x.x"));
            all.push(Request::new(method, path).header("Authorization", "OAuth \u{fc}=\"%\""));
        }
    }
    all
}

#[tokio::test]
async fn nothing_unsigned_is_written() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    let verifier = linkgate.browser().approve(&token, "alice").await;
    let access = Peer::hmac().connect(&linkgate, "alice").await;
    let mut stranger = linkgate.browser();
    let login = Form::of(&stranger.get("/oauth/login").await, "password").unwrap();
    let (rows, disk) = (linkgate.rows().await, linkgate.on_disk());
    for token in [&token, &access] {
        for request in barrage(&linkgate, token) {
            let answer = request.send(linkgate.address).await;
            assert!(answer.status < 500, "{request:?}: {answer:?}");
        }
    }
    assert!(linkgate.on_disk() == disk, "something was committed");
    // An attempt to sign in is counted: in a slot, of which there is a fixed number.
    for password in ["wrong", ""] {
        let wrong = login.clone().with("username", "alice").with("password", password);
        assert_eq!(stranger.submit(&wrong).await.status, 403);
    }
    let counted = linkgate.on_disk();
    stranger.get(&question(&token)).await;
    assert!(linkgate.on_disk() == counted, "something was committed");
    assert_eq!(linkgate.rows().await, rows);
    // And everything is as good as before.
    let sent = Peer::hmac().exchange(&linkgate, &token, &verifier);
    sent.passes(&linkgate).await;
    let call = Peer::hmac().call(&linkgate, "GET", "/api/x").token(&access);
    call.passes(&linkgate).await;
    assert_ne!(linkgate.on_disk(), disk);
}

#[tokio::test]
async fn malformed_requests_break_nothing() {
    let linkgate = Linkgate::start().await;
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: OAuth a=\"\0\"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /oauth/request-token HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /oauth/request-token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"POST /api/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"TRACE /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ] {
        let answer = exchange(linkgate.address, bytes).await;
        let refused = (400..500).contains(&answer.status) || matches!(answer.status, 501 | 505);
        assert!(refused, "{}: {answer:?}", String::from_utf8_lossy(bytes));
    }
    assert!(linkgate.app.received().is_empty());
    let call = Peer::robot().call(&linkgate, "GET", "/api/x");
    call.passes(&linkgate).await;
}

/// Connects a user, with failures on the way. Returns what must stay out of the log.
async fn connect_with_detours(linkgate: &Linkgate) -> Vec<String> {
    let peer = Peer::hmac();
    let asked = peer
        .call(linkgate, "POST", "/oauth/request-token")
        .oauth("oauth_callback", CALLBACK);
    let mut secrets = vec![
        asked.signature(&linkgate.base),
        "correct-horse-battery-staple".to_owned(),
    ];
    let token = credentials(&asked.send(linkgate).await);
    let mut browser = linkgate.browser();
    let page = browser.question(&token, "alice").await;
    let form = Form::of(&page, "approve").unwrap().pressing("approve");
    secrets.extend(
        form.fields
            .iter()
            .find(|(name, _)| name == "form_token")
            .map(|(_, value)| value.clone()),
    );
    let verifier = crate::support::verifier(&browser.submit(&form).await);
    secrets.extend(browser.cookies.values().cloned());
    secrets.push("alice-password".to_owned());
    let mut other = linkgate.browser();
    let login = other.get("/oauth/login").await;
    let wrong = Form::of(&login, "password").unwrap();
    other
        .submit(&wrong.with("username", "alice").with("password", "almost-right"))
        .await;
    secrets.push("almost-right".to_owned());
    for guess in ["a-wrong-verifier", verifier.as_str()] {
        let call = peer.exchange(linkgate, &token, guess);
        secrets.extend([guess.to_owned(), call.signature(&linkgate.base)]);
        let answer = call.send(linkgate).await;
        if answer.status == 200 {
            let access = credentials(&answer);
            secrets.extend([
                access.token.clone(),
                access.secret.clone(),
                answer.value("oauth_session_handle").unwrap(),
            ]);
            let read = peer.call(linkgate, "GET", "/api/x?q=confidential").token(&access);
            secrets.extend([read.signature(&linkgate.base), "confidential".to_owned()]);
            for call in [
                read.clone(),
                read.clone(),
                read.oauth("oauth_timestamp", "1").in_query(),
            ] {
                call.send(linkgate).await;
            }
        }
    }
    secrets.extend([token.token, token.secret]);
    secrets
}

#[tokio::test]
async fn the_log_names_the_method_that_was_refused() {
    let captured = Captured::start();
    let linkgate = Linkgate::start().await;
    let endless = "x".repeat(3_000);
    for method in [
        "RSA-SHA256",
        "PLAINTEXT",
        "HMAC-SHA512",
        "HMAC-MD5\u{1b}",
        &endless,
    ] {
        Peer::robot()
            .call(&linkgate, "GET", "/api/x")
            .oauth("oauth_signature_method", method)
            .refused(&linkgate, "signature_method_rejected")
            .await;
    }
    let log = captured.log();
    for method in ["RSA-SHA256", "PLAINTEXT", "HMAC-SHA512", "HMAC-MD5\\u{1b}"] {
        assert!(
            log.contains(&format!("signature_method=\"{method}\"")),
            "{method}: {log}"
        );
    }
    assert!(!log.contains(&"x".repeat(100)), "{log}");
}

#[tokio::test]
async fn an_untrusted_proxy_is_named_once() {
    let captured = Captured::start();
    let linkgate = Linkgate::start().await;
    for (name, value) in [
        ("X-Forwarded-For", "192.0.2.1"),
        ("Forwarded", "for=192.0.2.1"),
        ("X-Forwarded-For", "192.0.2.2"),
    ] {
        for path in ["/x", "/oauth/login"] {
            let request = Request::get(path).header(name, value);
            request.send(linkgate.address).await;
        }
    }
    let log = captured.log();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("is no trusted proxy"))
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("127.0.0.1"), "{log}");
    assert!(lines[0].contains("trusted_proxies"), "{log}");
}

#[tokio::test]
async fn the_log_holds_no_secret() {
    let captured = Captured::start();
    let linkgate = Linkgate::start().await;
    let secrets = connect_with_detours(&linkgate).await;
    linkgate.database().hide_nonces().await;
    Peer::hmac()
        .call(&linkgate, "POST", "/oauth/request-token")
        .oauth("oauth_timestamp", &(linkgate.now() + 60).to_string())
        .oauth("oauth_callback", CALLBACK)
        .send(&linkgate)
        .await;
    let forged = Peer::of("a\u{202e}\u{1b}[31m", "x").call(&linkgate, "GET", "/api/x");
    forged.send(&linkgate).await;
    let log = captured.log();
    for secret in secrets {
        assert!(secret.len() > 5, "{secret}");
        assert!(!log.contains(&secret), "{secret} stands in the log:\n{log}");
    }
    // What an operator looks for is there: who was refused, why, whose clock is wrong, and that the store failed.
    for expected in [
        "problem=\"nonce_used\"",
        "problem=\"timestamp_refused\"",
        "clock",
        "consumer.key=\"bitbucket-form\"",
        "user.subject=\"alice\"",
    ] {
        assert!(log.contains(expected), "{expected} is missing:\n{log}");
    }
    assert!(
        log.lines()
            .any(|line| line.contains("ERROR") && line.contains("nonces")),
        "{log}"
    );
    assert!(!log.contains(['\u{1b}', '\u{202e}', '\u{7f}']), "{log}");
}

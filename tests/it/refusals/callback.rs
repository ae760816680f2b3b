//! Callbacks (RFC 5849, section 2.1): fixed when the token is asked for, and parsed in one way.

use crate::support::{Linkgate, Peer, Response, location, verifier};

async fn ask(linkgate: &Linkgate, callback: &str) -> Response {
    let call = Peer::hmac().call(linkgate, "POST", "/oauth/request-token");
    call.oauth("oauth_callback", callback)
        .in_form()
        .send(linkgate)
        .await
}

async fn refuses_callbacks(callbacks: &[&str]) {
    let linkgate = Linkgate::start().await;
    for callback in callbacks {
        let answer = ask(&linkgate, callback).await;
        assert_eq!(answer.status, 400, "{callback:?}: {answer:?}");
        answer.assert_refused("parameter_rejected");
        answer.assert_value("oauth_parameters_rejected", "oauth_callback");
    }
    let rows = linkgate
        .database()
        .texts("select callback from request_tokens".to_owned())
        .await;
    assert!(rows.is_empty(), "{rows:?}");
}

#[tokio::test]
async fn a_callback_of_another_scheme_is_refused() {
    refuses_callbacks(&[
        "javascript:alert(1)",
        "javascript://bitbucket.example.com/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://bitbucket.example.com/",
        "http://bitbucket.example.com/",
        "//bitbucket.example.com/",
        "/plugins/servlet",
        "bitbucket.example.com",
        "",
    ])
    .await;
}

#[tokio::test]
async fn a_callback_of_another_host_is_refused_however_it_is_spelt() {
    refuses_callbacks(&[
        "https://evil.example/",
        "https://bitbucket.example.com.evil.example/",
        "https://evilbitbucket.example.com/",
        "https://bitbucket.example.com:8443/",
        "https://bitbucket.example.com@evil.example/",
        "https://bitbucket.example.com%40evil.example/",
        "https://evil.example%2f@bitbucket.example.com/",
        "https://user:password@bitbucket.example.com/",
        "https://evil.example\\@bitbucket.example.com/",
        "https://bitbucket.example.com\\.evil.example/",
        "https:\\\\bitbucket.example.com/",
        "https://evil.example#@bitbucket.example.com/",
        "https://evil.example?@bitbucket.example.com/",
        "https://bitbucket.example.com./",
        "https://bitbucket\u{3002}example\u{3002}com/",
        "https://\u{ff42}itbucket.example.com/",
        "https://bitbucket.ex\u{e4}mple.com/",
        "https://[::ffff:127.0.0.1]/",
        "http://127.1:1234/",
        "http://0x7f000001:1234/",
        "http://127.0.0.1.evil.example:80/",
    ])
    .await;
}

#[tokio::test]
async fn a_callback_that_two_readers_read_differently_is_refused() {
    refuses_callbacks(&[
        "https://bitbucket.example.com/\r\nSet-Cookie: a=b",
        "https://bitbucket.example.com/%0d%0aSet-Cookie:%20a=b",
        "https://bitbucket.example.com/a\tb",
        "https://bitbucket.example.com/a\0b",
        "https://bitbucket.example.com/%00",
        "https://bitbucket.example.com/a b",
        "https://bitbucket.example.com/\u{fc}",
        "https://bitbucket.example.com/%",
        "https://bitbucket.example.com/%zz",
        "https://bitbucket.example.com/a#b",
        "https://bitbucket.example.com/\"><script>",
        "https://path.example.com/",
        "https://path.example.com/cbx",
        "https://path.example.com/cb/../evil",
        "https://path.example.com/cb/%2e%2e/evil",
        "https://path.example.com/cb/..%2fevil",
        "https://path.example.com/cb/..;/evil",
        "https://path.example.com/cb/.%2e/evil",
        "https://path.example.com/cb%5c..%5cevil",
        "https://path.example.com/CB",
        " https://bitbucket.example.com/",
        "https://bitbucket.example.com/ ",
        "https%3A%2F%2Fbitbucket.example.com%2F",
        &format!("https://bitbucket.example.com/{}", "a".repeat(4096)),
    ])
    .await;
}

/// With a parameter of ours in it already, a consumer could read the wrong one of two.
#[tokio::test]
async fn a_callback_that_answers_itself_is_refused() {
    refuses_callbacks(&[
        "https://bitbucket.example.com/?oauth_verifier=x",
        "https://bitbucket.example.com/?a=1&oauth_token=x",
        "https://bitbucket.example.com/?%6Fauth_verifier=x",
        "https://bitbucket.example.com/?oauth%5fverifier",
    ])
    .await;
}

#[tokio::test]
async fn out_of_band_has_one_spelling() {
    refuses_callbacks(&["OOB", "Oob", " oob", "oob ", "oob/", "oob\0", "%6Fob"]).await;
    let linkgate = Linkgate::start().await;
    for meant in ["OOB", "urn:ietf:wg:oauth:2.0:oob"] {
        let advice = ask(&linkgate, meant).await.value("oauth_problem_advice").unwrap();
        assert!(advice.contains("oauth_callback is oob"), "{advice}");
    }
}

#[tokio::test]
async fn a_callback_comes_back_as_it_was_sent() {
    let linkgate = Linkgate::start().await;
    let mut browser = linkgate.browser();
    for (callback, joined) in [
        ("https://bitbucket.example.com/x?a=b&c=%7e%2F+", "&"),
        ("https://bitbucket.example.com/x?", ""),
        ("https://bitbucket.example.com/x?a&", ""),
        ("https://bitbucket.example.com", "?"),
        (
            "https://path.example.com/cb/x?redirectUrl=https://evil.example/",
            "&",
        ),
        ("http://127.0.0.1:1234/x", "?"),
    ] {
        let token = Peer::hmac().request_token(&linkgate, callback).await;
        let answer = browser.decide(&token, "alice", "approve").await;
        let expected = format!(
            "{callback}{joined}oauth_token={}&oauth_verifier={}",
            token.token,
            verifier(&answer)
        );
        assert_eq!((answer.status, location(&answer)), (303, expected.as_str()));
        let denied = Peer::hmac().request_token(&linkgate, callback).await;
        let answer = browser.deny(&denied, "alice").await;
        let expected = format!(
            "{callback}{joined}oauth_token={}&oauth_verifier=denied",
            denied.token
        );
        assert_eq!((answer.status, location(&answer)), (303, expected.as_str()));
    }
}

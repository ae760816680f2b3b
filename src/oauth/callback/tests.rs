use super::*;

fn url(text: &str) -> CallbackUrl {
    match Callback::parse(text) {
        Ok(Callback::Url(url)) => url,
        other => panic!("{text}: {other:?}"),
    }
}

fn allows(pattern: &str, text: &str) -> bool {
    AllowedCallback::parse(pattern).unwrap().allows(&url(text))
}

#[test]
fn oob_is_exact() {
    assert_eq!(Callback::parse("oob"), Ok(Callback::OutOfBand));
    assert!(Callback::parse("OOB").is_err());
    assert!(Callback::parse("oob ").is_err());
}

#[test]
fn a_callback_is_kept_as_it_was_sent() {
    let text = "HTTPS://Bitbucket.Example.com:443/plugins/servlet/applinks/oauth/login-dance/access?applicationLinkID=1%2d2";
    let url = url(text);
    assert_eq!(url.as_str(), text);
    assert_eq!(url.origin(), "https://bitbucket.example.com");
    assert_eq!(url.host(), "bitbucket.example.com");
}

#[test]
fn token_and_verifier_are_appended() {
    let token = Token::parse("t/k").unwrap();
    let verifier = Verifier::new("v");
    let with = |text: &str| url(text).authorized_redirect(&token, &verifier);
    assert_eq!(with("https://h"), "https://h?oauth_token=t%2Fk&oauth_verifier=v");
    assert_eq!(
        with("https://h/cb"),
        "https://h/cb?oauth_token=t%2Fk&oauth_verifier=v"
    );
    assert_eq!(
        with("https://h/cb?"),
        "https://h/cb?oauth_token=t%2Fk&oauth_verifier=v"
    );
    assert_eq!(
        with("https://h/cb?a=b"),
        "https://h/cb?a=b&oauth_token=t%2Fk&oauth_verifier=v"
    );
    assert_eq!(
        with("https://h/cb?a=b&"),
        "https://h/cb?a=b&oauth_token=t%2Fk&oauth_verifier=v"
    );
    assert_eq!(
        url("https://h/cb").denied_redirect(&token),
        "https://h/cb?oauth_token=t%2Fk&oauth_verifier=denied"
    );
}

#[test]
fn what_cannot_be_redirected_to_is_refused() {
    for text in [
        "",
        " ",
        "/cb",
        "//h/cb",
        "h/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://h/cb",
        "https:/h/cb",
        "https:\\\\h\\cb",
        "https://u@h/cb",
        "https://h\\@e/cb",
        "https://h/cb#f",
        "https://h/cb\r\nx: y",
        "https://h/cb%0d%0ax",
        "https://h/cb%00",
        "https://h/cb%7f",
        "https://h/cb\0",
        "https://h/a b",
        "https://h/\u{e9}",
        "https://h/%",
        "https://h/%zz",
        "https://h/a/../b",
        "https://h/./b",
        "https://h/a/%2e%2E/b",
        "https://h/a%2f..%2fb",
        "https://h/a/..;x/b",
        "https://h/a%5cb",
        "https://h/..",
        "https://h/cb?oauth_verifier=x",
        "https://h/cb?a&oauth_verifier",
        "https://h/cb?%6fauth_verifier=x",
        "https://h/cb?oauth_token=t",
        "https://h./cb",
        "\thttps://h/cb",
    ] {
        let problem = Callback::parse(text).unwrap_err();
        assert_eq!(problem.name(), "parameter_rejected", "{text}");
        assert_eq!(
            problem.pairs()[1],
            ("oauth_parameters_rejected", "oauth_callback".to_owned())
        );
    }
    assert!(Callback::parse(&format!("https://h/{}", "a".repeat(5000))).is_err());
}

#[test]
fn a_query_of_its_own_is_kept() {
    for text in [
        "https://h/cb?oauth_verifiers=1",
        "https://h/cb?q=[1]&r=..&s=%2e%2e",
        "https://h?x",
        "http://127.0.0.1:8080/~u/",
    ] {
        assert_eq!(url(text).as_str(), text);
    }
}

#[test]
fn an_origin_allows_every_path_and_no_other_origin() {
    for text in [
        "https://h",
        "https://h/",
        "https://h/a/b?c",
        "https://h:443/a",
        "https://H?x",
    ] {
        assert!(allows("https://h", text), "{text}");
    }
    for text in [
        "http://h",
        "https://h:444",
        "https://h.evil",
        "https://ah",
        "https://hosting",
    ] {
        assert!(!allows("https://h", text), "{text}");
    }
}

#[test]
fn any_port_only_where_the_pattern_says_so() {
    assert!(allows("http://127.0.0.1:*", "http://127.0.0.1:4711/cb"));
    assert!(allows("http://127.0.0.1:*", "http://127.0.0.1/cb"));
    assert!(allows("http://[::1]:*", "http://[::1]:1/cb"));
    assert!(!allows("http://127.0.0.1:*", "https://127.0.0.1:4711/cb"));
    assert!(!allows("http://127.0.0.1:*", "http://127.0.0.2:4711/cb"));
    assert!(!allows("http://127.0.0.1", "http://127.0.0.1:4711/cb"));
    assert!(!allows("http://h:80", "http://h:8099"));
}

#[test]
fn a_path_is_a_prefix_up_to_a_boundary() {
    for text in [
        "https://h/cb",
        "https://h/cb/",
        "https://h/cb/x",
        "https://h/cb?x",
    ] {
        assert!(allows("https://h/cb", text), "{text}");
    }
    for text in [
        "https://h/cbx",
        "https://h/c",
        "https://h",
        "https://h/CB",
        "https://h/cb%2fx",
        "https://h/%63b",
        "https://h/cb;x",
    ] {
        assert!(!allows("https://h/cb", text), "{text}");
    }
    assert!(allows("https://h/cb/", "https://h/cb/x"));
    assert!(!allows("https://h/cb/", "https://h/cb"));
}

#[test]
fn patterns_that_promise_too_much_are_refused() {
    for text in [
        "",
        "h",
        "oob",
        "*",
        "https://*",
        "https://*.h",
        "https://h/*",
        "https://h?x",
        "https://h#x",
        "https://u@h",
        "https://h:",
        "https://h:0",
        "https://h:**",
        "https://h/a/../b",
        "https://h /",
        "javascript:x",
        "https://h/\u{e9}",
    ] {
        assert!(AllowedCallback::parse(text).is_err(), "{text}");
    }
}

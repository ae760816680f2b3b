use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    pairs.iter().map(pair).collect()
}

/// What passes of a request's headers.
fn passed(pairs: &[(&'static str, &'static str)], trusted: bool, admitted: bool) -> String {
    let mut onward = Onward {
        method: Method::GET,
        target: PathAndQuery::from_static("/"),
        fields: BytesMut::new(),
        has_length: false,
    };
    onward.pass(&headers(pairs), trusted, admitted);
    let text = std::str::from_utf8(&onward.fields).unwrap();
    text.trim_end().replace("\r\n", "|")
}

#[test]
fn our_cookies_stay_with_us_and_the_others_pass_as_they_are() {
    for (fields, cookies) in [
        (&["a=b;c=d ; e=\"f\""][..], "cookie: a=b;c=d ; e=\"f\""),
        (&["a=b; linkgate-session=s; c=d"], "cookie: a=b; c=d"),
        (
            &["__Host-linkgate-session=s", "a=b", "linkgate-browser=t"],
            "cookie: a=b",
        ),
        (&["linkgate-session=s"], ""),
        (&["x=linkgate-session", "a=b"], "cookie: x=linkgate-session; a=b"),
    ] {
        let carried: Vec<_> = fields.iter().map(|value| ("cookie", *value)).collect();
        assert_eq!(passed(&carried, false, false), cookies, "{fields:?}");
    }
}

#[test]
fn connection_names_what_stays_behind() {
    let named = [
        ("connection", "close, X-One"),
        ("connection", "x-two, content-type, , bad name"),
        ("x-one", "1"),
        ("x-two", "2"),
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic eA=="),
        ("content-type", "3"),
        ("x-three", "3"),
    ];
    assert_eq!(passed(&named, false, false), "content-type: 3|x-three: 3");
    let mut named = headers(&named);
    response(&mut named);
    assert_eq!(named, headers(&[("content-type", "3"), ("x-three", "3")]));
}

#[test]
fn what_frames_a_message_is_said_anew() {
    let framed = [
        ("te", "gzip, Trailers"),
        ("trailer", "x-sum"),
        ("expect", "100-continue"),
        ("transfer-encoding", "chunked"),
        ("content-length", "3"),
        ("host", "a"),
        ("accept", "b"),
    ];
    assert_eq!(
        passed(&framed, true, false),
        "accept: b|te: trailers|connection: te"
    );
    assert_eq!(passed(&[("te", "gzip")], true, false), "");
}

#[test]
fn only_our_own_authorization_goes() {
    let both = [
        ("authorization", "oauth oauth_token=\"a\""),
        ("authorization", "Bearer b"),
        ("authorization", "OAuth"),
    ];
    assert_eq!(passed(&both, false, true), "authorization: Bearer b");
    assert!(is_oauth(b"OAuth\ta=\"b\"") && is_oauth(b" OAUTH,"));
    assert!(!is_oauth(b"OAuth2 x") && !is_oauth(b"Basic eA==, OAuth oauth_token=\"a\""));
}

#[test]
fn strangers_say_nothing_about_forwarding() {
    let said = [
        ("forwarded", "for=1.1.1.1"),
        ("x_forwarded_for", "1.1.1.1"),
        ("x-forwarded-prefix", "/a"),
        ("x-original-url", "/a"),
        ("x-other", "b"),
    ];
    assert_eq!(passed(&said, false, false), "x-other: b");
    let by_a_proxy = "x-forwarded-prefix: /a|x-original-url: /a|x-other: b";
    assert_eq!(passed(&said, true, false), by_a_proxy);
}

#[test]
fn nobody_overrides_a_method_that_was_signed() {
    for name in METHOD_OVERRIDES {
        assert_eq!(passed(&[(name, "DELETE")], true, true), "", "{name}");
        assert_ne!(passed(&[(name, "DELETE")], true, false), "", "{name}");
    }
    assert_eq!(passed(&[("x_http-method_override", "DELETE")], true, true), "");
}

//! The parts of a request, one by one: header, URL, callback, timestamp, base string, problem.

use std::borrow::Cow;

use linkgate::oauth::authorization_header::{authorization, challenge, credentials, parameters};
use linkgate::oauth::base_string::signature_base_string;
use linkgate::oauth::encoding::form_body;
use linkgate::oauth::{
    Callback, Nonce, Origin, Parameters, Problem, PublicUrl, Secret, Timestamp, TimestampWindow, Token,
};

fn parse(header: &str) -> Result<Vec<String>, Problem> {
    let credentials = credentials(&[header.as_bytes()])?.unwrap_or(b"not OAuth");
    let text = |bytes: Cow<'_, [u8]>| String::from_utf8(bytes.into_owned()).unwrap();
    parameters(credentials)
        .map(|pair| pair.map(|(name, value)| format!("{}={}", text(name), text(value))))
        .collect()
}

#[test]
fn names_and_quoted_values_are_parsed_in_order() {
    for header in [
        "OAuth a=\"1\",b=\"2,=\"",
        "oauth a=\"1\" , b=\"2,=\"",
        "OAUTH\trealm=\"x, \\\"y\u{e9}\",\ta=\"1\",  b=\"2,=\" ",
        "OAuth a=\"1\", b=\"2,=\", Realm=\"\"",
    ] {
        assert_eq!(parse(header).unwrap(), ["a=1", "b=2%2C%3D"], "{header}");
    }
}

#[test]
fn the_scheme_is_a_whole_word_in_any_case() {
    let found = |fields: &[&[u8]]| credentials(fields).map(|found| found.map(<[u8]>::to_vec));
    assert_eq!(found(&[b"oAuTh a"]), Ok(Some(b" a".to_vec())));
    assert_eq!(found(&[b"OAuth"]), Ok(Some(Vec::new())));
    for field in ["", "OAuth2 a", "XOAuth a", "OAuth,a", "Basic eDp5, OAuth a=\"b\""] {
        assert_eq!(found(&[field.as_bytes()]), Ok(None), "{field}");
    }
    assert_eq!(found(&[b"Basic eDp5", b"Bearer t"]), Ok(None));
    assert_eq!(found(&[]), Ok(None));
    for fields in [
        [&b"OAuth a"[..], b"Bearer t"],
        [b"Bearer t", b"OAuth a"],
        [b"OAuth a", b"OAuth a"],
    ] {
        assert_eq!(found(&fields).unwrap_err().name(), "parameter_rejected");
    }
}

#[test]
fn a_written_header_can_be_parsed() {
    let pairs = [("oauth_token", "a b\""), ("oauth_nonce", "\r\n,")];
    let header = authorization(pairs, Some("https://h/\""));
    assert_eq!(
        header,
        "OAuth realm=\"https%3A%2F%2Fh%2F%22\", oauth_token=\"a%20b%22\", oauth_nonce=\"%0D%0A%2C\""
    );
    let found = parse(&header).unwrap();
    assert_eq!(found, ["oauth_token=a%20b%22", "oauth_nonce=%0D%0A%2C"]);
    assert_eq!(form_body(pairs), "oauth_token=a%20b%22&oauth_nonce=%0D%0A%2C");
    assert_eq!(authorization([("a", "b")], None), "OAuth a=\"b\"");
}

#[test]
fn a_challenge_names_the_problem() {
    assert_eq!(challenge("https://h", None), "OAuth realm=\"https%3A%2F%2Fh\"");
    let problem = Problem::ParameterAbsent(vec!["oauth_nonce", "oauth_timestamp"]);
    assert_eq!(
        challenge("r", Some(&problem)),
        "OAuth realm=\"r\", oauth_problem=\"parameter_absent\", \
         oauth_parameters_absent=\"oauth_nonce%26oauth_timestamp\", \
         oauth_problem_advice=\"Send%20oauth_nonce%2C%20oauth_timestamp.%20Every%20signature%20method%20needs%20a%20timestamp%20\
         and%20a%20nonce%20here%2C%20PLAINTEXT%20too.\""
    );
}

fn origin(url: &str) -> Result<String, &'static str> {
    Origin::split(url).map(|(origin, rest)| format!("{} {rest}", origin.as_str()))
}

#[test]
fn an_origin_has_one_spelling() {
    for (url, expected) in [
        ("HTTPS://H.Example:443/A?b", "https://h.example /A?b"),
        ("http://h:80", "http://h "),
        ("http://h:443?q", "http://h:443 ?q"),
        ("https://[2001:DB8::1]:8443#f", "https://[2001:db8::1]:8443 #f"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080 "),
        ("http://[::1]", "http://[::1] "),
        ("http://bitbucket_server:7990", "http://bitbucket_server:7990 "),
        ("http://xn--bcher-kva.example", "http://xn--bcher-kva.example "),
    ] {
        assert_eq!(origin(url).as_deref(), Ok(expected));
    }
}

#[test]
fn a_public_url_has_one_spelling() {
    let url = PublicUrl::parse("HTTPS://Builds.Example.com:443/ctx/").unwrap();
    assert_eq!(url.as_str(), "https://builds.example.com/ctx");
    let found = (url.origin(), url.authority());
    assert_eq!(found, ("https://builds.example.com", "builds.example.com"));
    assert_eq!((url.path_prefix(), url.is_secure()), ("/ctx", true));
    let url = PublicUrl::parse("http://[2001:DB8::1]:9080").unwrap();
    let found = (url.authority(), url.host());
    assert_eq!(found, ("[2001:db8::1]:9080", "[2001:db8::1]"));
    assert_eq!((url.path_prefix(), url.is_secure()), ("", false));
}

#[test]
fn token_and_verifier_are_appended() {
    let (token, verifier) = (Token::parse("t/k").unwrap(), Secret::new("v"));
    for (text, separator) in [
        ("https://h", "?"),
        ("https://h/cb", "?"),
        ("https://h/cb?", ""),
        ("https://h/cb?a=b", "&"),
        ("https://h/cb?a=b&", ""),
    ] {
        let Ok(Callback::Url(url)) = Callback::parse(text) else {
            panic!("{text}")
        };
        let expected = format!("{text}{separator}oauth_token=t%2Fk&oauth_verifier=");
        assert_eq!(url.authorized_redirect(&token, &verifier), format!("{expected}v"));
        assert_eq!(url.denied_redirect(&token), format!("{expected}denied"));
    }
}

#[test]
fn every_part_is_encoded_and_parameters_twice() {
    for (method, uri, query, expected) in [
        (
            "GET",
            ["https://h/ctx", "/x/../%7e;v=1"],
            "",
            "GET&https%3A%2F%2Fh%2Fctx%2Fx%2F..%2F%257e%3Bv%3D1&",
        ),
        ("propFind", ["https://h", "/"], "", "PROPFIND&https%3A%2F%2Fh%2F&"),
        ("M-*", ["https://h", "/"], "", "M-%2A&https%3A%2F%2Fh%2F&"),
        (
            "GET",
            ["https://h", "/p"],
            "a=%2525&oauth_signature=s&b=c+d&e=%ff",
            "GET&https%3A%2F%2Fh%2Fp&a%3D%252525%26b%3Dc%2520d%26e%3D%25FF",
        ),
    ] {
        let parameters = Parameters::of_unsigned::<&str, &str>(query, b"", &[]).unwrap();
        let written = signature_base_string(method, uri, &parameters);
        assert_eq!(written, expected);
    }
}

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

#[test]
fn a_timestamp_has_one_spelling() {
    assert_eq!(Timestamp::parse("1700000000"), Ok(NOW));
    for text in [
        "",
        "abc",
        "-1",
        "0",
        "1.5",
        "1e9",
        "+1",
        " 1",
        "1 ",
        "01",
        "\u{661}",
        "17000000001700000000",
    ] {
        let found = Timestamp::parse(text).unwrap_err().name();
        assert_eq!(found, "parameter_rejected", "{text}");
    }
}

#[test]
fn the_window_includes_both_ends() {
    let window = TimestampWindow::default();
    for (seconds, admitted) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        let found = window.check(NOW.plus(seconds), NOW).is_ok();
        assert_eq!(found, admitted, "{seconds}");
    }
}

#[test]
fn milliseconds_are_outside_every_window() {
    let timestamp = Timestamp::parse("1700000000000").unwrap();
    let problem = TimestampWindow::default().check(timestamp, NOW).unwrap_err();
    assert_eq!(problem.name(), "timestamp_refused");
    assert_eq!(
        problem.pairs()[1],
        ("oauth_acceptable_timestamps", "1699999700-1700000300".to_owned())
    );
    assert!(problem.advice().contains("1700000000 seconds"));
}

#[test]
fn a_nonce_is_short_text() {
    assert!(Nonce::parse("Zdx4Lo7").is_ok());
    assert!(Nonce::parse(&"n".repeat(255)).is_ok());
    for text in ["", "a\nb", "\0", &"n".repeat(256)] {
        assert!(Nonce::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_statuses_are_those_that_consumers_expect() {
    let used = String::new();
    let method = Problem::SignatureMethodRejected { used, why: "" };
    for (problem, status) in [
        (Problem::VersionRejected, 400),
        (Problem::ParameterAbsent(Vec::new()), 400),
        (Problem::parameter_rejected("a", ""), 400),
        (method, 400),
        (Problem::NonceUsed, 401),
        (Problem::TokenRejected(""), 401),
        (Problem::SignatureInvalid(""), 401),
        (Problem::PermissionDenied(""), 401),
        (Problem::ConsumerKeyRefused(""), 503),
    ] {
        assert_eq!(problem.status().as_u16(), status, "{problem}");
    }
}

#[test]
fn names_are_encoded_before_they_are_joined() {
    let names = vec!["oauth_token".to_owned(), "a&b".to_owned()];
    let problem = Problem::ParameterRejected { names, why: "Why." };
    assert_eq!(
        problem.pairs(),
        [
            ("oauth_problem", "parameter_rejected".to_owned()),
            ("oauth_parameters_rejected", "oauth_token&a%26b".to_owned()),
            ("oauth_problem_advice", "Why.".to_owned()),
        ]
    );
}

#[test]
fn no_parameter_is_named_if_there_is_none() {
    let problem = Problem::ParameterRejected {
        names: Vec::new(),
        why: "Why.",
    };
    assert_eq!(problem.pairs()[1].0, "oauth_problem_advice");
}

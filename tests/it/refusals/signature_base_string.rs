//! The base string (RFC 5849, section 3.4.1): what was signed is what arrived, byte for byte.

use crate::support::{Call, Key, Linkgate, Peer, Response, Setup, Text as _, encode};

/// A two-legged call of one target, signed for another.
fn signed(linkgate: &Linkgate, sent: &str, signed: &str) -> Call {
    let call = Peer::robot().call(linkgate, "GET", sent);
    call.signed_for(&format!("{}{signed}", linkgate.base))
}

#[track_caller]
fn assert_case(answer: &Response, fits: bool, case: &impl std::fmt::Debug) {
    if fits {
        assert_eq!(answer.status, 200, "{case:?}: {answer:?}");
    } else {
        assert_eq!(answer.status, 401, "{case:?}: {answer:?}");
        answer.assert_refused("signature_invalid");
    }
}

#[tokio::test]
async fn the_path_is_signed_as_it_arrived() {
    let linkgate = Linkgate::start().await;
    for (sent, as_signed, fits) in [
        ("/api/a%2fb", "/api/a%2fb", true),
        ("/api/a%2fb", "/api/a%2Fb", false),
        ("/api/a%2fb", "/api/a/b", false),
        ("/api/x;jsessionid=1", "/api/x;jsessionid=1", true),
        ("/api/x;jsessionid=1", "/api/x", false),
        ("/api/x", "/api/x;jsessionid=1", false),
        ("/api/x/../y", "/api/x/../y", true),
        ("/api/x/../y", "/api/y", false),
        ("/api//y", "/api//y", true),
        ("/api//y", "/api/y", false),
        ("/api/y/", "/api/y", false),
        ("/api/%7Euser", "/api/%7Euser", true),
        ("/api/%7Euser", "/api/~user", false),
        ("/api/%2525", "/api/%25", false),
        ("/API/y", "/api/y", false),
        ("/api/a+b", "/api/a%20b", false),
    ] {
        let answer = signed(&linkgate, sent, as_signed).send(&linkgate).await;
        assert_case(&answer, fits, &(sent, as_signed));
        if fits {
            let received = linkgate.app.last();
            assert_eq!(received.line(), format!("GET {sent} HTTP/1.1"));
        }
    }
}

#[tokio::test]
async fn the_query_is_signed_decoded_once_and_sorted() {
    let linkgate = Linkgate::start().await;
    for (sent, as_signed, fits) in [
        ("q=a+b", "q=a%20b", true),
        ("q=a%2Bb", "q=a+b", false),
        ("q=a%2bb", "q=a%2Bb", true),
        ("a[0]=[1]", "a%5B0%5D=%5B1%5D", true),
        ("a={}|^`'", "a=%7B%7D%7C%5E%60%27", true),
        ("flag", "flag=", true),
        ("&&a=1&", "a=1", true),
        ("=x&a=1", "=x&a=1", true),
        ("=x&a=1", "a=1", false),
        ("a=1;b=2", "a=1%3Bb=2", true),
        ("a=1;b=2", "a=1&b=2", false),
        ("a=b=c", "a=b%3Dc", true),
        ("a=2&a=1", "a=1&a=2", true),
        ("a=1&a=1", "a=1&a=1", true),
        ("a=1&a=1", "a=1", false),
        (
            "ab=5&a_b=4&a.b=3&a-b=2&a%21b=1",
            "a%21b=1&a-b=2&a.b=3&a_b=4&ab=5",
            true,
        ),
        ("v=%2525", "v=%2525", true),
        ("v=%2525", "v=%25", false),
        ("v=%25", "v=%2525", false),
        ("v=%ff%FE", "v=%FF%fe", true),
        ("v=%ff", "v=%EF%BF%BD", false),
        ("v=%00%0d%0A", "v=%00%0D%0A", true),
        ("v=%E2%80%AE%F0%9F%98%80", "v=%E2%80%AE%F0%9F%98%80", true),
        ("a?b=c?d", "a%3Fb=c%3Fd", true),
        ("a=1", "a=2", false),
        ("a=1", "", false),
        ("", "a=1", false),
    ] {
        let sent = format!("/api/q?{sent}");
        let answer = signed(&linkgate, &sent, &format!("/api/q?{as_signed}"))
            .send(&linkgate)
            .await;
        assert_case(&answer, fits, &(sent.as_str(), as_signed));
        if fits {
            let received = linkgate.app.last();
            assert_eq!(received.line(), format!("GET {sent} HTTP/1.1"), "as it came");
        }
    }
}

#[tokio::test]
async fn a_broken_escape_is_rejected_everywhere() {
    let linkgate = Linkgate::start().await;
    for broken in ["%", "%2", "%zz", "a%", "%%20", "%\u{e9}"] {
        let call = Peer::robot().call(&linkgate, "POST", "/api/x");
        let unsigned = call.request_with("x");
        let mut in_query = unsigned.clone();
        in_query.target = format!("/api/x?v={broken}");
        let in_form = unsigned.clone().form(format!("v={broken}"));
        let name_in_form = unsigned.clone().form(format!("{broken}=v"));
        let mut in_header = unsigned.clone();
        in_header.headers[0].1.extend([", x=\"", broken, "\""]);
        let mut as_nonce = unsigned;
        as_nonce.headers[0].1 = format!("OAuth oauth_nonce=\"{broken}\"");
        for request in [in_query, in_form, name_in_form, in_header, as_nonce] {
            let answer = request.send(linkgate.address).await;
            // A target that is no URI at all does not get as far as OAuth.
            if answer.value("oauth_problem").is_some() {
                answer.assert_refused("parameter_rejected");
            } else {
                assert_eq!(answer.status, 400, "{request:?}: {answer:?}");
            }
        }
    }
    assert!(linkgate.app.received().is_empty());
}

/// A choice: a method in lower case is signed in upper case, as RFC 5849 writes it, and travels on as it came; rules about
/// methods hold for it too. The token endpoints know their two methods by name.
#[tokio::test]
async fn the_method_is_signed() {
    let linkgate = Linkgate::start().await;
    for (sent, as_signed, fits) in [
        ("PROPFIND", "PROPFIND", true),
        ("get", "GET", true),
        ("M-SEARCH", "M-SEARCH", true),
        ("POST", "GET", false),
        ("GET", "POST", false),
        ("PUT", "PATCH", false),
    ] {
        let call = Peer::robot().call(&linkgate, as_signed, "/api/x");
        let mut request = call.request(&linkgate);
        request.method = sent.to_owned();
        assert_case(&request.send(linkgate.address).await, fits, &(sent, as_signed));
    }
    assert_eq!(linkgate.app.received()[1].line(), "GET /api/x HTTP/1.1");
    let mut head = Peer::robot().call(&linkgate, "GET", "/api/x").request(&linkgate);
    head.method = "HEAD".to_owned();
    let answer = head.send(linkgate.address).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    answer
        .header("www-authenticate")
        .unwrap()
        .has("oauth_problem=\"signature_invalid\"");
    let call = Peer::robot().call(&linkgate, "HEAD", "/api/x");
    call.passes(&linkgate).await;
    let call = Peer::hmac().call(&linkgate, "POST", "/oauth/request-token");
    let mut post = call.request(&linkgate);
    post.method = "post".to_owned();
    assert_eq!(post.send(linkgate.address).await.status, 405);
}

#[tokio::test]
async fn the_signed_method_cannot_be_overridden() {
    let linkgate = Linkgate::start().await;
    let mut request = Peer::robot().call(&linkgate, "GET", "/api/x").request(&linkgate);
    let names = "X-HTTP-Method-Override X-HTTP-Method X-Method-Override x-http_method-override";
    for name in names.split(' ') {
        request = request.header(name, "DELETE");
    }
    request.passes(linkgate.address).await;
    let received = linkgate.app.only();
    received.head.to_ascii_lowercase().lacks("override");
    assert!(!received.head.contains("DELETE"), "{received:?}");
    let mut slipped = Peer::robot().call(&linkgate, "POST", "/api/x").request(&linkgate);
    slipped.target.push_str("?_method=DELETE");
    slipped.refused(linkgate.address, "signature_invalid").await;
}

#[tokio::test]
async fn secrets_are_encoded_before_they_are_joined() {
    let more = "[[consumers]]\nkey = \"odd & key/\u{fc}\"\nshared_secret = \"$tar & space %26+=\u{fc}\"\ntwo_legged = true\n";
    let linkgate = Setup::new().more(more).start().await;
    let peer = Peer::of("odd & key/\u{fc}", "$tar & space %26+=\u{fc}");
    for call in [
        peer.call(&linkgate, "GET", "/api/x"),
        peer.call(&linkgate, "GET", "/api/x").in_query(),
    ] {
        call.passes(&linkgate).await;
    }
    // The same bytes, joined another way.
    let call = peer.call(&linkgate, "GET", "/api/x");
    let shifted = Call {
        token_secret: " space %26+=\u{fc}&".to_owned(),
        ..call.keyed(Key::Hmac("$tar ".to_owned()))
    };
    shifted.refused(&linkgate, "signature_invalid").await;
}

#[tokio::test]
async fn a_signature_has_one_spelling() {
    let linkgate = Linkgate::start().await;
    // One with both characters in which the alphabets of base64 differ.
    let (call, right) = (0..10_000)
        .map(|at| {
            Peer::robot()
                .call(&linkgate, "GET", "/api/x")
                .oauth("oauth_nonce", &format!("spelling{at}"))
        })
        .map(|call| (call.clone(), call.signature(&linkgate.base)))
        .find(|(_, signature)| signature.contains('+') && signature.contains('/'))
        .unwrap();
    let bare = right.trim_end_matches('=');
    let (start, end) = right.split_at(7);
    let mut trailing = bare[..bare.len() - 1].to_owned();
    // 20 bytes leave two bits over: set, they would make a second spelling.
    let last = bare.as_bytes()[bare.len() - 1];
    trailing.push(char::from(last + 1));
    trailing.push('=');
    for wrong in [
        bare.to_owned(),
        right.replace('+', "-").replace('/', "_"),
        format!("{start} {end}"),
        format!("{start}\n{end}"),
        format!("{right}\n"),
        format!("{right}="),
        format!("{right}A"),
        encode(right.as_bytes()),
        right.to_ascii_lowercase(),
        trailing,
        String::new(),
        "not base64!".to_owned(),
        "\u{fc}\u{fc}".to_owned(),
        "A".repeat(30_000),
    ] {
        call.request_with(&wrong)
            .refused(linkgate.address, "signature_invalid")
            .await;
    }
    let huge = call.clone().in_form();
    let mut huge = huge.request_with("");
    huge.method = "POST".to_owned();
    huge.body.extend(vec![b'A'; 1 << 20]);
    assert_eq!(huge.send(linkgate.address).await.status, 413);
    let mut no_text = call.request_with("");
    no_text.headers[0].1 = no_text.headers[0]
        .1
        .replace("oauth_signature=\"\"", "oauth_signature=\"%ff\"");
    no_text.refused(linkgate.address, "parameter_rejected").await;
    call.request_with(&right).passes(linkgate.address).await;
}

#[tokio::test]
async fn the_version_is_absent_or_1_0() {
    let linkgate = Linkgate::start().await;
    for version in ["1.0a", "2.0", "1", "1.00", "NaN", "", " 1.0", "1.0 "] {
        for path in ["/api/x", "/oauth/request-token", "/oauth/access-token"] {
            let call = Peer::robot()
                .call(&linkgate, "POST", path)
                .oauth("oauth_version", version);
            let answer = call.refused(&linkgate, "version_rejected").await;
            answer.assert_value("oauth_acceptable_versions", "1.0-1.0");
        }
    }
    let call = Peer::robot()
        .call(&linkgate, "GET", "/api/x")
        .without("oauth_version");
    call.passes(&linkgate).await;
}

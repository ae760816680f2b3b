//! `parameter_rejected`: parameters that come twice or in two places, and headers that are malformed (RFC 5849, 3.2 and 3.5).

use crate::support::{CALLBACK, Call, Linkgate, Peer, Request, credentials, encode, exchange};

#[tokio::test]
async fn a_parameter_that_comes_twice_is_refused_whatever_its_value() {
    let linkgate = Linkgate::start().await;
    for name in [
        "oauth_consumer_key",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_nonce",
        "oauth_version",
        "oauth_token",
        "oauth_verifier",
        "oauth_session_handle",
        "oauth_body_hash",
        "oauth_callback",
        "oauth_foo",
    ] {
        for same in [true, false] {
            let call = Peer::robot().call(&linkgate, "GET", "/api/builds");
            let given = call.oauth.iter().find(|(given, _)| given == name);
            let value = given.map_or_else(|| "v".to_owned(), |(_, value)| value.clone());
            let other = if same { value.clone() } else { format!("{value}x") };
            let twice = call.oauth(name, &value).again(name, &other);
            for call in [twice.clone(), twice.clone().in_query()] {
                let answer = call.refused(&linkgate, "parameter_rejected").await;
                answer.assert_value("oauth_parameters_rejected", name);
            }
        }
    }
    let signed = Peer::robot().call(&linkgate, "GET", "/api/builds");
    let twice = signed
        .clone()
        .again("oauth_signature", "x")
        .request_with(&signed.signature(&linkgate.base));
    twice.refused(linkgate.address, "parameter_rejected").await;
    // Spelt differently, it is the same name.
    let (query, form) = ("oauth%5fnonce=n", "oauth_n%6Fnce=n");
    let disguised = Request::post(format!("/oauth/request-token?{query}&{form}&oauth_signature=s"));
    disguised.refused(linkgate.address, "parameter_rejected").await;
}

#[tokio::test]
async fn all_protocol_parameters_stand_in_one_place() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let call = |target: &str| Peer::hmac().call(&linkgate, "POST", target);
    let in_header_and_query = call(&format!("/api/builds?oauth_token={}", token.token)).token(&token);
    let answer = in_header_and_query.refused(&linkgate, "parameter_rejected").await;
    answer.assert_value("oauth_parameters_rejected", "oauth_token");
    let mut beside = call("/api/builds").without("oauth_token");
    beside.token_secret.clone_from(&token.secret);
    for stray in [
        beside.clone().form(&[("oauth_token", token.token.as_str())]),
        Call {
            target: format!("/api/builds?oauth_token={}", token.token),
            ..beside.clone()
        },
        Call {
            target: "/api/builds?oauth_foo=1".to_owned(),
            ..beside.clone()
        },
        Call {
            target: "/api/builds?oauth_token=x".to_owned(),
            ..beside.clone().in_form()
        },
    ] {
        stray.refused(&linkgate, "parameter_rejected").await;
    }
    // A signature in the query does not serve parameters in the header.
    let signed = call("/api/builds").token(&token);
    let mut split = signed.request_with("");
    let signature = encode(signed.signature(&linkgate.base).as_bytes());
    split.target = format!("/api/builds?oauth_signature={signature}");
    split.refused(linkgate.address, "parameter_rejected").await;
    assert!(linkgate.app.received().is_empty());
    // Nothing of this was the token's fault.
    call("/api/builds").token(&token).passes(&linkgate).await;
}

/// A choice: accepted, and signed over like any other, so that an extension that linkgate does not know does no harm.
#[tokio::test]
async fn an_unknown_protocol_parameter_is_signed_like_any_other() {
    let linkgate = Linkgate::start().await;
    let call = Peer::robot()
        .call(&linkgate, "GET", "/api/builds")
        .oauth("oauth_foo", "bar");
    let sent = call.clone().oauth("oauth_foo", "baz");
    let forged = sent.request_with(&call.signature(&linkgate.base));
    forged.refused(linkgate.address, "signature_invalid").await;
    call.passes(&linkgate).await;
}

#[tokio::test]
async fn two_authorization_headers_are_ambiguous() {
    let linkgate = Linkgate::start().await;
    for other in ["Bearer b", "Basic YTpi", "OAuth a=\"b\"", "oauth a=\"b\""] {
        let call = Peer::robot().call(&linkgate, "GET", "/api/builds");
        let signed = call.request(&linkgate);
        let first = signed.clone().header("Authorization", other);
        first.refused(linkgate.address, "parameter_rejected").await;
        let mut last = signed;
        last.headers
            .insert(0, ("Authorization".to_owned(), other.to_owned()));
        last.refused(linkgate.address, "parameter_rejected").await;
    }
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn the_scheme_is_oauth_in_any_case() {
    let linkgate = Linkgate::start().await;
    for scheme in ["oauth", "OAUTH", "oAuTh"] {
        let call = Peer::robot().call(&linkgate, "GET", "/api/builds");
        let mut request = call.request(&linkgate);
        request.headers[0].1 = request.headers[0].1.replacen("OAuth", scheme, 1);
        request.passes(linkgate.address).await;
    }
    // A tab, white space around commas, a realm anywhere, with a comma and an escaped quote inside: still the grammar.
    let call = Peer::robot().call(&linkgate, "GET", "/api/builds");
    let mut request = call.request(&linkgate);
    request.headers[0].1 = request.headers[0]
        .1
        .replacen("OAuth ", "OAuth\trealm=\"a, \\\"b\\\"\",", 1)
        .replace(", ", " ,\t ");
    request.passes(linkgate.address).await;
    // Empty elements of a list (RFC 9110, section 5.6.1.2).
    let call = Peer::robot().call(&linkgate, "GET", "/api/builds");
    let mut request = call.request(&linkgate);
    let list = request.headers[0].1.replacen("OAuth ", "OAuth , ,", 1);
    request.headers[0].1 = list.replace(", ", ",,\t, ") + ", ,";
    request.passes(linkgate.address).await;
    assert_eq!(linkgate.app.received().len(), 5);
}

#[tokio::test]
async fn a_signature_in_another_scheme_is_refused_and_not_ignored() {
    let linkgate = Linkgate::start().await;
    let call = Peer::robot().call(&linkgate, "GET", "/anything");
    let signed = call.request(&linkgate);
    let header = &signed.headers[0].1;
    for bent in [
        header.replacen("OAuth", "OAuth1", 1),
        format!("Basic YTpi, {header}"),
        format!("\"{header}\""),
        header.replacen("OAuth ", "", 1),
        format!("Authorization: {header}"),
    ] {
        let mut request = signed.clone();
        request.headers[0].1.clone_from(&bent);
        let answer = request.refused(linkgate.address, "parameter_rejected").await;
        let advice = answer.value("oauth_problem_advice").unwrap();
        assert!(
            advice.starts_with("Begin the Authorization header with OAuth"),
            "{bent}: {advice}"
        );
    }
    assert!(linkgate.app.received().is_empty());
}

/// django-allauth and `LWP::Authen::OAuth` send them like this.
#[tokio::test]
async fn callback_and_verifier_may_stand_beside_the_header() {
    let linkgate = Linkgate::start().await;
    let ask = |target: &str| Peer::hmac().call(&linkgate, "POST", target);
    let callback = encode(CALLBACK.as_bytes());
    let in_query = format!("/oauth/request-token?oauth_callback={callback}");
    let answer = ask(&in_query).send(&linkgate).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let in_form = ask("/oauth/request-token").form(&[("oauth_callback", CALLBACK)]);
    let answer = in_form.send(&linkgate).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = credentials(&answer);
    let verifier = linkgate.browser().approve(&token, "alice").await;
    let exchange = || ask("/oauth/access-token").token(&token);
    let twice = exchange()
        .oauth("oauth_verifier", &verifier)
        .form(&[("oauth_verifier", &verifier)]);
    twice.refused(&linkgate, "parameter_rejected").await;
    // What was not signed does not count.
    let mut added = exchange().request(&linkgate);
    added.target = format!("/oauth/access-token?oauth_verifier={verifier}");
    added.refused(linkgate.address, "signature_invalid").await;
    let call = exchange().form(&[("oauth_verifier", &verifier)]);
    let answer = call.send(&linkgate).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn what_is_not_the_header_grammar_is_refused() {
    let linkgate = Linkgate::start().await;
    for bent in [
        "OAuth oauth_nonce=n",
        "OAuth oauth_nonce='n'",
        "OAuth oauth_nonce=\"n\" oauth_timestamp=\"1\"",
        "OAuth oauth_nonce=\"n\";oauth_timestamp=\"1\"",
        "OAuth oauth_nonce =\"n\"",
        "OAuth oauth_nonce=\"n\\\"\"",
        "OAuth oauth_nonce=\"n",
        "OAuth \u{fc}=\"n\"",
        "OAuth oauth_nonce=\"\u{fc}\"",
        "OAuth realm=\"a\", realm=\"b\", oauth_nonce=\"n\"",
    ] {
        for path in ["/api/builds", "/oauth/request-token", "/anything"] {
            Request::get(path)
                .header("Authorization", bent)
                .refused(linkgate.address, "parameter_rejected")
                .await;
        }
    }
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn a_comma_inside_quotes_is_data() {
    let linkgate = Linkgate::start().await;
    let call = Peer::robot()
        .call(&linkgate, "GET", "/api/builds")
        .oauth("oauth_nonce", "a,b=\"c\",oauth_token");
    let mut request = call.request(&linkgate);
    request.headers[0].1 = request.headers[0].1.replace("%2C", ",");
    request.passes(linkgate.address).await;
}

#[tokio::test]
async fn a_header_folded_over_lines_is_refused() {
    let linkgate = Linkgate::start().await;
    let call = Peer::robot().call(&linkgate, "GET", "/api/builds");
    let request = call.request(&linkgate);
    let text = String::from_utf8(request.bytes(linkgate.address))
        .unwrap()
        .replace(", oauth_nonce", ",\r\n oauth_nonce");
    assert_eq!(exchange(linkgate.address, text.as_bytes()).await.status, 400);
    assert!(linkgate.app.received().is_empty());
}

//! The advice about a signature that does not match: it names what the consumer signed instead.

use crate::support::{Call, Linkgate, Peer, Request, Response, Setup, Text as _, encode};

/// A two-legged call whose consumer key has characters to encode.
const ODD: &str =
    "[[consumers]]\nkey = \"odd!key\"\nshared_secret = \"a-secret-that-is-odd\"\ntwo_legged = true\n";

fn advice(answer: &Response) -> String {
    answer.assert_refused("signature_invalid");
    answer.value("oauth_problem_advice").unwrap()
}

#[tokio::test]
async fn the_advice_is_that_only_form_bodies_are_signed() {
    let linkgate = Linkgate::start().await;
    let bodies = [
        (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--",
        ),
        ("application/json", "{\"a\":\"1\"}"),
        ("application/xml", "<a>1</a>"),
    ];
    for (path, signed) in [("/api/x", "a=1"), ("/oauth/request-token", "a=1"), ("/api/x", "")] {
        for (kind, body) in bodies {
            let call = Peer::robot().call(&linkgate, "POST", path);
            let call = call.signed_for(&format!("{}{path}?{signed}", linkgate.base));
            let request = call.request(&linkgate).header("Content-Type", kind).body(body);
            if signed.is_empty() {
                request.passes(linkgate.address).await;
            } else {
                let advice = advice(&request.send(linkgate.address).await);
                assert!(advice.contains("only form bodies are signed"), "{kind}: {advice}");
                assert!(advice.contains("RFC 5849, section 3.4.1.3.1"), "{kind}: {advice}");
            }
        }
    }
    // A form is signed, and a GET with a type has no body.
    let wrong = Peer::of("robot", "wrong");
    let get = wrong.call(&linkgate, "GET", "/api/x").request(&linkgate);
    let form = wrong.call(&linkgate, "POST", "/api/x").form(&[("a", "1")]);
    for request in [
        get.header("Content-Type", "application/json"),
        form.request(&linkgate),
    ] {
        let advice = advice(&request.send(linkgate.address).await);
        assert!(!advice.contains("bodies"), "{advice}");
    }
}

/// The base string with parameters that are joined as they are given.
fn joined(call: &Call, base: &str, parameters: &mut [String]) -> String {
    parameters.sort();
    let (path, _) = call.target.split_once('?').unwrap();
    let address = encode(format!("{base}{path}").as_bytes());
    format!(
        "{}&{address}&{}",
        call.method,
        encode(parameters.join("&").as_bytes())
    )
}

#[tokio::test]
async fn parameters_encoded_once_too_few_or_too_many_are_named() {
    let linkgate = Setup::new().more(ODD).start().await;
    let send = async |call: &Call, signature: &str| -> String {
        let request: Request = call.request_with(signature);
        advice(&request.send(linkgate.address).await)
    };
    let spelled =
        |text: &str, times: usize| (0..times).fold(text.to_owned(), |text, _| encode(text.as_bytes()));
    // How often the consumer encoded what is in the header, and in the query.
    let ways = [
        (0, 0, "had not percent-encoded"),
        (0, 1, "had not percent-encoded"),
        (1, 0, "had not percent-encoded"),
        (1, 2, "encoded already"),
        (2, 2, "encoded already"),
    ];
    for (header, query, expected) in ways {
        let call =
            Peer::of("odd!key", "a-secret-that-is-odd").call(&linkgate, "GET", "/api/x?b=c%3A%20d&a=%C3%BC");
        let oauth = call
            .oauth
            .iter()
            .map(|(name, value)| format!("{}={}", spelled(name, header), spelled(value, header)));
        let pairs =
            [("b", "c: d"), ("a", "\u{fc}")].map(|(name, value)| format!("{name}={}", spelled(value, query)));
        let mut parameters: Vec<_> = oauth.chain(pairs).collect();
        let signature = call.signature_over(&joined(&call, &linkgate.base, &mut parameters));
        let advice = send(&call, &signature).await;
        advice.has(expected);
        advice.has("RFC 5849, section 3.4.1.3");
        call.passes(&linkgate).await;
    }
    let call = Peer::robot().call(&linkgate, "GET", "/api/x?b=c%3A%20d");
    let advice = send(&call, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=").await;
    assert!(advice.contains("compare the URL"), "{advice}");
}

#[tokio::test]
async fn a_large_request_is_not_verified_again_for_the_advice() {
    let linkgate = Linkgate::start().await;
    for (bytes, is_explained) in [(5_000, true), (6_000, false), (349_000, false)] {
        let form = "/".repeat(bytes);
        let call = Peer::robot()
            .call(&linkgate, "POST", "/api/x")
            .form(&[("a", &form)]);
        let call = call.signed_for("https://builds.example.com/api/x");
        let advice = advice(&call.send(&linkgate).await);
        let found = advice.contains("http or https");
        assert_eq!(found, is_explained, "{bytes}: {advice}");
    }
}

#[tokio::test]
async fn false_signatures_have_a_budget_and_true_ones_pass() {
    let linkgate = Setup::new().trusting().start().await;
    let call = |peer: Peer, client: &str| {
        let call = peer.call(&linkgate, "GET", "/api/x");
        call.request(&linkgate).header("X-Forwarded-For", client)
    };
    let wrong = || Peer::of("robot", "wrong");
    let (flooding, other) = ("2001:db8::1", "192.0.2.1");
    for _ in 0..200 {
        let request = call(wrong(), flooding);
        request.refused(linkgate.address, "signature_invalid").await;
    }
    // A network of IPv6 is one client.
    let request = call(wrong(), "2001:db8::2");
    let answer = request.refused(linkgate.address, "consumer_key_refused").await;
    answer.assert_header("retry-after", "10");
    // The consumer's own calls from there, other consumers and other addresses are answered as ever.
    for client in [flooding, other] {
        call(Peer::robot(), client).passes(linkgate.address).await;
    }
    let replayed = call(Peer::robot(), flooding);
    replayed.passes(linkgate.address).await;
    replayed.refused(linkgate.address, "nonce_used").await;
    for request in [call(wrong(), other), call(Peer::of("second", "wrong"), flooding)] {
        request.refused(linkgate.address, "signature_invalid").await;
    }
    linkgate.clock.advance(60);
    let request = call(wrong(), flooding);
    request.refused(linkgate.address, "signature_invalid").await;
}

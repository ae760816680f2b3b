//! The advice about a signature that does not match: it names what the consumer signed instead.

use crate::support::call::{Call, Peer, encode};
use crate::support::linkgate::Linkgate;
use crate::support::raw::{Request, Response};

/// A two-legged call whose consumer key has characters to encode.
const ODD: &str =
    "[[consumers]]\nkey = \"odd!key\"\nshared_secret = \"a-secret-that-is-odd\"\ntwo_legged = true\n";

fn advice(answer: &Response) -> String {
    answer.assert_refused(401, "signature_invalid");
    answer.value("oauth_problem_advice").unwrap()
}

#[tokio::test]
async fn only_form_bodies_are_signed_says_the_advice() {
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
    let linkgate = Linkgate::with(crate::support::linkgate::Setup {
        more: ODD,
        ..Default::default()
    })
    .await;
    let send = async |call: &Call, signature: &str| -> String {
        let request: Request = call.request_with(signature);
        advice(&request.send(linkgate.address).await)
    };
    let plain = |text: &str| text.to_owned();
    let encoded = |text: &str| encode(text.as_bytes());
    let twice = |text: &str| encode(encode(text.as_bytes()).as_bytes());
    let ways: [(&dyn Fn(&str) -> String, &dyn Fn(&str) -> String, &str); 5] = [
        (&plain, &plain, "had not percent-encoded"),
        (&plain, &encoded, "had not percent-encoded"),
        (&encoded, &plain, "had not percent-encoded"),
        (&encoded, &twice, "encoded already"),
        (&twice, &twice, "encoded already"),
    ];
    for (header, query, expected) in ways {
        let call =
            Peer::of("odd!key", "a-secret-that-is-odd").call(&linkgate, "GET", "/api/x?b=c%3A%20d&a=%C3%BC");
        let oauth = call
            .oauth
            .iter()
            .map(|(name, value)| format!("{}={}", header(name), header(value)));
        let pairs = [("b", "c: d"), ("a", "\u{fc}")].map(|(name, value)| format!("{name}={}", query(value)));
        let mut parameters: Vec<_> = oauth.chain(pairs).collect();
        let signature = call.signature_over(&joined(&call, &linkgate.base, &mut parameters));
        let advice = send(&call, &signature).await;
        assert!(
            advice.contains(expected) && advice.contains("RFC 5849, section 3.4.1.3"),
            "{advice}"
        );
        call.passes(&linkgate).await;
    }
    let call = Peer::robot().call(&linkgate, "GET", "/api/x?b=c%3A%20d");
    let advice = send(&call, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=").await;
    assert!(advice.contains("compare the URL"), "{advice}");
}

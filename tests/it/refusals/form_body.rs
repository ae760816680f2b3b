//! Form bodies (RFC 5849, section 3.4.1.3.1): their parameters are signed, whatever the method, and nothing else is a form.

use crate::support::{Call, Linkgate, Peer, Request};

#[tokio::test]
async fn a_plus_is_itself_in_a_header_and_a_space_in_a_form() {
    let linkgate = Linkgate::start().await;
    let plus = Peer::robot()
        .call(&linkgate, "POST", "/api/x")
        .oauth("oauth_nonce", "a+b");
    let space = Peer::robot()
        .call(&linkgate, "POST", "/api/x")
        .oauth("oauth_nonce", "a b");
    let bent = |request: &Request| {
        let mut request = request.clone();
        for (_, value) in &mut request.headers {
            *value = value.replace("a%2Bb", "a+b").replace("a%20b", "a+b");
        }
        let body = String::from_utf8(request.body.clone()).unwrap();
        request.body = body.replace("a%2Bb", "a+b").replace("a%20b", "a+b").into();
        request
    };
    let space_in_header = bent(&space.request(&linkgate)).send(linkgate.address).await;
    space_in_header.assert_refused("signature_invalid");
    let plus_in_form = bent(&plus.clone().in_form().request(&linkgate))
        .send(linkgate.address)
        .await;
    plus_in_form.assert_refused("signature_invalid");
    bent(&plus.request(&linkgate)).passes(linkgate.address).await;
    bent(&space.clone().in_form().request(&linkgate))
        .passes(linkgate.address)
        .await;
    // `%20` is a space in a header too; it is the nonce that was just used.
    space.refused(&linkgate, "nonce_used").await;
}

#[tokio::test]
async fn a_form_is_signed_with_every_method() {
    let linkgate = Linkgate::start().await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET", "PROPFIND"] {
        let call = Peer::robot()
            .call(&linkgate, method, "/api/x")
            .form(&[("a", "1"), ("b", "\u{fc} +&")]);
        let mut tampered = call.request(&linkgate);
        tampered.body = b"a=2&b=%C3%BC%20%2B%26".to_vec();
        tampered.refused(linkgate.address, "signature_invalid").await;
        let mut extended = call.request(&linkgate);
        extended.body.extend(b"&c=3");
        extended.refused(linkgate.address, "signature_invalid").await;
        let mut dropped = call.request(&linkgate);
        dropped.body.clear();
        dropped.refused(linkgate.address, "signature_invalid").await;
        call.passes(&linkgate).await;
        let chunked = |call: &Call, text: &str| {
            let mut request = call.request(&linkgate).header("Transfer-Encoding", "chunked");
            request.body = format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len()).into();
            request
        };
        let call = call.oauth("oauth_nonce", &format!("chunked{method}"));
        let tampered = chunked(&call, "a=2&b=%C3%BC%20%2B%26")
            .send(linkgate.address)
            .await;
        tampered.assert_refused("signature_invalid");
        chunked(&call, "a=1&b=%c3%bc+%2b%26")
            .passes(linkgate.address)
            .await;
    }
}

#[tokio::test]
async fn a_form_may_hold_bytes_that_are_no_text() {
    let linkgate = Linkgate::start().await;
    let call = |as_signed: &str| {
        let call = Peer::robot().call(&linkgate, "POST", "/api/x");
        // A parameter of the form is signed as if it stood in the query.
        call.signed_for(&format!("{}/api/x?{as_signed}", linkgate.base))
            .request(&linkgate)
    };
    let substituted = call("v=%EF%BF%BD").form("v=%ff").send(linkgate.address).await;
    substituted.assert_refused("signature_invalid");
    call("v=%FF").form("v=%ff").passes(linkgate.address).await;
    assert_eq!(linkgate.app.only().body, b"v=%ff");
}

#[tokio::test]
async fn a_body_that_only_looks_like_a_form_is_none() {
    let linkgate = Linkgate::start().await;
    for (kind, code) in [
        ("text/x; application/x-www-form-urlencoded", 200),
        ("application/x-www-form-urlencoded2", 200),
        ("application/x-www-form-urlencoded, text/plain", 400),
        ("multipart/form-data; boundary=x", 200),
        ("text/plain", 200),
    ] {
        let call = Peer::robot().call(&linkgate, "POST", "/api/x");
        let request = call
            .request(&linkgate)
            .header("Content-Type", kind)
            .body("a=1&oauth_nonce=2");
        assert_eq!(request.send(linkgate.address).await.status, code, "{kind}");
    }
    for kind in [
        "Application/X-WWW-Form-URLencoded",
        "application/x-www-form-urlencoded ; charset=UTF-8",
    ] {
        let call = Peer::robot().call(&linkgate, "POST", "/api/x").request(&linkgate);
        let sent = call.header("Content-Type", kind).body("a=1");
        let unsigned = sent.send(linkgate.address).await;
        unsigned.assert_refused("signature_invalid");
    }
    let twice = Peer::robot().call(&linkgate, "POST", "/api/x").request(&linkgate);
    let twice = twice
        .header("Content-Type", "text/plain")
        .form("a=1")
        .send(linkgate.address)
        .await;
    twice.assert(400, "www-authenticate", None);
    let packed = Peer::robot().call(&linkgate, "POST", "/api/x").request(&linkgate);
    let packed = packed
        .header("Content-Encoding", "gzip")
        .form("a=1")
        .send(linkgate.address)
        .await;
    packed.assert(415, "www-authenticate", None);
}

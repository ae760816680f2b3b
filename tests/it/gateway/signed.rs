//! Calls that carry OAuth: admitted and written, or refused and never passed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use linkgate::clock::Clock;
use linkgate::gateway::{Assertion, AssertionKey, IdentityConfig};
use linkgate::model::{Consumer, ConsumerSource};
use linkgate::oauth::{
    BodyHash, ConsumerKey, RequestSigner, Secret, SignatureMethod, SigningKey, TokenParameter,
    UnsignedRequest, VerificationKey, authorization_header, encoding,
};

use super::{ask, get, options, serve, start_behind_proxy, started, status};
use crate::support::{App, Peer, Request, Setup};

const BASE: &str = "https://builds.example.com";

/// The consumer that the provider of these tests knows.
pub(super) fn consumer() -> Consumer {
    Consumer {
        key: ConsumerKey::parse("peer").unwrap(),
        name: "Peer".to_owned(),
        keys: vec![VerificationKey::Hmac(Secret::new("secret"))],
        methods: BTreeSet::from([SignatureMethod::HmacSha1]),
        callbacks: Vec::new(),
        default_callback: None,
        two_legged: true,
        two_legged_user: Some("svc".to_owned()),
        impersonation: true,
        session_handles: false,
        require_body_hash: false,
        addresses: Vec::new(),
        enabled: true,
        source: ConsumerSource::Command,
    }
}

fn sign(request: UnsignedRequest) -> Vec<(String, String)> {
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let signer = RequestSigner {
        consumer_key: ConsumerKey::parse("peer").unwrap(),
        key: SigningKey::Hmac(Secret::new("secret")),
        method: SignatureMethod::HmacSha1,
    };
    let nonce = format!("n{}", NONCE.fetch_add(1, Ordering::Relaxed));
    let request = request.token(TokenParameter::Empty);
    signer.sign(&request, Clock::System.now(), &nonce).unwrap()
}

/// The header line of a signed GET.
pub(super) fn authorization(target: &str) -> String {
    authorization_of(UnsignedRequest::new(http::Method::GET, format!("{BASE}{target}")))
}

fn authorization_of(request: UnsignedRequest) -> String {
    format!(
        "Authorization: {}\r\n",
        authorization_header::authorization(sign(request), None)
    )
}

/// The header line of a signed POST with a form.
pub(super) fn form_authorization(target: &str, form: &'static [u8]) -> String {
    authorization_of(UnsignedRequest::new(http::Method::POST, format!("{BASE}{target}")).form(form))
}

async fn post(address: SocketAddr, target: &str, headers: &str, body: &str) -> String {
    let rest = format!("Content-Length: {}\r\n{headers}\r\n{body}", body.len());
    ask(address, &format!("POST {target}"), rest).await
}

pub(super) fn is_refused(answer: &str, problem: &str) -> bool {
    let fields = answer
        .lines()
        .filter(|line| line.starts_with("www-authenticate: OAuth"));
    let fields: Vec<_> = fields.collect();
    let named = format!("oauth_problem=\"{problem}\"");
    fields.len() == 1 && fields[0].contains(&named) && answer.contains(&format!("oauth_problem={problem}"))
}

#[tokio::test]
async fn an_admitted_call_arrives_as_its_user() {
    let (app, gateway) = started().await;
    let target = "/api/a/../b;x?q=%C3%BC&q=a+b&flag";
    let said = format!(
        "{}Remote-User: mallory\r\nX-HTTP-Method-Override: DELETE\r\n",
        authorization(target)
    );
    let answer = get(gateway, target, &said).await;
    assert_eq!(status(&answer), "200", "{answer}");
    let request = app.only();
    assert_eq!(request.line(), format!("GET {target} HTTP/1.1"));
    let names = "forwarded host remote-user x-forwarded-for x-forwarded-host x-forwarded-proto x-linkgate-call x-linkgate-consumer x-linkgate-name x-linkgate-user x-linkgate-via";
    assert_eq!(request.names(), names);
    assert_eq!(request.header("remote-user"), ["svc"]);
    assert_eq!(request.header("x-linkgate-user"), ["svc"]);
    assert_eq!(request.header("x-linkgate-name"), ["svc Example"]);
    assert_eq!(request.header("x-linkgate-consumer"), ["peer"]);
    assert_eq!(request.header("x-linkgate-call"), ["two-legged"]);
}

#[tokio::test]
async fn an_application_that_does_not_decode_names_gets_them_in_utf8() {
    let app = App::start().await;
    let mut options = options(&app).await;
    let identity: IdentityConfig = toml::from_str("encoding = \"utf-8\"").unwrap();
    options.check.identity = Arc::new(identity.headers());
    let gateway = serve(options).await;
    let target = "/page?xoauth_requestor_id=J%C3%B6rg%20100%25";
    assert_eq!(status(&get(gateway, target, &authorization(target)).await), "200");
    let request = app.only();
    assert_eq!(request.header("remote-user"), ["J\u{f6}rg 100%25"]);
    assert_eq!(request.header("x-linkgate-name"), ["J\u{f6}rg 100%25 Example"]);
}

#[tokio::test]
async fn a_name_that_no_header_holds_is_encoded() {
    let (app, gateway) = started().await;
    let target = "/page?xoauth_requestor_id=J%C3%B6rg%20100%25";
    assert_eq!(status(&get(gateway, target, &authorization(target)).await), "200");
    let request = app.only();
    assert_eq!(request.header("remote-user"), ["J%C3%B6rg 100%25"]);
    assert_eq!(request.header("x-linkgate-call"), ["impersonated"]);
    // Two users never look alike.
    for (name, written) in [
        ("%25C3%25B6", "%25C3%25B6"),
        ("%C3%B6", "%C3%B6"),
        ("a%20b", "a b"),
        ("a%2Cb%22%3B", "a,b\";"),
    ] {
        let target = format!("/page?xoauth_requestor_id={name}");
        let answer = get(gateway, &target, &authorization(&target)).await;
        assert_eq!(status(&answer), "200", "{name}: {answer}");
        assert_eq!(app.last().header("x-linkgate-user"), [written]);
    }
}

#[tokio::test]
async fn what_carries_oauth_and_fails_never_passes() {
    let (app, gateway) = started().await;
    let signed = authorization("/page");
    let malformed = "Authorization: oauth oauth_nonce=n\r\n";
    let bearer = "Authorization: Bearer b\r\n";
    let two = "Authorization: Bearer b\r\nAuthorization: OAuth a=\"b\"\r\n";
    for (target, headers, code, problem) in [
        ("/page?x=1", signed.as_str(), "401", "signature_invalid"),
        ("/page", "Authorization: OAuth\r\n", "400", "parameter_absent"),
        ("/page", malformed, "400", "parameter_rejected"),
        ("/page?%6Fauth_consumer_key=x", "", "400", "parameter_absent"),
        ("/page?oauth_signature=x", bearer, "400", "parameter_absent"),
        ("/page", two, "400", "parameter_rejected"),
    ] {
        let answer = get(gateway, target, headers).await;
        assert_eq!(status(&answer), code, "{target} {headers}: {answer}");
        assert!(is_refused(&answer, problem), "{target} {headers}: {answer}");
    }
    assert!(app.received().is_empty());
    // A refused request burnt nothing; an admitted one is good once.
    assert_eq!(status(&get(gateway, "/page", &signed).await), "200");
    assert!(is_refused(&get(gateway, "/page", &signed).await, "nonce_used"));
    assert_eq!(app.received().len(), 1);
}

#[tokio::test]
async fn a_form_is_signed_wherever_its_parameters_stand() {
    let (app, gateway) = started().await;
    let url = format!("{BASE}/jobs");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let form = "a=1&b=c+d%2B&a=0";
    let signed =
        authorization_of(UnsignedRequest::new(http::Method::POST, url.as_str()).form(form.as_bytes()));
    let tampered = post(gateway, "/jobs", &format!("{kind}{signed}"), "a=1&b=c+d%2B&a=2").await;
    assert!(is_refused(&tampered, "signature_invalid"), "{tampered}");
    let headers = format!("{kind}{signed}");
    assert_eq!(status(&post(gateway, "/jobs", &headers, form).await), "200");
    assert_eq!(app.only().body, form.as_bytes());

    let pairs = encoding::form_body(sign(
        UnsignedRequest::new(http::Method::POST, url.as_str()).form(form.as_bytes()),
    ));
    let in_body = format!("{form}&{pairs}");
    assert_eq!(status(&post(gateway, "/jobs", kind, &in_body).await), "200");
    let request = app.last();
    assert_eq!(request.body, in_body.as_bytes());
    assert_eq!(request.header("x-linkgate-user"), ["svc"]);

    let chunked = authorization_of(UnsignedRequest::new(http::Method::GET, url.as_str()).form(&b"a=1"[..]));
    let rest = format!("Transfer-Encoding: chunked\r\n{kind}{chunked}\r\n3\r\na=1\r\n0\r\n\r\n");
    assert_eq!(status(&ask(gateway, "GET /jobs", rest).await), "200");
    assert_eq!(app.last().body, b"a=1");
}

#[tokio::test]
async fn a_signed_body_hash_is_checked() {
    let (app, gateway) = started().await;
    let url = format!("{BASE}/jobs");
    let hash = BodyHash::new(b"{}", SignatureMethod::HmacSha1.hash()).to_base64();
    let signed = || {
        authorization_of(
            UnsignedRequest::new(http::Method::POST, url.as_str())
                .parameter("oauth_body_hash", hash.as_str()),
        )
    };
    let answer = post(gateway, "/jobs", &signed(), "{ }").await;
    assert!(is_refused(&answer, "signature_invalid"), "{answer}");
    assert!(app.received().is_empty());
    assert_eq!(status(&post(gateway, "/jobs", &signed(), "{}").await), "200");
    assert_eq!(app.only().body, b"{}");
    let large = "x".repeat((1 << 20) + 1);
    assert_eq!(status(&post(gateway, "/jobs", &signed(), &large).await), "413");
}

#[tokio::test]
async fn the_url_that_was_signed_is_one_of_ours() {
    let app = App::start().await;
    let gateway = start_behind_proxy(&app).await;
    let inner = "http://inner.example.com:8080/x";
    let signed = || authorization_of(UnsignedRequest::new(http::Method::GET, inner));
    let answer = get(gateway, "/x", &signed()).await;
    assert!(is_refused(&answer, "signature_invalid"), "{answer}");
    let named = format!(
        "{}X-Forwarded-Host: inner.example.com:8080\r\nX-Forwarded-Proto: http\r\n",
        signed()
    );
    assert_eq!(status(&get(gateway, "/x", &named).await), "200");
    assert_eq!(app.only().header("host"), ["inner.example.com:8080"]);
    let wrong_scheme = format!(
        "{}X-Forwarded-Host: inner.example.com:8080\r\nX-Forwarded-Proto: https\r\n",
        signed()
    );
    assert!(is_refused(
        &get(gateway, "/x", &wrong_scheme).await,
        "signature_invalid"
    ));
    // A name that is not ours changes nothing: neither what is signed, nor what the application is called.
    let foreign = format!(
        "{}X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n",
        authorization("/x")
    );
    assert_eq!(status(&get(gateway, "/x", &foreign).await), "200");
    let request = app.last();
    assert_eq!(request.header("host"), ["builds.example.com"]);
    assert_eq!(request.header("x-forwarded-host"), ["builds.example.com"]);
}

#[tokio::test]
async fn the_assertion_names_user_consumer_method_and_path() {
    let app = App::start().await;
    let mut options = options(&app).await;
    let [key, previous] = [[1; 32], [2; 32]].map(|seed| AssertionKey::derive(&seed).unwrap());
    let assertion = Assertion::new(BASE, "the-application", vec![key, previous], Clock::System);
    let jwks: JwkSet = serde_json::from_str(&assertion.jwks()).unwrap();
    assert_eq!(jwks.keys.len(), 2);
    options.assertion = Some(Arc::new(assertion));
    let gateway = serve(options).await;
    let target = "/api/a/../b?q=1";
    assert_eq!(status(&get(gateway, target, &authorization(target)).await), "200");
    let request = app.only();
    let [jwt] = request.header("x-linkgate-assertion")[..] else {
        panic!("{request:?}");
    };
    let id = jsonwebtoken::decode_header(jwt).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(jwks.find(&id).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["the-application"]);
    validation.set_issuer(&[BASE]);
    let claims = jsonwebtoken::decode::<serde_json::Value>(jwt, &key, &validation)
        .unwrap()
        .claims;
    for (name, value) in [
        ("sub", "svc"),
        ("name", "svc Example"),
        ("consumer", "peer"),
        ("call", "two-legged"),
        ("method", "GET"),
        ("path", "/api/a/../b"),
    ] {
        assert_eq!(claims[name], value, "{claims}");
    }
    let found = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(found, 60);
    let other = DecodingKey::from_jwk(
        jwks.keys
            .iter()
            .find(|key| key.common.key_id.as_ref() != Some(&id))
            .unwrap(),
    );
    assert!(jsonwebtoken::decode::<serde_json::Value>(jwt, &other.unwrap(), &validation).is_err());
    // An unsigned request has no assertion.
    assert_eq!(status(&get(gateway, "/page", "").await), "200");
    assert_eq!(app.last().header("x-linkgate-assertion"), [""; 0]);
}

#[tokio::test]
async fn an_assertion_without_a_user_names_none_and_replicas_share_its_key() {
    let linkgate = Setup::new().identity("assertion = true").start().await;
    let keys = Request::get("/.well-known/linkgate/jwks.json");
    let shown = keys.send(linkgate.address).await.body;
    let replica = linkgate.replica().await;
    assert_eq!(keys.send(replica.address).await.body, shown);
    let sent = Peer::robot().call(&linkgate, "GET", "/api/x?q=1");
    let call = sent.send(&linkgate).await;
    assert_eq!(call.status, 200, "{call:?}");
    let request = linkgate.app.only();
    let [jwt] = request.header("x-linkgate-assertion")[..] else {
        panic!("{request:?}");
    };
    let jwks: JwkSet = serde_json::from_str(&shown).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[&linkgate.base]);
    // The clock of this linkgate is a fixed one.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(&jwks.keys[0]).unwrap();
    let claims = jsonwebtoken::decode::<serde_json::Value>(jwt, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!((claims.get("sub"), claims.get("name")), (None, None), "{claims}");
    let found = (&claims["consumer"], &claims["path"]);
    assert_eq!(found, (&"robot".into(), &"/api/x".into()), "{claims}");
}

/// Methods are case-sensitive, and the signature covers the method in capitals.
#[tokio::test]
async fn the_method_that_was_signed_is_the_one_that_arrives() {
    let (app, gateway) = started().await;
    for (sent, signed, arrives) in [
        ("get", "/page", "GET"),
        ("GeT", "/page", "GET"),
        ("get", "", "get"),
    ] {
        let headers = if signed.is_empty() {
            String::new()
        } else {
            authorization(signed)
        };
        let answer = ask(gateway, &format!("{sent} /page"), format!("{headers}\r\n")).await;
        assert_eq!(status(&answer), "200", "{sent}: {answer}");
        let request = app.last();
        assert_eq!(request.line(), format!("{arrives} /page HTTP/1.1"));
    }
}

#[tokio::test]
async fn a_malformed_content_type_on_a_signed_request_is_refused() {
    let (_, gateway) = started().await;
    for (kind, is_good) in [
        ("application/x-www-form-urlencoded, text/plain", false),
        ("application/x-www-form-urlencoded x", false),
        ("application/x-www-form-urlencoded\tx", false),
        ("application/x-www-form-urlencoded/x", false),
        ("form", false),
        ("/x", false),
        ("", false),
        ("application/vnd.x+json; charset=utf-8, y", true),
        ("text/plain ;x", true),
    ] {
        let url = format!("{BASE}/jobs");
        let signed = authorization_of(UnsignedRequest::new(http::Method::POST, url.as_str()));
        let kind = format!("Content-Type: {kind}\r\n");
        let answer = post(gateway, "/jobs", &format!("{kind}{signed}"), "admin=1").await;
        assert_eq!(
            status(&answer),
            if is_good { "200" } else { "400" },
            "{kind} {answer}"
        );
        let answer = post(gateway, "/jobs", &kind, "admin=1").await;
        assert_eq!(status(&answer), "200", "{kind}: {answer}");
    }
}

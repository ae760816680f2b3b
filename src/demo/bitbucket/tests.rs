use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::clock::Clock;
use crate::demo::Operator;
use crate::demo::form;
use crate::demo::operator::OperatorError;
use crate::demo::wire::Call;
use crate::oauth::{
    ConsumerKey, PrivateKey, PublicUrl, RequestView, Secret, SignedRequest, Timestamp, Token, VerificationKey,
};

use super::calls::{As, CallError, Wanted};
use super::dance::Trouble;
use super::link::{Access, LinkKind};
use super::provider::Incoming;
use super::{Bitbucket, Settings};

const SECRET: &str = "form-secret";

fn bitbucket(linkgate: &str) -> Bitbucket {
    #[expect(clippy::disallowed_methods, reason = "a key of no use")]
    let own_private_key = PrivateKey::generate(1024, &mut rand::rng()).unwrap();
    let refuse = || OperatorError("nobody is there".to_owned());
    Bitbucket::new(Settings {
        base: PublicUrl::parse("http://127.0.0.1:7990").unwrap(),
        linkgate: PublicUrl::parse(linkgate).unwrap(),
        form_key: ConsumerKey::parse("bitbucket-form").unwrap(),
        form_secret: Secret::new(SECRET),
        own_key: ConsumerKey::parse("Stash:1").unwrap(),
        incoming: Incoming::new(
            ConsumerKey::parse("linkgate").unwrap(),
            own_private_key.public_key(),
        ),
        own_private_key,
        clock: Clock::fixed(Timestamp::from_seconds(1_800_000_000)),
        operator: Operator::new(
            move |_| Box::pin(async move { Err(refuse()) }),
            move || Box::pin(async move { Err(refuse()) }),
        ),
    })
}

fn connected(bitbucket: &Bitbucket, kind: LinkKind) {
    bitbucket.link(kind).keep_access(Access {
        token: Token::parse("access").unwrap(),
        secret: Secret::new("access-secret"),
        handle: None,
    });
}

/// What a provider makes of a call: its base string, when the signature is true.
fn verified(bitbucket: &Bitbucket, call: &Call, key: &VerificationKey, token_secret: Option<&str>) -> String {
    let (path, query) = call.target.split_once('?').unzip();
    let authorization = field(call, "authorization").map(|value| value.as_bytes().to_vec());
    let fields: Vec<&[u8]> = authorization.iter().map(Vec::as_slice).collect();
    let view = RequestView {
        method: call.method.as_str(),
        url: bitbucket.linkgate(),
        secure: bitbucket.linkgate().is_secure(),
        path: path.unwrap_or(&call.target),
        query,
        authorization: &fields,
        form: Some(call.body.as_bytes()).filter(|body| !body.is_empty()),
    };
    let request = SignedRequest::parse(&view).unwrap().unwrap();
    let secret = token_secret.map(Secret::new);
    let authentic = request
        .verify(std::slice::from_ref(key), secret.as_ref())
        .unwrap();
    authentic.base_string().to_owned()
}

fn field<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    let field = call.headers.iter().find(|(field, _)| *field == name);
    field.map(|(_, value)| value.as_str())
}

/// Answers every call in the same way.
async fn provider(status: u16, answer: &'static str) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    let router = Router::new().fallback(move || async move { (status, answer) });
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

#[test]
fn the_authorize_url_is_appended_to_blindly() {
    let bitbucket = bitbucket("http://127.0.0.1:9080");
    let token = Token::parse("t").unwrap();
    assert_eq!(
        bitbucket.authorize_url(LinkKind::OwnKey, &token),
        "http://127.0.0.1:9080/plugins/servlet/oauth/authorize?oauth_token=t&oauth_callback=http%3A%2F%2F127.0.0.1%3A7990\
         %2Fplugins%2Fservlet%2Fapplinks%2Foauth%2Flogin-dance%2Faccess%3FapplicationLinkID%3D\
         a1b7e6c0-7d44-3b6f-8a55-0c9b2d7c4e22"
    );
}

#[test]
fn a_call_as_me_has_only_oauth_in_its_header_and_the_rest_where_it_was() {
    let bitbucket = bitbucket("http://127.0.0.1:9080");
    connected(&bitbucket, LinkKind::Form);
    let wanted = Wanted::post("/api/builds?a=b+c", &[("note", "ä & b")]);
    let prepared = bitbucket.prepare(LinkKind::Form, As::Me, &wanted).unwrap();
    let call = &prepared.call;
    assert_eq!(
        (call.target.as_str(), call.body.as_str()),
        ("/api/builds?a=b+c", "note=%C3%A4+%26+b")
    );
    let authorization = field(call, "authorization").unwrap();
    let only_oauth = authorization.strip_prefix("OAuth ").unwrap().split(", ");
    assert!(
        only_oauth.into_iter().all(|pair| pair.starts_with("oauth_")),
        "{authorization}"
    );

    let key = VerificationKey::Hmac(Secret::new(SECRET));
    let base_string = verified(&bitbucket, call, &key, Some("access-secret"));
    assert_eq!(call.base_string.as_deref(), Some(base_string.as_str()));
}

#[test]
fn two_legged_calls_are_signed_with_the_own_key_on_both_links() {
    let bitbucket = bitbucket("http://127.0.0.1:9080");
    let key = VerificationKey::Rsa(bitbucket.0.own_private_key.public_key());
    for kind in LinkKind::ALL {
        let wanted = Wanted::get("/api/me?x=1");
        let call = bitbucket
            .prepare(kind, As::InTheNameOf("bob b"), &wanted)
            .unwrap()
            .call;
        assert_eq!(call.target, "/api/me?x=1&xoauth_requestor_id=bob%20b");
        let authorization = field(&call, "authorization").unwrap();
        assert!(authorization.contains("oauth_token=\"\"") && !authorization.contains("xoauth"));
        assert!(authorization.contains("oauth_consumer_key=\"Stash%3A1\""));
        verified(&bitbucket, &call, &key, None);
    }
    let unconnected = bitbucket.prepare(LinkKind::Form, As::Me, &Wanted::get("/"));
    assert!(matches!(unconnected, Err(CallError::NotConnected)));
}

#[tokio::test]
async fn a_token_call_is_a_form_without_authorization() {
    let address = provider(
        200,
        "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true",
    )
    .await;
    let bitbucket = bitbucket(&format!("http://{address}"));
    let attempt = bitbucket.ask_request_token(LinkKind::Form).await.unwrap();
    assert_eq!(attempt.outcome.unwrap().as_str(), "t");
    let head = attempt.exchange.sent_head();
    assert!(head.starts_with("POST /oauth/request-token HTTP/1.1\n"), "{head}");
    assert!(!head.contains("Authorization"), "{head}");
    let sent = form::read(attempt.exchange.sent_body());
    let names: Vec<_> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.iter().all(|name| name.starts_with("oauth_")), "{names:?}");
    assert_eq!(
        form::value(&sent, "oauth_callback"),
        Some(bitbucket.callback(LinkKind::Form).as_str())
    );
    assert!(bitbucket.link(LinkKind::Form).asked("t").is_some());
}

#[tokio::test]
async fn an_answer_that_only_looks_like_success_wins_nothing() {
    for (status, answer) in [
        (302, ""),
        (200, "oauth_token=t&oauth_token_secret=s"),
        (
            200,
            "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=TRUE",
        ),
        (200, "oauth_token=t&oauth_callback_confirmed=true"),
    ] {
        let address = provider(status, answer).await;
        let bitbucket = bitbucket(&format!("http://{address}"));
        let attempt = bitbucket.ask_request_token(LinkKind::Form).await.unwrap();
        assert!(matches!(attempt.outcome, Err(Trouble::Unreadable(_))), "{answer}");
    }
}

#[tokio::test]
async fn the_page_works_before_anything_is_connected() {
    let bitbucket = bitbucket("http://127.0.0.1:1");
    let router = super::router(bitbucket.clone());
    let open = async |request: Request<Body>| {
        let answer = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (
            parts.status,
            parts.headers,
            String::from_utf8(body.to_vec()).unwrap(),
        )
    };
    let (status, _, page) = open(Request::get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("not connected") && page.contains("alice-password"),
        "{page}"
    );
    assert!(page.contains("href=\"http://127.0.0.1:1/oauth/admin\""), "{page}");

    let press =
        Request::post("/links/form/me").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let (status, headers, _) = open(press.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (status, &headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/#event-1".parse().unwrap())
    );
    let (_, _, page) = open(Request::get("/").body(Body::empty()).unwrap()).await;
    assert!(page.contains("the link is not connected"), "{page}");

    let foreign = Request::post("/links/form/me").header("sec-fetch-site", "cross-site");
    assert_eq!(
        open(foreign.body(Body::empty()).unwrap()).await.0,
        StatusCode::FORBIDDEN
    );

    let info = Request::get("/plugins/servlet/oauth/consumer-info")
        .body(Body::empty())
        .unwrap();
    let (_, headers, xml) = open(info).await;
    assert_eq!(headers[header::CONTENT_TYPE], "application/xml");
    let key = bitbucket.0.own_private_key.public_key().to_base64();
    assert!(
        xml.contains("<key>Stash:1</key>") && xml.contains(&format!("<publicKey>{key}</publicKey>")),
        "{xml}"
    );
}

//! The endpoints have one spelling each: any other path is the application's, under its routes.

use crate::support::{CALLBACK, Linkgate, Peer, Request, Setup, Text as _};

const SPELLINGS: &str = "
/oauth/%72equest-token /oauth/request-token/ /oauth//request-token //oauth/request-token
/OAuth/request-token /oauth/./request-token /x/../oauth/access-token /oauth/access-token;x=1
/oauth/%61uthorize /oauth/request%2Dtoken
";

/// A choice: an endpoint has one spelling, as it is the one that consumers sign.
#[tokio::test]
async fn another_spelling_of_an_endpoint_gives_no_token() {
    let linkgate = Linkgate::start().await;
    for path in SPELLINGS.split_whitespace() {
        let call = Peer::robot()
            .call(&linkgate, "POST", path)
            .oauth("oauth_callback", CALLBACK);
        let sent = call.request_with("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let forged = sent.send(linkgate.address).await;
        forged.assert_refused("signature_invalid");
        // Signed, it is told how the endpoints are spelt, before anything is said of two-legged calls.
        for call in [
            call.clone(),
            call.without("oauth_callback").oauth("oauth_verifier", "v"),
        ] {
            for peer in [Peer::robot(), Peer::hmac()] {
                let call = call.clone().oauth("oauth_consumer_key", &peer.consumer_key);
                let sent = call.keyed(peer.key);
                let answer = sent.refused(&linkgate, "parameter_rejected").await;
                let advice = answer.value("oauth_problem_advice").unwrap();
                advice.has("/oauth/request-token and /oauth/access-token");
            }
        }
        // Unsigned, it arrives without a user.
        let request = Request::get(path).header("Remote-User", "alice");
        let unsigned = request.send(linkgate.address).await;
        assert_eq!(unsigned.status, 200);
        assert_eq!(linkgate.app.last().header("remote-user"), [""; 0]);
    }
    let found = linkgate
        .database()
        .texts("select callback from request_tokens".to_owned())
        .await;
    assert_eq!(found, [""; 0]);
}

#[tokio::test]
async fn one_family_of_paths_is_not_signed_for_the_other() {
    let linkgate = Linkgate::start().await;
    let call = |path: &str| {
        Peer::hmac()
            .call(&linkgate, "POST", path)
            .oauth("oauth_callback", CALLBACK)
            .in_form()
    };
    let mut moved = call("/oauth/request-token").request(&linkgate);
    moved.target = "/plugins/servlet/oauth/request-token".to_owned();
    moved.refused(linkgate.address, "signature_invalid").await;
    let mut moved = call("/oauth/request-token").request(&linkgate);
    moved.target = "/oauth/access-token".to_owned();
    moved.refused(linkgate.address, "signature_invalid").await;
    for path in ["/oauth/request-token", "/plugins/servlet/oauth/request-token"] {
        call(path).passes(&linkgate).await;
    }
}

/// Ways to write paths that an application may read as one below `/api`.
const GUARDED: &str = "
/api/x /API/x //api/x /static/../api/x /static/%2e%2e/api/x /static/..%2fapi/x /static/..;/api/x
/static/..%5capi/x /%61pi/x /%2561pi/x /x/..//api/./x /%u0061pi/x /%U0061pi/x /static/..%u002fapi/x
/%uff41pi/x /%25u0061pi/x /%c1%a1pi/x /%e0%81%a1pi/x /%f0%80%81%a1pi/x /static/..%e0%80%afapi/x
/%ef%bd%81pi/x /static%ef%bc%8f..%ef%bc%8fapi/x /%c3%a1pi/x /a%ffpi/x /a%e2%80%8bpi/x /api./x
/api../x /api. /api%20/x /%20api/x /api%20.%20/x /api%c2%a0/x /api%09/x /api%2e/x /static/..%c0%afapi
/static/..%f0%80%80%afapi /static/;%2f..%2f../api /static\\..\\api\\x /a%c2%adpi /api.../x /static/%ef%bc%8e%ef%bc%8e/api
/./api /../../api /api/ /api/. /api;v=1/x /api%00.png /static/%252e%252e/api/x /%u0061%u0070i
";

#[tokio::test]
async fn a_guarded_path_is_guarded_in_every_reading() {
    let linkgate = Linkgate::start().await;
    for path in GUARDED.split_whitespace() {
        let answer = Request::get(path).send(linkgate.address).await;
        assert_eq!(answer.status, 401, "{path}: {answer:?}");
        answer.header("www-authenticate").unwrap().begins("OAuth realm=");
    }
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn other_paths_of_any_letters_are_open() {
    let linkgate = Linkgate::start().await;
    for path in [
        "/caf%c3%a9.",
        "/caf%e9",
        "/%e6%97%a5%e6%9c%ac/a%20b",
        "/100%",
        "/x/%u",
        "/api.html",
        "/apis",
    ] {
        let answer = Request::get(path).send(linkgate.address).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(linkgate.app.last().line().contains(path), "{path}");
    }
}

#[tokio::test]
async fn an_open_path_passes_without_oauth_and_without_its_header() {
    let linkgate = Linkgate::start().await;
    let call = Peer::robot().call(&linkgate, "GET", "/static/x");
    for request in [
        call.request(&linkgate),
        call.request_with("wrong"),
        call.request(&linkgate),
    ] {
        request.passes(linkgate.address).await;
        let received = linkgate.app.last();
        assert!(received.header("authorization").is_empty());
        assert!(received.header("x-linkgate-consumer").is_empty());
    }
}

/// What a route asks of a request.
async fn asked(linkgate: &Linkgate, request: &Request) -> &'static str {
    let unsigned = request.send(linkgate.address).await.status;
    let forged = request.clone().header("Authorization", "OAuth oauth_nonce=\"n\"");
    match (unsigned, forged.send(linkgate.address).await.status) {
        (401, 400) => "oauth",
        (200, 400) => "oauth-or-passthrough",
        (200, 200) => "none",
        other => panic!("{request:?}: {other:?}"),
    }
}

#[tokio::test]
async fn the_first_rule_decides_and_the_strictest_reading_counts() {
    let linkgate = Setup::new().more(ROUTES).start().await;
    let maze = "/%2525252525252525252e.;//\\%2e%2f".repeat(20);
    let (oauth, either, none) = ("oauth", "oauth-or-passthrough", "none");
    for (method, path, overriding, mode) in [
        ("GET", "/open/door", "", none),
        ("GET", "/open/window", "", oauth),
        ("GET", "/open/door/", "", oauth),
        ("GET", "/open/door/../x", "", oauth),
        ("GET", "/elsewhere", "", either),
        ("GET", maze.as_str(), "", oauth),
        // A spelling of a free path that is not its own gains nothing.
        ("GET", "/static/a", "", none),
        ("GET", "/STATIC/a", "", either),
        ("GET", "//static/a", "", either),
        ("GET", "/static/../a", "", either),
        ("GET", "/static%2fa", "", either),
        // By methods: GET is HEAD as well, and one that a header or its spelling may make of it counts.
        ("GET", "/jobs", "", none),
        ("HEAD", "/jobs", "", none),
        ("POST", "/jobs", "", oauth),
        ("post", "/jobs", "", oauth),
        ("PUT", "/jobs", "", either),
        ("GET", "/jobs", "X-HTTP-Method-Override", oauth),
        ("GET", "/jobs", "x_http_method", oauth),
        ("GET", "/jobs", "X-Method-Override", oauth),
    ] {
        let request = Request::new(method, path).header("X-Other", "x");
        let request = if overriding.is_empty() {
            request
        } else {
            request.header(overriding, "post")
        };
        let found = asked(&linkgate, &request).await;
        assert_eq!(found, mode, "{method} {path} {overriding}");
    }
}

const ROUTES: &str = r#"
[[routes]]
path = "/open/door"
auth = "none"

[[routes]]
path = "/open/**"
auth = "oauth"

[[routes]]
path = "/jobs"
methods = ["POST"]
auth = "oauth"

[[routes]]
path = "/jobs"
methods = ["GET"]
auth = "none"
"#;

/// What a browser asks before another origin's script may call (Fetch, section 3.3.3).
#[tokio::test]
async fn a_preflight_passes_where_a_route_says_so() {
    let linkgate = Setup::new()
        .more("[[routes]]\npath = \"/cors/**\"\nauth = \"oauth\"\npreflight = true\n")
        .start()
        .await;
    let preflight = |path: &str| {
        Request::new("OPTIONS", path)
            .header("Origin", "https://other.example.com")
            .header("Access-Control-Request-Method", "PUT")
    };
    let call = preflight("/cors/x").header("Remote-User", "alice");
    let answer = call.send(linkgate.address).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let received = linkgate.app.only();
    received.head.lacks("alice");
    received.head.lacks("x-linkgate-consumer");
    for request in [
        preflight("/api/x"),
        preflight("/cors/%2e%2e/api/x"),
        preflight("/cors/x").header("X-HTTP-Method-Override", "PUT"),
        preflight("/cors/x").header("Cookie", "session=alice"),
        preflight("/cors/x").header("Authorization", "Basic YTpi"),
        Request::new("OPTIONS", "/cors/x").header("Origin", "https://other.example.com"),
        Request::new("OPTIONS", "/cors/x").header("Access-Control-Request-Method", "PUT"),
        Request::new("PUT", "/cors/x")
            .header("Origin", "https://other.example.com")
            .header("Access-Control-Request-Method", "PUT"),
    ] {
        let answer = request.send(linkgate.address).await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    Peer::of("robot", "wrong")
        .call(&linkgate, "OPTIONS", "/cors/x")
        .refused(&linkgate, "signature_invalid")
        .await;
    assert_eq!(linkgate.app.count(), 1);
}

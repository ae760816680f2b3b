//! What is taken away from a message, and what is written.

use std::net::SocketAddr;

use axum::body::Body;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use linkgate::gateway::{PathPattern, Route, RouteMode, Routes};
use tokio::net::TcpStream;

use super::signed::authorization;
use super::{exchange, get, start, start_behind_proxy, started, status};
use crate::support::{App, Linked, Received, Request as Raw};

#[tokio::test]
async fn identity_headers_of_clients_are_removed() {
    let (app, gateway) = started().await;
    let said = "Remote-User: a\r\nREMOTE_USER: a\r\nX_Remote_User: a\r\nX-Forwarded-User: a\r\n\
                X-Forwarded-Preferred-Username: a\r\nX-Auth-Request-Email: a\r\nx_linkgate_user: a\r\n\
                X-Linkgate-Assertion: a\r\nX.Linkgate.Consumer: a\r\nX-Mine: kept\r\n";
    for path in ["/page", "/static/a.css"] {
        assert_eq!(status(&get(gateway, path, said).await), "200");
        let request = app.last();
        let names = "forwarded host x-forwarded-for x-forwarded-host x-forwarded-proto x-linkgate-via x-mine";
        assert_eq!(request.names(), names, "{path}");
    }
}

/// Each name that some application believes, as CGI may spell it: within three requests, for a head has 100 fields at most.
#[tokio::test]
async fn every_name_is_taken_away_in_every_spelling() {
    let (app, gateway) = started().await;
    for separator in ["-", "_", "."] {
        let lines = IDENTITY
            .split_whitespace()
            .map(|name| format!("{}: mallory\r\n", name.replace('-', separator)));
        let sent: String = lines.collect();
        for target in ["/page", "/static/a.css", "/api/x"] {
            ask(gateway, target, &sent).await;
            let head = app.last().head;
            assert!(!head.contains("mallory"), "{target}: {head}");
        }
    }
    // A name of the administrator's own is one of them.
    let own = "itself = true\n[identity]\nheaders = { user = \"_My-User\" }";
    let linked = Linked::with_peer(app.address, own).await;
    let names = ["_my-user", "-my_user", ".My.User", "remote-user"];
    let request = names
        .iter()
        .fold(Raw::get("/page"), |request, name| request.header(name, "mallory"));
    let answer = request.header("my-user", "kept").send(linked.address).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let received = linked.app.only();
    let found = (received.header("my-user"), received.head.contains("mallory"));
    assert_eq!(found, (vec!["kept"], false));
}

#[tokio::test]
async fn a_signed_call_claims_no_user() {
    let app = App::start().await;
    let (stranger, trusted) = (start(&app).await, start_behind_proxy(&app).await);
    let harmless =
        "user-agent: a\r\nx-request-id: a\r\nx-atlassian-token: a\r\nif-none-match: a\r\nx-mine: a\r\n";
    let kept: Vec<_> = harmless.trim_end().split("\r\n").collect();
    for gateway in [stranger, trusted] {
        for separator in ["-", "_"] {
            for claims in CLAIMS.lines().map(str::split_whitespace) {
                let claims = claims.map(|name| {
                    format!(
                        "{}: mallory\r\n",
                        name.to_ascii_lowercase().replace('-', separator)
                    )
                });
                let sent = format!("{}{harmless}", claims.collect::<String>());
                hold(&app, gateway, "/api/x", &[(&sent, &kept)]).await;
                let all: Vec<_> = sent.trim_end().split("\r\n").collect();
                hold(&app, gateway, "/x", &[(&sent, &all)]).await;
            }
        }
    }
}

#[tokio::test]
async fn an_administrator_may_remove_more_and_less() {
    let app = App::start().await;
    let mut options = super::options(&app).await;
    let identity =
        "strip = [\"X-My-*\", \"Tailscale-User-Login\"]\nallow = [\"X-User-Locale\", \"X-Real-IP\"]";
    options.identify(identity);
    let stranger = super::serve(options).await;
    let mut options = super::options_behind_proxy(&app).await;
    options.identify(identity);
    let trusted = super::serve(options).await;
    let sent =
        "x-user-locale: de\r\nx-real-ip: 1\r\nx-user-zone: a\r\nx-my-name: a\r\ntailscale-user-login: a\r\n";
    let cases: [(_, _, &[&str]); 4] = [
        (stranger, "/x", &["x-user-locale: de", "x-user-zone: a"]),
        (stranger, "/api/x", &["x-user-locale: de"]),
        (
            trusted,
            "/x",
            &["x-user-locale: de", "x-real-ip: 1", "x-user-zone: a"],
        ),
        (trusted, "/api/x", &["x-user-locale: de", "x-real-ip: 1"]),
    ];
    for (gateway, target, kept) in cases {
        hold(&app, gateway, target, &[(sent, kept)]).await;
    }
}

/// A request with some header lines, signed where it must be, which passes.
async fn ask(gateway: SocketAddr, target: &str, sent: &str) {
    let signed = if target.starts_with("/api") {
        authorization(target)
    } else {
        String::new()
    };
    let answer = get(gateway, target, &format!("{sent}{signed}")).await;
    assert_eq!(status(&answer), "200", "{sent}: {answer}");
}

/// The lines of a request's header that its client sent, in their order.
fn passed(request: &Received) -> Vec<&str> {
    let lines = request.head.trim_end().split("\r\n").skip(1);
    let ours = [
        "forwarded:",
        "host:",
        "x-forwarded-for:",
        "x-forwarded-host:",
        "x-forwarded-proto:",
        "x-linkgate-",
        "remote-user:",
    ];
    lines
        .filter(|line| !ours.iter().any(|name| line.starts_with(name)))
        .collect()
}

/// What is sent with a request, and what the application receives of it.
async fn hold(app: &App, gateway: SocketAddr, target: &str, cases: &[(&str, &[&str])]) {
    for (sent, expected) in cases {
        ask(gateway, target, sent).await;
        assert_eq!(passed(&app.last()), *expected, "{target} {sent}");
    }
}

#[tokio::test]
async fn cookies_and_authorization_pass_but_for_ours() {
    let (app, gateway) = started().await;
    let ours = "Cookie: __Host-linkgate-session=s\r\nCookie: a=b\r\nCookie: linkgate-browser=t;c=d\r\n";
    let cases: [(&str, &[&str]); 6] = [
        ("Cookie: a=b;c=d ; e=\"f\"\r\n", &["cookie: a=b;c=d ; e=\"f\""]),
        ("Cookie: a=b; linkgate-session=s; c=d\r\n", &["cookie: a=b; c=d"]),
        (ours, &["cookie: a=b; c=d"]),
        ("Cookie: linkgate-session=s\r\n", &[]),
        (
            "Cookie: x=linkgate-session; a=b\r\n",
            &["cookie: x=linkgate-session; a=b"],
        ),
        ("Authorization: OAuth2 a\r\n", &["authorization: OAuth2 a"]),
    ];
    hold(&app, gateway, "/x", &cases).await;
    let fields = "Authorization: oauth a=\"b\"\r\nAuthorization: Bearer b\r\nAuthorization: OAUTH\r\n";
    hold(
        &app,
        gateway,
        "/static/x",
        &[(fields, &["authorization: Bearer b"])],
    )
    .await;
}

#[tokio::test]
async fn hop_by_hop_fields_are_removed_and_end_to_end_fields_pass() {
    let (app, gateway) = started().await;
    let named = "Connection: authorization, content-encoding, content-type, cookie, host, X-One\r\n\
                 Connection: x-two, , bad name\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\nAuthorization: Bearer b\r\n\
                 Content-Encoding: a\r\nContent-Type: a/b\r\nCookie: a=b\r\n";
    let kept = [
        "x-three: 3",
        "authorization: Bearer b",
        "content-encoding: a",
        "content-type: a/b",
        "cookie: a=b",
    ];
    let hops = "Keep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: Basic eA==\r\nUpgrade: x\r\nTE: gzip\r\nTrailer: x\r\n";
    let trailers: &[&str] = &["te: trailers", "connection: te"];
    let cases = [
        (named, &kept[..]),
        (hops, &[]),
        ("TE: gzip, Trailers\r\n", trailers),
    ];
    hold(&app, gateway, "/x", &cases).await;
}

/// A proxy that does not clear them passes on what its clients send. The method that was signed is the method.
#[tokio::test]
async fn another_address_path_or_method_passes_where_it_may() {
    let app = App::start().await;
    let (stranger, trusted) = (start(&app).await, start_behind_proxy(&app).await);
    let rewriting = "x-real-ip: 1\r\nx-client-ip: 1\r\ntrue-client-ip: 1\r\nx-host: 1\r\nx-original-host: 1\r\n\
                     x-original-uri: 1\r\nx-original-url: 1\r\nx-rewrite-url: 1\r\nx-forwarded-prefix: 1\r\nx-other: 1\r\n";
    let ours = "x_forwarded_for: 1\r\nX.Forwarded.Host: 1\r\nx_forwarded_proto: 1\r\n";
    for target in ["/x", "/api/x", "/static/x"] {
        for gateway in [stranger, trusted] {
            let cases: [(&str, &[&str]); 2] = [(rewriting, &["x-other: 1"]), (ours, &[])];
            hold(&app, gateway, target, &cases).await;
        }
    }
    let overriding = "x-http-method-override: PUT\r\nx-http-method: PUT\r\nx-method-override: PUT\r\nx_http-method_override: PUT\r\n";
    let all: Vec<_> = overriding.trim_end().split("\r\n").collect();
    hold(&app, stranger, "/x", &[(overriding, &all)]).await;
    hold(&app, stranger, "/api/x", &[(overriding, &[])]).await;
    hold(&app, trusted, "/api/x", &[(overriding, &[])]).await;
}

#[tokio::test]
async fn no_connection_header_removes_what_we_write() {
    let (app, gateway) = started().await;
    let request = "GET /x HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close, X-Forwarded-For, Cookie, X-Hop\r\n\
                   Keep-Alive: 5\r\nTE: gzip\r\nProxy-Authorization: Basic eA==\r\nX-Hop: 1\r\nCookie: a=b\r\n\r\n";
    assert_eq!(status(&exchange(gateway, request.as_bytes()).await), "200");
    let names = "cookie forwarded host x-forwarded-for x-forwarded-host x-forwarded-proto x-linkgate-via";
    assert_eq!(app.only().names(), names);
}

#[tokio::test]
async fn an_answer_loses_its_hop_by_hop_headers_only() {
    let app = App::answering(
        "HTTP/1.1 200 Quite fine\r\nConnection: X-Hop, Set-Cookie\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\
         Location: /a/../b\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let gateway = start(&app).await;
    let answer = get(gateway, "/x", "").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 Quite fine\r\n"), "{head}");
    let mut names: Vec<_> = head
        .lines()
        .skip(1)
        .map(|line| line.split(':').next().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "connection",
            "content-length",
            "date",
            "location",
            "set-cookie",
            "set-cookie"
        ]
    );
    assert_eq!(body, "ok");
}

#[tokio::test]
async fn the_applications_own_authorization_is_its_own() {
    let (app, gateway) = started().await;
    let answer = get(gateway, "/x", "Authorization: Bearer b\r\n").await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert_eq!(app.only().header("authorization"), ["Bearer b"]);
    // Not looked at, and not passed on.
    let oauth = "Authorization: oauth oauth_token=\"a\"\r\n";
    let answer = get(gateway, "/static/x?oauth_token=a", oauth).await;
    assert_eq!(status(&answer), "200", "{answer}");
    let request = app.last();
    assert_eq!(request.header("authorization"), [""; 0]);
    assert_eq!(request.line(), "GET /static/x?oauth_token=a HTTP/1.1");
}

#[tokio::test]
async fn a_route_that_needs_oauth_challenges() {
    let (app, gateway) = started().await;
    for path in [
        "/api",
        "/api/x",
        "//api/x",
        "/API/x",
        "/static/..%2fapi/x",
        "/static/%252e%252e/api",
    ] {
        let answer = get(
            gateway,
            path,
            "Authorization: Basic eA==, OAuth oauth_token=\"a\"\r\n",
        )
        .await;
        assert_eq!(status(&answer), "401", "{path}: {answer}");
        let challenge = "www-authenticate: OAuth realm=\"https%3A%2F%2Fbuilds.example.com\"\r\n";
        assert!(answer.contains(challenge), "{path}: {answer}");
    }
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn a_pattern_matches_whole_segments() {
    let app = App::start().await;
    let route = |path, mode| Route {
        path: PathPattern::parse(path).unwrap(),
        methods: Vec::new(),
        mode,
        preflight: false,
    };
    for (pattern, matching, other) in [
        ("/exact", &["/exact"][..], &["/exact/", "/exactly", "/Exact"][..]),
        ("/exact/", &[], &["/exact"]),
        ("/", &["/"], &["/a"]),
        ("/api/**", &["/api", "/api/", "/api/a/b"], &["/apis", "/"]),
        ("/**", &["/", "/a/b"], &[]),
        ("/a/*/c", &["/a/b/c"], &["/a//c", "/a/b/b/c"]),
        ("/a/*/**", &["/a/b", "/a/b/c"], &["/a", "/a/"]),
    ] {
        let mut options = super::options(&app).await;
        let routes = vec![route(pattern, RouteMode::None), route("/**", RouteMode::OAuth)];
        options.check.routes = Routes(routes);
        let gateway = super::serve(options).await;
        for (paths, expected) in [(matching, "200"), (other, "401")] {
            for path in paths {
                let answer = get(gateway, path, "").await;
                assert_eq!(status(&answer), expected, "{pattern} {path}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn large_and_many_headers_do_no_harm() {
    let (_, gateway) = started().await;
    for (length, answered) in [(50_000, "200"), (60_000, "431")] {
        let long = format!(
            "X-Long: {}\r\nCookie: {}\r\n",
            "a".repeat(length),
            "b".repeat(8_000)
        );
        assert_eq!(status(&get(gateway, "/x", &long).await), answered, "{length}");
    }
    // Too long to be read in every way: it needs what the strictest route needs.
    let dots = format!("/static{}/x", "/%2e%2e".repeat(8_000));
    let begun = std::time::Instant::now();
    assert_eq!(status(&get(gateway, &dots, "").await), "401");
    assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
    for raw in [
        &b"X-Odd: \xff\xfe\r\n"[..],
        b"Forwarded: \xff\r\nConnection: \xff\r\nAccept: \xff\r\n",
        b"Content-Type: \xff\r\n",
    ] {
        let answer = super::ask(gateway, "GET /x", [raw, b"\r\n"].concat()).await;
        assert_eq!(status(&answer), "200", "{raw:?}");
    }
}

#[tokio::test]
async fn http2_arrives_as_http1() {
    let (app, gateway) = started().await;
    let stream = TokioIo::new(TcpStream::connect(gateway).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut ask = |host: Option<&str>| {
        let mut request = Request::get("http://builds.example.com/a/../b?q")
            .header("cookie", "a=b")
            .header("cookie", "c=d")
            .header("remote-user", "mallory");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        client.send_request(request.body(Body::empty()).unwrap())
    };
    assert_eq!(ask(None).await.unwrap().status(), 200);
    assert_eq!(ask(Some("builds.example.com:80")).await.unwrap().status(), 200);
    assert_eq!(ask(Some("other.example")).await.unwrap().status(), 400);
    let received = app.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].line(), "GET /a/../b?q HTTP/1.1");
    assert_eq!(received[0].header("host"), ["builds.example.com"]);
    assert_eq!(received[0].header("cookie"), ["a=b; c=d"]);
    assert_eq!(received[0].header("remote-user"), [""; 0]);
}

/// The names by which applications are told who calls.
const IDENTITY: &str = "remote-user remote-name remote-email remote-groups \
    x-remote-user x-remote-name x-remote-email x-remote-group x-remote-groups \
    x-forwarded-user x-forwarded-preferred-username x-forwarded-email x-forwarded-groups x-forwarded-access-token \
    x-auth-user x-authenticated-user x-webauth-user x-webauth-name x-webauth-email \
    x-linkgate-user x-linkgate-any x-auth-request-email x-auth-request-any x-authentik-username x-authentik-any";

/// What other gateways write about whom they have signed in.
const CLAIMS: &str = "Tailscale-User-Login Tailscale-User-Name Cf-Access-Authenticated-User-Email Cf-Access-Jwt-Assertion \
    X-Goog-Authenticated-User-Email X-Goog-Authenticated-User-Id X-Goog-Iap-Jwt-Assertion X-Amzn-Oidc-Identity \
    X-Amzn-Oidc-Data X-Amzn-Oidc-Accesstoken X-Ms-Client-Principal-Name X-Ms-Client-Principal-Id X-Ms-Client-Principal \
    X-Ms-Token-Aad-Id-Token X-Pomerium-Jwt-Assertion X-Pomerium-Claim-Email\n\
    Sm-User Sm-Universalid Smsession Iv-User Iv-Groups Iv-Creds X-Vouch-User X-Vouch-Idp-Claims-Email Oidc-Claim-Sub \
    X-Userinfo X-Consumer-Username X-Consumer-Custom-Id X-Credential-Identifier X-Anonymous-Consumer \
    Teleport-Jwt-Assertion X-Okta-Username X-Token-Subject X-Id-Token\n\
    Client-Cert Client-Cert-Chain X-Client-Cert X-Ssl-Client-Cert Ssl-Client-S-Dn X-Ssl-Client-Verify X-Client-Dn \
    X-Arr-Clientcert X-Ssl-Cert X-Amzn-Mtls-Clientcert-Subject Auth-User Proxy-User X-User X-Username X-User-Id Username \
    X-Logged-In-User X-Email Mail Uid Eppn X-Shib-Session-Id Mellon-Name-Id X-Saml-Subject X-Roles X-Groups Sudo \
    X-Impersonate-User Impersonate-User";

//! Verdicts for front proxies: first with the sub-requests that each of them sends, then with the proxies themselves.
//!
//! * [`verdicts`]: what a verdict says, and to whom;
//! * [`words`]: which headers of which proxy are used;
//! * [`repeats`]: one request, asked about twice;
//! * [`unseen`]: bodies that were not shown;
//! * [`nginx`], [`caddy`], [`envoy`]: the proxies, with the configuration that `config/deploy` gives to administrators;
//! * [`deploy`]: the rest of that folder.

mod caddy;
mod deploy;
mod envoy;
mod nginx;
mod repeats;
mod unseen;
mod verdicts;
mod words;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::support::{Linkgate, Peer, Request, Response, Setup};

const BASE: &str = "https://builds.example.com";

/// One that trusts the proxy that the test is.
async fn start() -> Linkgate {
    setup().start().await
}

const fn setup() -> Setup {
    Setup::new().base(BASE).trusting()
}

/// What nginx asks about a client's request. It has a number of its own for each.
fn by_nginx(client: &Request, id: &str) -> Request {
    let sub = Request::get("/forward-auth/nginx")
        .header("X-Original-URL", format!("{BASE}{}", client.target))
        .header("X-Original-Method", &client.method)
        .header("X-Request-Id", id)
        .header("X-Real-IP", "192.0.2.7");
    with_headers_of(client, sub)
}

/// What Traefik and Caddy ask; Traefik shows a body if it is told to.
fn by_traefik(client: &Request) -> Request {
    let sub = Request::get("/forward-auth")
        .header("X-Forwarded-Method", &client.method)
        .header("X-Forwarded-Uri", &client.target)
        .header("X-Forwarded-Host", "builds.example.com")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-For", "192.0.2.7");
    with_headers_of(client, sub)
}

/// What Envoy asks: the request itself, with its body if it is told to show it.
fn by_envoy(client: &Request) -> Request {
    let target = format!("/forward-auth/envoy{}", client.target);
    let sub = Request::new(&client.method, target)
        .header("Host", "builds.example.com")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-For", "192.0.2.7");
    with_headers_of(client, sub)
}

/// The same by all three.
fn by_each(client: &Request) -> [Request; 3] {
    [by_nginx(client, "1"), by_traefik(client), by_envoy(client)]
}

fn with_headers_of(client: &Request, mut sub: Request) -> Request {
    sub.headers.extend(client.headers.clone());
    sub
}

/// Sends a request from another address of this machine.
async fn send_from(address: &str, request: &Request, to: SocketAddr) -> Response {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    stream.write_all(&request.bytes(to)).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    Response::read(&answer)
}

/// Asserts that a verdict lets the request pass, and returns the headers that say as whom; those without a value as such.
#[track_caller]
fn passes(verdict: &Response) -> Vec<(&str, &str)> {
    let (status, length) = match verdict.header("x-envoy-auth-headers-to-remove") {
        Some(_) => (200, Some("0")),
        None => (204, None),
    };
    let found = (verdict.status, verdict.body.as_str());
    assert_eq!(found, (status, ""), "{verdict:?}");
    assert_eq!(verdict.header("content-length"), length, "a verdict has no body");
    let says = |name: &str| name.starts_with("x-linkgate-") || name == "remote-user";
    let headers = verdict.headers.iter().filter(|(name, _)| says(name));
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    headers.sort_unstable();
    headers
}

/// A two-legged call that names the public host.
fn signed(linkgate: &Linkgate, method: &str, target: &str) -> Request {
    let call = Peer::robot().call(linkgate, method, target);
    call.request(linkgate).header("Host", "builds.example.com")
}

/// Asserts that a proxy hands on what linkgate says to a consumer, and nothing to the application.
async fn passes_refusals_on(linkgate: &Linkgate, proxy: SocketAddr) {
    let late = Peer::robot()
        .call(linkgate, "GET", "/api/x")
        .oauth("oauth_timestamp", "1700000000");
    let late = late.request(linkgate).header("Host", "builds.example.com");
    late.send(proxy).await.assert_refused("timestamp_refused");
    let unsigned = Request::get("/api/x").header("Host", "builds.example.com");
    let unsigned = unsigned.send(proxy).await;
    assert_eq!(unsigned.status, 401);
    unsigned.assert_challenged();
    assert!(linkgate.app.received().is_empty());
}

/// A proxy that signs the application's own users in writes `Remote-User` itself, and never on a signed call.
async fn signs_carol_in(linkgate: &Linkgate, proxy: SocketAddr) {
    let unsigned = Request::get("/page").header("Host", "builds.example.com");
    let unsigned = unsigned.header("Remote-User", "mallory");
    for call in [unsigned, signed(linkgate, "GET", "/page")] {
        let answer = call.send(proxy).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let users = linkgate.app.received();
    let users: Vec<_> = users
        .iter()
        .map(|request| request.header("remote-user").concat())
        .collect();
    assert_eq!(users, ["carol", ""], "the robot is no user");
}

/// The identity headers for an unsigned request.
const NOBODY: [(&str, &str); 5] = [
    ("remote-user", ""),
    ("x-linkgate-call", ""),
    ("x-linkgate-consumer", ""),
    ("x-linkgate-name", ""),
    ("x-linkgate-user", ""),
];

/// Targets that proxies like to normalise.
const AWKWARD: &str = "
/api/a/../b /api/./a/.. //api/x /api//x// /api/%2e%2e/%2E /api/a%2fb%2Fc /api/%2f%2e%2e%2fa
/api/a;x=1/b;y /api/it's /api/a!$&()*+,:@=~_-. /api/%7Ea/%41 /api/caf%C3%A9?q=%ff
/api/a%20b?c=d+e%2B /api/a?b=c?d/e//f/../g /api/a?x=1&&x=2&=&y /api/?
";

//! What reaches the application, and what must not: over real sockets, byte for byte.
//!
//! * [`answers`]: where an answer ends, and what is none;
//! * [`any_target`]: every path and query that there can be;
//! * [`targets`]: the request line, and the name under which it was called;
//! * [`headers`]: what is taken away, what is written; [`field_names`]: in which case;
//! * [`from_proxies`]: what a trusted proxy may say of the application's users;
//! * [`bodies`]: forms held, everything else streamed;
//! * [`interim`]: what is said before the answer;
//! * [`smuggling`]: messages that two readers would end in two places;
//! * [`connections`]: reuse, closing, time-outs, web sockets;
//! * [`failures`]: what a client is told when there is no answer;
//! * [`signed`]: calls that carry OAuth; [`impersonated`]: those in a user's name;
//! * [`upstream_tls`]: an application that must prove who it is;
//! * [`verified`]: the samples that check the assertion.

mod absent_users;
mod answers;
mod any_target;
mod bodies;
mod connections;
mod failures;
mod field_names;
mod from_proxies;
mod headers;
mod impersonated;
mod interim;
mod signed;
mod smuggling;
mod targets;
mod upstream_tls;
mod verified;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use linkgate::clock::Clock;
use linkgate::gateway::{
    Assertion, BodyLimits, Gateway, IdentityConfig, PathPattern, Proxy, PublicUrls, Route, RouteMode, Routes,
    SignatureCheck, TrustedProxies, UpstreamConfig,
};
use linkgate::http::listener::{HEAD_TIMEOUT, MAX_HALF_OPEN};
use linkgate::http::{Listener, Socket};
use linkgate::model::UserStatus;
use linkgate::oauth::PublicUrl;
use linkgate::provider::{Directory, Provider, Rules};
use linkgate::store::{Keyring, Store, StoreConfig};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::support::{App, lower_names};

/// A gateway, and the application behind it.
async fn started() -> (App, SocketAddr) {
    let app = App::start().await;
    let gateway = start(&app).await;
    (app, gateway)
}

/// A gateway in front of an application: `/api/**` needs OAuth, `/static/**` does not look at it.
pub(crate) async fn start(app: &App) -> SocketAddr {
    serve(options(app).await).await
}

/// The same, trusting the proxy that the test is.
pub(crate) async fn start_behind_proxy(app: &App) -> SocketAddr {
    serve(options_behind_proxy(app).await).await
}

pub(crate) async fn options_behind_proxy(app: &App) -> Options {
    let mut options = options(app).await;
    let trusted = TrustedProxies(vec!["127.0.0.0/8".parse().unwrap()]);
    let [default, further] = ["https://builds.example.com", "http://inner.example.com:8080"]
        .map(|url| PublicUrl::parse(url).unwrap());
    options.check.public_urls = PublicUrls::new(default, vec![further], trusted);
    options
}

/// What a gateway is made of.
pub(crate) struct Options {
    check: SignatureCheck,
    pub(crate) upstream: UpstreamConfig,
    assertion: Option<Arc<Assertion>>,
    pub(crate) head_timeout: Duration,
    download_timeout: Duration,
    pub(crate) max_half_open: usize,
}

impl Options {
    /// Takes an `[identity]`.
    fn identify(&mut self, identity: &str) {
        let identity: IdentityConfig = toml::from_str(identity).unwrap();
        self.check.identity = Arc::new(identity.headers());
    }
}

pub(crate) async fn options(app: &App) -> Options {
    let url = PublicUrl::parse("https://builds.example.com").unwrap();
    let route = |path, mode| Route {
        path: PathPattern::parse(path).unwrap(),
        methods: Vec::new(),
        mode,
        preflight: false,
    };
    Options {
        check: SignatureCheck {
            provider: Arc::new(provider().await),
            public_urls: PublicUrls::new(url, Vec::new(), TrustedProxies::default()),
            routes: Routes(vec![
                route("/api/**", RouteMode::OAuth),
                route("/static/**", RouteMode::None),
            ]),
            identity: Arc::new(IdentityConfig::default().headers()),
            body_limits: BodyLimits::default(),
        },
        upstream: toml::from_str(&format!("url = \"http://{}\"", app.address)).unwrap(),
        assertion: None,
        head_timeout: HEAD_TIMEOUT,
        download_timeout: Duration::from_mins(1),
        max_half_open: MAX_HALF_OPEN,
    }
}

/// A provider that knows one consumer, which may do everything, and every user but `nobody`.
async fn provider() -> Provider {
    let directory = Directory::new(|subject: String| async move {
        match subject.as_str() {
            "nobody" => UserStatus::NotFound,
            _ => UserStatus::Active {
                display_name: format!("{subject} Example"),
            },
        }
    });
    let rules = Rules::new("https://builds.example.com");
    Provider::new(store().await, keyring(), Clock::System, directory, rules)
}

/// A store that knows one consumer.
async fn store() -> Store {
    let options = StoreConfig::new("sqlite::memory:");
    let store = Store::open(&options, keyring(), Clock::System.now())
        .await
        .unwrap();
    let consumer = signed::consumer();
    store.add_consumer(&consumer, Clock::System.now()).await.unwrap();
    store
}

fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::generate(&mut StdRng::seed_from_u64(1)))
}

/// Behind the listener that the server has as well, so that the tests are about what clients meet.
pub(crate) async fn serve(options: Options) -> SocketAddr {
    let socket = Socket::tcp("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.address().unwrap();
    let gateway = Arc::new(Gateway {
        proxy: Proxy::new(
            &options.upstream,
            Arc::clone(&options.check.identity),
            options.assertion,
        )
        .unwrap(),
        check: options.check,
    });
    let (never, drain) = (CancellationToken::new(), Duration::ZERO);
    let listener = Listener {
        h2c: true,
        head_timeout: options.head_timeout,
        download_timeout: options.download_timeout,
        max_half_open: options.max_half_open,
        ..Listener::clear_text()
    };
    tokio::spawn(listener.serve(socket, gateway.service(), never, drain));
    address
}

/// Sends bytes, and reads until the other side closes. The answer's names are in lower case.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    lower_names(&String::from_utf8(answer).unwrap())
}

/// Sends a request without a body, with some header lines.
pub(crate) async fn get(address: SocketAddr, target: &str, headers: &str) -> String {
    ask(address, &format!("GET {target}"), format!("{headers}\r\n")).await
}

/// Sends a request with this method and target, and what follows the first lines of its head.
pub(crate) async fn ask(address: SocketAddr, line: &str, rest: impl AsRef<[u8]>) -> String {
    let head = format!("{line} HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close\r\n");
    exchange(address, &[head.as_bytes(), rest.as_ref()].concat()).await
}

pub(crate) fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

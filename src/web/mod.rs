//! HTTP FOR PEOPLE AND CONSUMERS: extract, ask the provider or the login, answer.
//!
//! [`public_service`] is what the public listener serves: `access_log` around the `router`, the whole URL map, and around the
//! gateway for every other path. A consumer's requests go to `request_token` and `access_token`, which share `signed`; what
//! was refused, `refusals` keeps for the administrators. A browser's requests:
//!
//! 1. `authorize`: the question of a request token, put to whoever is signed in, and the answer;
//! 2. `login`: who that is, and `trip`, when others are asked for it;
//!    `return_address`: where they go on afterwards;
//! 3. `connections`: what they have connected, and revoke; `admin`: the pages for administrators;
//! 4. `session`: the `cookie` and its table row; `form`: what proves that a form is ours;
//! 5. `pages`: the templates' data, every state in words (`texts`, in three languages; `visit` says in which), and the
//!    headers of a page (`headers`);
//! 6. `links`: the other direction, in which they are asked elsewhere;
//! 7. `look`: name, logo and colours of this installation; `assets`: the files that pages load; `client_ip`: the address of
//!    the browser.
//!
//! `applinks` is what the peers of Application Links ask for, with the paths that they know.

mod access_log;
mod access_token;
mod admin;
mod applinks;
mod assets;
mod authorize;
mod client_ip;
mod connections;
mod cookie;
mod form;
mod headers;
mod links;
mod login;
mod look;
mod pages;
mod refusals;
mod request_token;
mod return_address;
mod session;
mod signed;
mod texts;
mod trip;
mod visit;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{any, get, post};
use rand::CryptoRng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tower::{ServiceExt as _, service_fn};

use crate::clock::Clock;
use crate::gateway::{ForwardAuth, Gateway, ProxyKind, PublicUrls};
use crate::http::HttpService;
use crate::links::Links;
use crate::login::Login;
use crate::oauth::PublicUrl;
use crate::provider::{Keyring, Provider};

pub use admin::Administration;
pub use applinks::Ourselves;
pub use assets::icon;
pub use client_ip::ClientIp;
pub use look::Look;
pub use refusals::Refusals;

use access_log::LoggedRequest;
use visit::Visit;

/// What the pages need.
#[derive(Debug)]
pub struct App {
    /// The use cases.
    pub provider: Arc<Provider>,
    /// What signs cookies and forms.
    pub keyring: Arc<Keyring>,
    /// Who is at the browser.
    pub login: Arc<Login>,
    /// Our public URLs, and the proxies in front of us.
    pub front: PublicUrls,
    /// Where browsers find us.
    pub public_url: PublicUrl,
    /// The application beside us, as its users call it, and how its pages look.
    pub look: Arc<Look>,
    /// The public keys of the identity assertion, as a JWK set; `None`: no assertion is written.
    pub jwks: Option<String>,
    /// Who may see the pages for administrators, and where secrets stand.
    pub administration: Arc<Administration>,
    /// What was refused lately.
    pub refusals: Arc<Refusals>,
    /// What time it is.
    pub clock: Clock,
    /// The other direction.
    pub links: Arc<Links>,
    /// What peers see of us.
    pub peer: Ourselves,
}

/// How a handler asks for the [`App`].
type Shared = axum::extract::State<Arc<App>>;

/// What the public listener serves, in the order in which a request passes it: the access log, then the router or the
/// gateway, which is the signature check and the proxy.
///
/// Only paths that may be linkgate's own meet axum's router: through it, a call to the application would take 2 us more
/// (measured). What the router does not know is the application's as well.
pub fn public_service(
    app: App,
    verdicts: &ForwardAuth,
    gateway: Gateway,
    refusals: Arc<Refusals>,
) -> impl HttpService {
    let gateway = Arc::new(gateway);
    let own = router(app, verdicts).fallback_service(Arc::clone(&gateway).service());
    let shared = Arc::new((own, gateway, refusals));
    service_fn(move |request: Request| {
        let shared = Arc::clone(&shared);
        async move {
            let (own, gateway, refusals) = &*shared;
            let logged = LoggedRequest::new(&request, refusals);
            let response = if is_own_path(request.uri().path()) {
                Box::pin(own.clone().oneshot(request)).await?
            } else {
                gateway.call(request).await
            };
            logged.complete(&response);
            Ok(response)
        }
    })
}

/// Whether a path may be linkgate's own: every route below begins with one of these.
fn is_own_path(path: &str) -> bool {
    const PREFIXES: [&str; 5] = [
        "/oauth/",
        "/plugins/servlet/",
        "/rest/applinks/",
        "/forward-auth",
        "/.well-known/linkgate/",
    ];
    PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}

/// The URL map: token endpoints, pages, documents and verdicts for front proxies.
fn router(app: App, verdicts: &ForwardAuth) -> Router {
    let app = Arc::new(app);
    let tokens = Router::new()
        .route(REQUEST_TOKEN[0], any(request_token::issue))
        .route(REQUEST_TOKEN[1], any(request_token::issue))
        .route(ACCESS_TOKEN[0], any(access_token::issue))
        .route(ACCESS_TOKEN[1], any(access_token::issue));
    let approval = || {
        get(authorize::show)
            .post(authorize::answer)
            .fallback(pages::method_not_allowed)
    };
    let pages = Router::new()
        .route(AUTHORIZE[0], approval())
        .route(AUTHORIZE[1], approval())
        .route(
            LOGIN,
            get(login::show)
                .post(login::sign_in)
                .fallback(pages::method_not_allowed),
        )
        .route(HANDOFF, get(trip::handoff).fallback(pages::method_not_allowed))
        .route(OIDC, get(trip::oidc).fallback(pages::method_not_allowed))
        .route(LOGOUT, post(login::sign_out).fallback(pages::method_not_allowed))
        .route(
            CONNECTIONS,
            get(connections::show).fallback(pages::method_not_allowed),
        )
        .route(
            CONNECTIONS_REVOKE,
            post(connections::revoke).fallback(pages::method_not_allowed),
        )
        .merge(admin::routes())
        .route(
            links::CONNECT,
            get(links::connect).fallback(pages::method_not_allowed),
        )
        .route(links::BACK, get(links::back).fallback(pages::method_not_allowed))
        .route(
            applinks::RECIPROCAL,
            get(applinks::reciprocal).fallback(pages::method_not_allowed),
        )
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(from_fn_with_state(Arc::clone(&app), client_ip::client_ip))
        .layer(map_response(headers::page));
    let documents = Router::new()
        .route("/oauth/assets/{name}", get(assets::serve))
        .route("/.well-known/linkgate/jwks.json", get(assets::jwks));
    tokens
        .merge(pages)
        .merge(documents)
        .merge(applinks::documents())
        .with_state(app)
        .merge(forward_auth(verdicts))
}

/// Verdicts for front proxies. Envoy appends the path that it asks about, byte for byte: no handler extracts it.
fn forward_auth(verdicts: &ForwardAuth) -> Router {
    let ask = |kind: ProxyKind| {
        let verdicts = verdicts.clone();
        any(
            async move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
                verdicts.answer(kind, request, peer).await
            },
        )
    };
    Router::new()
        .route("/forward-auth", ask(ProxyKind::XForwarded))
        .route("/forward-auth/nginx", ask(ProxyKind::Nginx))
        .route(ProxyKind::ENVOY_PREFIX, ask(ProxyKind::Envoy))
        .route(&format!("{}/", ProxyKind::ENVOY_PREFIX), ask(ProxyKind::Envoy))
        .route(
            &format!("{}/{{*path}}", ProxyKind::ENVOY_PREFIX),
            ask(ProxyKind::Envoy),
        )
}

impl App {
    /// A path of ours as the browser must write it: behind the path that a proxy in front strips.
    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.path_prefix())
    }

    /// A path of ours as others must write it.
    fn absolute(&self, path: &str) -> String {
        format!("{}{}", self.public_url.origin(), self.path(path))
    }

    /// Sends the browser to a path of ours. 303: a form that was posted becomes a plain page.
    fn redirect(&self, path: &str) -> Response {
        headers::see_other(&self.path(path))
    }
}

/// Randomness for what a handler must mint: session ids, cookies, references.
fn randomness() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// The two paths of each endpoint: ours, and the one that AppLinks assume by themselves.
const AUTHORIZE: [&str; 2] = ["/oauth/authorize", "/plugins/servlet/oauth/authorize"];
const REQUEST_TOKEN: [&str; 2] = ["/oauth/request-token", "/plugins/servlet/oauth/request-token"];
const ACCESS_TOKEN: [&str; 2] = ["/oauth/access-token", "/plugins/servlet/oauth/access-token"];
const LOGIN: &str = "/oauth/login";
const HANDOFF: &str = "/oauth/login/handoff";
const OIDC: &str = "/oauth/login/oidc";
const LOGOUT: &str = "/oauth/logout";
const ADMIN: &str = "/oauth/admin";
const CONNECTIONS: &str = "/oauth/connections";
const CONNECTIONS_REVOKE: &str = "/oauth/connections/revoke";

/// In bytes. Our forms hold a name, a password and a few tokens.
const LARGEST_FORM: usize = 16 * 1024;

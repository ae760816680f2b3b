//! HTTP FOR PEOPLE AND CONSUMERS: extract, ask the provider or the login, answer.
//!
//! The whole URL map stands in [`router`]; `site` asks it, or the gateway, or who answers front proxies. `listener` accepts
//! connections for that and deals them out to `lanes`, each a `conversation`; `request_log` writes a line for each request and hands
//! what was refused to `refusals`, and `operators` is the other listener's map. A consumer's way through it: `request_token`
//! and `access_token`, which share `signed`. A browser's way through it:
//!
//! 1. `authorize`: the question of a request token, put to whoever is signed in, and the answer;
//! 2. `login`: who that is, and `trip`, when others are asked for it; `attempts`: how often they may try;
//!    `return_address`: where they go on afterwards;
//! 3. `connections`: what they have connected, and revoke; `admin`: the pages for administrators;
//! 4. `session`: the `cookie` and its table row; `form`: what proves that a form is ours;
//! 5. `pages`: the templates' data, every state in words (`texts`, in three languages; `visit` says in which), and the
//!    headers of a page (`headers`);
//! 6. `links`: the other direction, in which they are asked elsewhere;
//! 7. `look`: name, logo and colours of this installation; `assets`: the files that pages load; `reference` ties a page to its line in the log;
//!    `client_address`: where the browser is.
//!
//! `applinks` is what the peers of Application Links ask for, with the paths that they know.

mod access_token;
mod admin;
mod applinks;
mod arrival;
mod assets;
mod attempts;
mod authorize;
mod client_address;
mod connections;
mod conversation;
mod cookie;
mod form;
mod headers;
mod lanes;
mod links;
mod listener;
mod login;
mod look;
mod operators;
mod pages;
mod reference;
mod refusals;
mod request_log;
mod request_token;
mod return_address;
mod session;
mod signed;
mod site;
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

use crate::clock::Clock;
use crate::gateway::{Gateway, PublicUrls};
use crate::links::Links;
use crate::login::Login;
use crate::oauth::PublicUrl;
use crate::provider::Provider;
use crate::store::{Keyring, Store};

pub use admin::Administration;
pub use applinks::Ourselves;
pub use assets::icon;
pub use client_address::ClientAddress;
pub use lanes::Lanes;
pub use listener::{serve, serve_router};
pub use look::Look;
pub use operators::operators;
pub use refusals::Refusals;
pub use session::SessionRules;
pub use site::Site;

use visit::Visit;

/// What the pages need.
#[derive(Debug)]
pub struct App {
    /// The use cases.
    pub provider: Arc<Provider>,
    /// Where browser sessions are kept.
    pub store: Store,
    /// What signs cookies and forms.
    pub keyring: Arc<Keyring>,
    /// Who is at the browser.
    pub login: Arc<Login>,
    /// How long they stay signed in, and how often they may try.
    pub sessions: SessionRules,
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

/// The URL map: token endpoints, pages, and the guarded application behind everything else. How a path of ours begins, and
/// where verdicts are asked for, `site` knows.
pub fn router(app: App, gateway: Gateway) -> Router {
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
        .layer(from_fn_with_state(Arc::clone(&app), arrival::know))
        .layer(map_response(headers::page));
    let documents = Router::new()
        .route("/oauth/assets/{name}", get(assets::serve))
        .route("/.well-known/linkgate/jwks.json", get(assets::jwks));
    let guarded = move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| async move {
        let (mut response, caller) = gateway.call(request, peer).await;
        if let Some(caller) = caller {
            response.extensions_mut().insert(caller);
        }
        response
    };
    tokens
        .merge(pages)
        .merge(documents)
        .merge(applinks::documents())
        .fallback(guarded)
        .with_state(app)
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

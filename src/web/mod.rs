//! HTTP for users, consumers and remote applications: the pages, the token endpoints and the documents of AppLinks.
//!
//! [`public_service`] is what the public listener serves: `access_log` around the `router`, which is the URL map, and around
//! the gateway for every other path.
//!
//! * Consumers: `token_endpoints`.
//! * Users, a file for each page: `authorize`, `login` (`login_redirect`: with a login service), `connections`, `links`
//!   (connecting an outgoing link); `admin`: the pages for administrators, of which one shows the `recent_rejections`.
//! * Remote applications: `applinks`. Browsers: `assets`.
//! * What pages are made of: `i18n` (texts and languages), `text` (names of others), `render` (layout, header fields), `error`
//!   (every other page), `extract` and `session` (extractors), `csrf`, `cookies`, `return_to`.

mod access_log;
mod admin;
mod applinks;
mod assets;
mod authorize;
mod connections;
mod cookies;
mod csrf;
mod error;
mod extract;
mod i18n;
mod links;
mod login;
mod login_redirect;
mod recent_rejections;
mod render;
mod return_to;
mod session;
mod text;
mod token_endpoints;

#[cfg(test)]
mod tests;

use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, OriginalUri, Request};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderValue, Method, Uri};
use rand::CryptoRng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt as _, service_fn};

use crate::clock::Clock;
use crate::gateway::{ForwardAuth, Gateway, ProxyKind, PublicUrls};
use crate::http::HttpService;
use crate::links::Links;
use crate::login::Login;
use crate::oauth::{PathPrefix, PublicUrl};
use crate::provider::{Keyring, Provider};

pub use admin::Administration;
pub use applinks::AppLinksIdentity;
pub use assets::{CurrentBranding, icon};
pub use recent_rejections::RecentRejections;

use access_log::LoggedRequest;
use cookies::Cookie;
use error::ErrorKind;

/// The parts that the handlers use.
#[derive(Debug)]
pub struct App {
    /// The use cases.
    pub provider: Arc<Provider>,
    /// Signs cookies and forms.
    pub keyring: Arc<Keyring>,
    /// The login method.
    pub login: Arc<Login>,
    /// The public URLs, and the trusted proxies.
    pub front: PublicUrls,
    /// The default public URL.
    pub public_url: PublicUrl,
    /// Where linkgate's own pages and endpoints are.
    pub path_prefix: PathPrefix,
    /// `Strict-Transport-Security` of responses over https; `None`: none is sent.
    pub hsts: Option<HeaderValue>,
    /// The name of the application, and the look of its pages.
    pub branding: CurrentBranding,
    /// The public keys of the identity assertion, as a JWK set; `None` if there is no assertion.
    pub jwks: Option<String>,
    /// The administrators, and where secrets are.
    pub administration: Administration,
    /// Recently rejected requests.
    pub rejections: RecentRejections,
    /// The time.
    pub clock: Clock,
    /// Outgoing links.
    pub links: Arc<Links>,
    /// This installation towards remote applications.
    pub identity: AppLinksIdentity,
}

/// How a handler extracts the [`App`].
type Shared = axum::extract::State<Arc<App>>;

/// What the public listener serves, in the order in which a request passes it: the access log, then the router or the
/// gateway, which is the signature check and the proxy.
///
/// Only paths that may be linkgate's own meet axum's router: through it, a call to the application would take 2 us more
/// (measured). What the router does not know is the application's as well.
pub fn public_service(app: Arc<App>, verdicts: &ForwardAuth, gateway: Gateway) -> HttpService {
    let gateway = Arc::new(gateway);
    let as_it_arrived = |mut request: Request| {
        if let Some(OriginalUri(uri)) = request.extensions_mut().remove() {
            *request.uri_mut() = uri;
        }
        request
    };
    let unknown = Arc::clone(&gateway).service().map_request(as_it_arrived);
    let own = router(Arc::clone(&app), verdicts).fallback_service(unknown);
    let shared = Arc::new((app, own, gateway));
    BoxCloneSyncService::new(service_fn(move |mut request: Request| {
        let shared = Arc::clone(&shared);
        async move {
            let (app, own, gateway) = &*shared;
            let logged = LoggedRequest::new(&request, &app.rejections);
            let response = if let Some(uri) = own_uri(app, gateway, &request) {
                let arrived = OriginalUri(mem::replace(request.uri_mut(), uri));
                request.extensions_mut().insert(arrived);
                Box::pin(own.clone().oneshot(request)).await?
            } else {
                let cookies = request.headers().get_all(COOKIE).iter();
                let cookies: Vec<_> = cookies.cloned().collect();
                admin::name_upstream(app, cookies, gateway.call(request).await).await
            };
            logged.complete(&response);
            Ok(response)
        }
    }))
}

/// The URI by which the router knows a request, if it may be linkgate's own: below the prefix, or where AppLinks and front
/// proxies expect it. Every route below begins with one of these.
fn own_uri(app: &App, gateway: &Gateway, request: &Request) -> Option<Uri> {
    const FIXED: [&str; 3] = ["/plugins/servlet/", "/rest/applinks/", "/.well-known/linkgate/"];
    let arrived = request.uri().path();
    let path = app.public_url.relative(arrived);
    let path = if arrived.starts_with("/forward-auth") {
        arrived.to_owned()
    } else if FIXED.iter().any(|prefix| path.starts_with(prefix)) {
        path.to_owned()
    } else {
        app.path_prefix.find(path)?
    };
    if HOME.contains(&&*path) && !is_home(app, gateway, request) {
        return None;
    }
    let query = request.uri().query().map(|query| format!("?{query}"));
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some((path + &query.unwrap_or_default()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Whether linkgate redirects a request for `/oauth`: its browser has a session, and no route of the configuration names the
/// path. Otherwise the path is the application's.
fn is_home(app: &App, gateway: &Gateway, request: &Request) -> bool {
    [Method::GET, Method::HEAD].contains(request.method())
        && !gateway.check.routes.name(&app.path_prefix.place(HOME[0]))
        && Cookie::Session.get(app, request.headers()).is_some()
}

/// The URL map. Paths that it does not have, and paths below them, are the application's.
fn router(app: Arc<App>, verdicts: &ForwardAuth) -> Router {
    let approval = || get(authorize::show).post(authorize::answer);
    let users = Router::new();
    #[cfg(feature = "oidc")]
    let users = users.route(OIDC, get(login_redirect::oidc));
    let users = users
        .route(AUTHORIZE[0], approval())
        .route(AUTHORIZE[1], approval())
        .route(LOGIN, get(login::show).post(login::sign_in))
        .route(HANDOFF, get(login_redirect::handoff))
        .route(LOGOUT, post(login::sign_out))
        .route(CONNECTIONS, get(connections::show))
        .route(CONNECTIONS_REVOKE, post(connections::revoke))
        .route(links::CONNECT, get(links::connect))
        .route(links::CALLBACK, get(links::callback))
        .route(applinks::RECIPROCAL, get(applinks::reciprocal))
        .merge(admin::routes())
        .method_not_allowed_fallback(async || ErrorKind::MethodNotAllowed.page())
        .route(applinks::WHOAMI, get(applinks::whoami))
        .route(HOME[0], get(admin::home))
        .route(HOME[1], get(admin::home))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(from_fn_with_state(Arc::clone(&app), extract::request_origin))
        .layer(from_fn_with_state(Arc::clone(&app), error::pages));
    let consumers = Router::new()
        .route(REQUEST_TOKEN[0], any(token_endpoints::request_token))
        .route(REQUEST_TOKEN[1], any(token_endpoints::request_token))
        .route(ACCESS_TOKEN[0], any(token_endpoints::access_token))
        .route(ACCESS_TOKEN[1], any(token_endpoints::access_token))
        .layer(from_fn_with_state(Arc::clone(&app), extract::request_origin));
    let documents = Router::new()
        .route("/oauth/assets/{name}", get(assets::serve))
        .route("/.well-known/linkgate/jwks.json", get(assets::jwks))
        .merge(applinks::documents());
    users
        .merge(consumers)
        .merge(documents)
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
    /// A path of this site as browsers request it: below the path of the public URL, and linkgate's own below its prefix.
    fn path(&self, path: &str) -> String {
        self.below_public_url(&self.path_prefix.place(self.public_url.relative(path)))
    }

    /// A path of this site as browsers request it, also if it is not linkgate's.
    fn below_public_url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.path_prefix())
    }

    /// A path of linkgate as a URL.
    fn absolute(&self, path: &str) -> String {
        format!("{}{}", self.public_url.origin(), self.path(path))
    }

    /// Redirects the browser to a path of linkgate, with GET.
    fn redirect(&self, path: &str) -> Response {
        render::see_other(&self.path(path))
    }

    /// Authenticates the values of a cookie or a form: a code that is good for this purpose only.
    fn mac(&self, purpose: &str, values: &[&str]) -> String {
        let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
        URL_SAFE_NO_PAD.encode(self.keyring.mac(purpose, &values))
    }

    /// Checks a code of [`App::mac`], in constant time.
    fn mac_matches(&self, purpose: &str, values: &[&str], mac: &str) -> bool {
        let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
        let mac = URL_SAFE_NO_PAD.decode(mac);
        mac.is_ok_and(|mac| self.keyring.mac_matches(purpose, &values, &mac))
    }
}

/// Randomness for cookies and sign-in attempts.
fn randomness() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// The two paths of each endpoint: linkgate's, and the one that AppLinks assume.
const AUTHORIZE: [&str; 2] = ["/oauth/authorize", "/plugins/servlet/oauth/authorize"];
const REQUEST_TOKEN: [&str; 2] = ["/oauth/request-token", "/plugins/servlet/oauth/request-token"];
const ACCESS_TOKEN: [&str; 2] = ["/oauth/access-token", "/plugins/servlet/oauth/access-token"];
/// Where users may look for linkgate.
const HOME: [&str; 2] = ["/oauth", "/oauth/"];
const LOGIN: &str = "/oauth/login";
const HANDOFF: &str = "/oauth/login/handoff";
#[cfg(feature = "oidc")]
const OIDC: &str = "/oauth/login/oidc";
const LOGOUT: &str = "/oauth/logout";
const ADMIN: &str = "/oauth/admin";
const CONNECTIONS: &str = "/oauth/connections";
const CONNECTIONS_REVOKE: &str = "/oauth/connections/revoke";

/// Bytes of a form: a name, a password and a few tokens.
const MAX_FORM: usize = 16 * 1024;

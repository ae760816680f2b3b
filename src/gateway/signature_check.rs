//! The guard: a tower middleware that lets a request through when nobody lies in it.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use tower::{Layer, Service};

use super::body_limits::BodyLimits;
use super::error::GatewayError;
use super::identity_headers::IdentityHeaders;
use super::onward;
use super::origin::{PublicUrls, RequestOrigin};
use super::routes::{RouteMode, Routes};
use crate::oauth::header;
use crate::provider::{self, Caller, Judged, Provider};

/// What the guard goes by.
#[derive(Clone, Debug)]
pub struct GuardOptions {
    /// Who decides whether a signature is true.
    pub provider: Arc<Provider>,
    /// Our public URLs, and the proxies in front of us.
    pub front: PublicUrls,
    /// Which requests need OAuth.
    pub routes: Routes,
    /// The headers that nobody but us may write.
    pub identity: Arc<IdentityHeaders>,
    /// How much of a form is held.
    pub form: BodyLimits,
}

/// Puts a [`SignatureCheck`] in front of a service: the middleware for axum programs of your own.
///
/// # Examples
///
/// ```
/// # use std::collections::BTreeSet;
/// # use std::sync::Arc;
/// # use axum::{Extension, Router, body::Body, routing::get};
/// # use http::{Request, StatusCode, header::AUTHORIZATION};
/// # use linkgate::clock::Clock;
/// # use linkgate::gateway::{
/// #     BodyLimits, PublicUrls, GuardLayer, GuardOptions, IdentityHeaders, Routes, TrustedProxies,
/// # };
/// # use linkgate::model::{Consumer, ConsumerSource};
/// # use linkgate::oauth::{
/// #     Call, ConsumerKey, PublicUrl, Secret, SignatureMethod, Signer, SigningKey, VerificationKey, header,
/// # };
/// # use linkgate::provider::{Caller, Directory, Provider, Rules, Standing};
/// # use linkgate::store::{Keyring, Options, Store};
/// # use tower::ServiceExt as _;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Whom we know: a store with a consumer, which calls as itself.
/// let keyring = Arc::new(Keyring::generate(&mut rand::rng()));
/// let memory = Options { url: "sqlite::memory:".to_owned(), password: None, max_connections: 1 };
/// let store = Store::open(&memory, Arc::clone(&keyring)).await?;
/// let key = ConsumerKey::parse("robot").ok_or("a key")?;
/// let robot = Consumer {
///     keys: vec![VerificationKey::Hmac(Secret::new("shared secret"))],
///     methods: BTreeSet::from([SignatureMethod::HmacSha1]),
///     two_legged: true,
/// #   key: key.clone(), name: "Robot".to_owned(), callbacks: vec![], default_callback: None, two_legged_user: None,
/// #   impersonation: false, session_handles: false, require_body_hash: false, addresses: vec![], enabled: true,
///     source: ConsumerSource::Command,
///     // ..
/// };
/// store.add_consumer(&robot, Clock::System.now()).await?;
/// let users = Directory::new(|_| async { Standing::CannotSay });
/// let provider = Provider::new(store, keyring, Clock::System, users, Rules::new("https://api.example.com"));
///
/// // A router of yours, behind the guard. Whoever comes with a true signature is a `Caller`.
/// let url = PublicUrl::parse("https://api.example.com")?;
/// let guard = GuardLayer::new(GuardOptions {
///     provider: Arc::new(provider),
///     front: PublicUrls::new(url, vec![], TrustedProxies::default()),
///     routes: Routes::new(vec![]), // every path: with OAuth, or without
///     identity: Arc::new(IdentityHeaders::remote_user()),
///     form: BodyLimits::default(),
/// });
/// let hello = |caller: Option<Extension<Caller>>| async move {
///     caller.map_or("nobody".to_owned(), |Extension(caller)| caller.consumer.name.clone())
/// };
/// let app = Router::new().route("/hello", get(hello)).layer(guard);
///
/// // A signed call comes through; one that was changed on its way is refused.
/// let robot = Signer::new(key, SigningKey::Hmac(Secret::new("shared secret")), SignatureMethod::HmacSha1);
/// let call = Call::new("GET", "https://api.example.com/hello?n=1");
/// let signed = header::authorization(robot.two_legged().sign(&call, Clock::System.now(), "a-nonce")?, None);
/// let ask = |target: &str, signed: Option<&str>| {
///     let request = Request::get(target).header("host", "api.example.com");
///     let request = signed.into_iter().fold(request, |request, signed| request.header(AUTHORIZATION, signed));
///     app.clone().oneshot(request.body(Body::empty()).unwrap())
/// };
/// # let read = |answer: http::Response<Body>| async { axum::body::to_bytes(answer.into_body(), 99).await.unwrap() };
/// let changed = ask("/hello?n=2", Some(&signed)).await?;
/// assert_eq!(changed.status(), StatusCode::UNAUTHORIZED);
/// let answer = ask("/hello?n=1", Some(&signed)).await?;
/// assert_eq!(answer.status(), StatusCode::OK);
/// assert_eq!(read(answer).await, "Robot");
/// let replayed = ask("/hello?n=1", Some(&signed)).await?;
/// assert_eq!(replayed.status(), StatusCode::UNAUTHORIZED);
/// assert_eq!(read(ask("/hello", None).await?).await, "nobody");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GuardLayer {
    options: Arc<GuardOptions>,
}

impl GuardLayer {
    /// Takes what the guard goes by.
    pub fn new(options: GuardOptions) -> Self {
        Self {
            options: Arc::new(options),
        }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = SignatureCheck<S>;

    fn layer(&self, inner: S) -> SignatureCheck<S> {
        SignatureCheck {
            inner,
            options: Arc::clone(&self.options),
        }
    }
}

/// Lets requests through to a service, or answers them.
///
/// A request that passes has no identity headers. Its extensions hold an [`RequestOrigin`] and, when it was
/// admitted, the [`Caller`], which the answer's extensions hold as well, for the log; those of a refusal hold the
/// [`RequestOrigin`]. The address of the peer comes from
/// axum's [`ConnectInfo`]; without it no proxy is trusted.
#[derive(Clone, Debug)]
pub struct SignatureCheck<S> {
    inner: S,
    options: Arc<GuardOptions>,
}

impl<S> Service<Request<Body>> for SignatureCheck<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let options = Arc::clone(&self.options);
        // The service that was polled ready is the one that must be called.
        let unpolled = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, unpolled);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let peer = peer(&parts);
            let passed = match options.pass(&mut parts, peer, body).await {
                Ok(passed) => passed,
                Err(refused) => return Ok(refused),
            };
            let Checked { origin, caller, body } = passed;
            parts.extensions.insert(origin);
            if let Some(caller) = caller.clone() {
                parts.extensions.insert(caller);
            }
            let mut response = inner.call(Request::from_parts(parts, body)).await?;
            if let Some(caller) = caller {
                response.extensions_mut().insert(caller);
            }
            Ok(response)
        })
    }
}

/// A request that passes, beside its head.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) origin: RequestOrigin,
    /// Who calls; `None`: a request without OAuth.
    pub(super) caller: Option<Caller>,
    pub(super) body: Body,
}

/// Why a request does not pass.
pub(super) enum Rejection {
    Gateway(GatewayError),
    Provider(provider::Error),
    Challenge,
}

impl GuardOptions {
    /// Prepares the head of a peer's request for the service behind us, and says who calls; or answers in its place.
    pub(super) async fn pass(
        &self,
        parts: &mut Parts,
        peer: Option<IpAddr>,
        body: Body,
    ) -> Result<Checked, Response<Body>> {
        self.identity.strip(&mut parts.headers);
        parts.extensions.remove::<Caller>();
        let origin = onward::refuse_codings(&parts.headers)
            .and_then(|()| self.front.origin(parts, peer))
            .map_err(|fault| fault.to_response(&parts.headers))?;
        match self.admit(parts, &origin, body).await {
            Ok((caller, body)) => Ok(Checked { origin, caller, body }),
            Err(Rejection::Gateway(fault)) => Err(fault.to_response(&parts.headers)),
            Err(Rejection::Challenge) => Err(challenge(self.provider.realm())),
            Err(Rejection::Provider(error)) => {
                let mut refused = error.to_response(self.provider.realm()).map(Body::from);
                refused.extensions_mut().insert(origin);
                Err(refused)
            }
        }
    }

    /// Says who calls, and gives the body back.
    async fn admit(
        &self,
        parts: &Parts,
        origin: &RequestOrigin,
        body: Body,
    ) -> Result<(Option<Caller>, Body), Rejection> {
        let mode = self.routes.mode(&parts.method, parts.uri.path(), &parts.headers);
        if mode == RouteMode::None {
            return Ok((None, body));
        }
        let (form, body) = match self.form.read_form(&parts.headers, body).await? {
            Ok(form) => (Some(form.clone()), Body::from(form)),
            Err(body) => (None, body),
        };
        let authorization = Authorization::of(parts);
        let view = origin.view(parts, authorization.fields(), form.as_ref().map(Bytes::as_ref));
        let judged = self.provider.judge(&view, origin.client).await?;
        let Some(judged) = judged else {
            return match mode {
                RouteMode::OAuth => Err(Rejection::Challenge),
                RouteMode::OAuthOrPassthrough | RouteMode::None => Ok((None, body)),
            };
        };
        let body = self.checked(&judged, parts, body).await?;
        Ok((Some(self.provider.admit(judged).await?), body))
    }

    /// The body, compared with the hash that the consumer signed, if it signed one
    /// (draft-eaton-oauth-bodyhash-00g, section 4.1.2).
    async fn checked(&self, judged: &Judged, parts: &Parts, body: Body) -> Result<Body, Rejection> {
        if !judged.has_body_hash() {
            return Ok(body);
        }
        let body = Box::pin(self.form.buffer(&parts.headers, body)).await?;
        judged.check_body(&body)?;
        Ok(Body::from(body))
    }
}

impl From<GatewayError> for Rejection {
    fn from(fault: GatewayError) -> Self {
        Self::Gateway(fault)
    }
}

impl From<provider::Error> for Rejection {
    fn from(error: provider::Error) -> Self {
        Self::Provider(error)
    }
}

/// The answer to a request without OAuth where it is needed: no problem is named, since nothing was tried.
/// RFC 5849, section 3.5.1.
pub(super) fn challenge(realm: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    if let Ok(challenge) = HeaderValue::try_from(header::challenge(realm, None)) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn peer(parts: &Parts) -> Option<IpAddr> {
    let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    connection.map(|ConnectInfo(address)| address.ip())
}

/// The `Authorization` fields of a request. As a rule there is one, for which nothing is allocated.
pub(super) enum Authorization<'a> {
    One([&'a [u8]; 1]),
    Other(Vec<&'a [u8]>),
}

impl<'a> Authorization<'a> {
    pub(super) fn of(parts: &'a Parts) -> Self {
        let all = parts.headers.get_all(AUTHORIZATION);
        let mut fields = all.iter().map(HeaderValue::as_bytes);
        match (fields.next(), fields.next()) {
            (Some(only), None) => Self::One([only]),
            _ => Self::Other(all.iter().map(HeaderValue::as_bytes).collect()),
        }
    }

    pub(super) fn fields(&self) -> &[&'a [u8]] {
        match self {
            Self::One(one) => one,
            Self::Other(fields) => fields,
        }
    }
}

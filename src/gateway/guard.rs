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

use super::arrival::Front;
use super::fault::Fault;
use super::form::FormLimits;
use super::identity::IdentityHeaders;
use super::onward;
use super::routes::{RouteMode, Routes};
use crate::oauth::{RequestView, encode};
use crate::provider::{self, Caller, Provider};

/// What the guard goes by.
#[derive(Clone, Debug)]
pub struct GuardOptions {
    /// Who decides whether a signature is true.
    pub provider: Arc<Provider>,
    /// Our public URLs, and the proxies in front of us.
    pub front: Front,
    /// Which requests need OAuth.
    pub routes: Routes,
    /// The headers that nobody but us may write.
    pub identity: Arc<IdentityHeaders>,
    /// How much of a form is held.
    pub form: FormLimits,
}

/// Puts a [`Guard`] in front of a service.
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
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            inner,
            options: Arc::clone(&self.options),
        }
    }
}

/// Lets requests through to a service, or answers them.
///
/// A request that passes has no identity headers. Its extensions hold an [`Arrival`](super::Arrival) and, when it was
/// admitted, the [`Caller`]. The address of the peer comes from axum's [`ConnectInfo`]; without it no proxy is trusted.
#[derive(Clone, Debug)]
pub struct Guard<S> {
    inner: S,
    options: Arc<GuardOptions>,
}

impl<S> Service<Request<Body>> for Guard<S>
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
            match options.admit(&mut parts, body).await {
                Ok(body) => inner.call(Request::from_parts(parts, body)).await,
                Err(Refusal::Fault(fault)) => Ok(fault.to_response(&parts.headers)),
                Err(Refusal::Provider(error)) => {
                    Ok(error.to_response(options.provider.realm()).map(Body::from))
                }
                Err(Refusal::Challenge) => Ok(challenge(options.front.default_url().as_str())),
            }
        })
    }
}

/// Why a request does not pass.
enum Refusal {
    Fault(Fault),
    Provider(provider::Error),
    Challenge,
}

impl GuardOptions {
    /// Prepares the head of a request for the service behind us, and gives the body back; or refuses.
    async fn admit(&self, parts: &mut Parts, body: Body) -> Result<Body, Refusal> {
        self.identity.strip(&mut parts.headers);
        parts.extensions.remove::<Caller>();
        onward::refuse_codings(&parts.headers).map_err(Refusal::Fault)?;
        let arrival = self.front.arrival(parts, peer(parts)).map_err(Refusal::Fault)?;
        let mode = self.routes.mode(&parts.method, parts.uri.path(), &parts.headers);
        let url = Arc::clone(&arrival.url);
        let client = arrival.client;
        parts.extensions.insert(arrival);
        if mode == RouteMode::None {
            return Ok(body);
        }
        let (form, body) = match self.form.read(&parts.headers, body).await {
            Ok(Ok(form)) => (Some(form.clone()), Body::from(form)),
            Ok(Err(body)) => (None, body),
            Err(fault) => return Err(Refusal::Fault(fault)),
        };
        let authorization: Vec<&[u8]> = authorization(parts).collect();
        let view = RequestView {
            method: parts.method.as_str(),
            url: &url,
            path: parts.uri.path(),
            query: parts.uri.query(),
            authorization: &authorization,
            form: form.as_ref().map(Bytes::as_ref),
        };
        let caller = match may_carry_oauth(&view) {
            true => self
                .provider
                .admit(&view, client)
                .await
                .map_err(Refusal::Provider)?,
            false => None,
        };
        match caller {
            Some(caller) => drop(parts.extensions.insert(caller)),
            None if mode == RouteMode::OAuth => return Err(Refusal::Challenge),
            None => {}
        }
        Ok(body)
    }
}

/// Whether a request could carry OAuth, so that the provider must look at it.
///
/// A shortcut for the many requests of browsers, and nothing more: it says no only when no `Authorization` has the
/// scheme `OAuth`, and no name in query or form begins with `oauth`, in any case, or has an escape that may hide one.
fn may_carry_oauth(view: &RequestView<'_>) -> bool {
    let suspicious = |pair: &[u8]| {
        let name = pair.split(|&b| b == b'=').next().unwrap_or_default();
        name.contains(&b'%')
            || name
                .get(..5)
                .is_some_and(|start| start.eq_ignore_ascii_case(b"oauth"))
    };
    let any = |pairs: Option<&[u8]>| pairs.unwrap_or_default().split(|&b| b == b'&').any(suspicious);
    view.authorization.iter().any(|value| onward::is_oauth(value))
        || any(view.query.map(str::as_bytes))
        || any(view.form)
}

/// The answer to a request without OAuth where it is needed: no problem is named, since nothing was tried.
/// RFC 5849, section 3.5.1.
fn challenge(realm: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let challenge = format!("OAuth realm=\"{}\"", encode::encode(realm));
    if let Ok(challenge) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn peer(parts: &Parts) -> Option<IpAddr> {
    let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    connection.map(|ConnectInfo(address)| address.ip().to_canonical())
}

fn authorization(parts: &Parts) -> impl Iterator<Item = &[u8]> {
    parts
        .headers
        .get_all(AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes)
}

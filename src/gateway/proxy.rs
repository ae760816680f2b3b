//! The reverse proxy to the application: same method, same path and query byte for byte, bodies as streams.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::header::TRANSFER_ENCODING;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version};
use tower::Service;

use super::arrival::Arrival;
use super::assertion::{Assertion, X_LINKGATE_ASSERTION};
use super::fault::{Accepted, Fault};
use super::identity::IdentityHeaders;
use super::onward;
use super::outgoing::{Outgoing, Progress};
use super::pool::{Answer, Pool, PoolLimits};
use super::upgrade::{self, Upgrade};
use super::upstream::Upstream;
use crate::provider::Caller;

/// Hands requests to the application, and says who calls: what the guard found, and nothing else.
#[derive(Clone, Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pool: Pool,
    identity: Arc<IdentityHeaders>,
    assertion: Option<Arc<Assertion>>,
    answer_within: Duration,
}

impl Proxy {
    /// Takes where the application is, how it is told who calls, and how long it may take to begin its answer.
    pub fn new(
        upstream: Upstream,
        limits: PoolLimits,
        answer_within: Duration,
        identity: Arc<IdentityHeaders>,
        assertion: Option<Arc<Assertion>>,
    ) -> Self {
        let shared = Shared {
            pool: Pool::new(upstream, limits),
            identity,
            assertion,
            answer_within,
        };
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl Service<Request<Body>> for Proxy {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let accepted = Accepted::by(&parts.headers);
            let answer = shared.forward(parts, body).await;
            Ok(answer.unwrap_or_else(|fault| fault.answer(accepted)))
        })
    }
}

impl Shared {
    async fn forward(&self, mut parts: Parts, body: Body) -> Result<Response<Body>, Fault> {
        let upgrade = Upgrade::asked(&mut parts);
        let (body, progress) = Outgoing::new(body);
        let request = self.request(parts, body, upgrade.is_some())?;
        let mut response = self.answer(request, &progress).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return switch(upgrade, &mut response);
        }
        let (mut head, body) = response.into_parts();
        onward::response(&mut head.headers);
        head.version = Version::HTTP_11;
        Ok(Response::from_parts(head, Body::new(body)))
    }

    /// The request as the application sees it.
    fn request(&self, parts: Parts, body: Outgoing, upgrade: bool) -> Result<Request<Outgoing>, Fault> {
        let arrival = parts.extensions.get::<Arrival>();
        let arrival = arrival.ok_or(Fault::Internal("a request came past the guard"))?;
        let caller = parts.extensions.get::<Caller>();
        let target = parts
            .uri
            .path_and_query()
            .filter(|_| parts.uri.path().starts_with('/'));
        let target = target.ok_or(Fault::Ambiguous("The request names no path."))?;

        let mut headers = parts.headers;
        onward::request(&mut headers, arrival, caller.is_some())?;
        if let Some(caller) = caller {
            self.identity.write(caller, &mut headers);
            if let Some(assertion) = &self.assertion {
                let jwt = assertion.sign(caller, &parts.method, target.path())?;
                headers.insert(X_LINKGATE_ASSERTION, jwt);
            }
        }
        if upgrade {
            upgrade::write(&mut headers);
        }
        if body.is_of_unknown_length() {
            // Without it, hyper sends no body along with a GET.
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let mut request = Request::new(body);
        *request.method_mut() = parts.method;
        *request.uri_mut() = Uri::from(target.clone());
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn answer(
        &self,
        request: Request<Outgoing>,
        progress: &Progress,
    ) -> Result<Response<Answer>, Fault> {
        tokio::select! {
            response = self.pool.send(request) => response,
            () = progress.stalled(self.answer_within) => Err(Fault::AnswerTimeout),
        }
    }
}

/// Answers a web socket's handshake, and lets the two sides talk.
fn switch(upgrade: Option<Upgrade>, response: &mut Response<Answer>) -> Result<Response<Body>, Fault> {
    let upgrade = upgrade.filter(|_| upgrade::is_websocket(response.headers()));
    let upgrade = upgrade.ok_or(Fault::UnaskedUpgrade)?;
    upgrade.join(hyper::upgrade::on(&mut *response));
    let mut headers = std::mem::take(response.headers_mut());
    onward::response(&mut headers);
    upgrade::write(&mut headers);
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *answer.headers_mut() = headers;
    Ok(answer)
}

//! The reverse proxy to the application: same method, same path and query byte for byte, bodies as streams.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::request::Parts;
use http::{HeaderName, Request, Response, Uri};

use super::arrival::Arrival;
use super::assertion::{Assertion, X_LINKGATE_ASSERTION};
use super::connection::Connection;
use super::fault::{Accepted, Fault};
use super::guard::Passed;
use super::identity::IdentityHeaders;
use super::onward::{self, Written};
use super::pool::{Pool, PoolLimits, Reply};
use super::upgrade::{self, Upgrade};
use super::upstream::Upstream;
use crate::provider::Caller;

/// Hands requests to the application, and says who calls: what the guard found, and nothing else.
#[derive(Debug)]
pub struct Proxy {
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
        Self {
            pool: Pool::new(upstream, limits),
            identity,
            assertion,
            answer_within,
        }
    }

    /// Answers a request that passed the guard.
    pub(super) async fn forward(&self, parts: Parts, passed: Passed) -> Response<Body> {
        let accepted = Accepted::by(&parts.headers);
        let Passed {
            arrival,
            caller,
            body,
        } = passed;
        let answer = self.exchange(parts, &arrival, caller.as_ref(), body).await;
        let mut response = answer.unwrap_or_else(|fault| fault.answer(accepted));
        if let Some(caller) = caller {
            response.extensions_mut().insert(caller);
        }
        response
    }

    async fn exchange(
        &self,
        mut parts: Parts,
        arrival: &Arrival,
        caller: Option<&Caller>,
        body: Body,
    ) -> Result<Response<Body>, Fault> {
        let upgrade = Upgrade::asked(&mut parts);
        let (request, written) = self.request(parts, arrival, caller, body, upgrade.is_some())?;
        match self.pool.send(request, &written, self.answer_within).await? {
            Reply::Switched(response, connection) => switch(upgrade, response, *connection),
            Reply::Answer(mut response) => {
                onward::response(response.headers_mut());
                Ok(response)
            }
        }
    }

    /// The request as the application sees it, and what we say in it.
    fn request(
        &self,
        parts: Parts,
        arrival: &Arrival,
        caller: Option<&Caller>,
        body: Body,
        upgrade: bool,
    ) -> Result<(Request<Body>, Written), Fault> {
        let target = parts
            .uri
            .path_and_query()
            .filter(|_| parts.uri.path().starts_with('/'));
        let target = target.ok_or(Fault::Ambiguous("The request names no path."))?;

        let mut headers = parts.headers;
        let mut written = onward::request(&mut headers, arrival, caller.is_some())?;
        if let Some(caller) = caller {
            let write = |name: &HeaderName, value| written.push((name.clone(), value));
            self.identity.write(caller, write);
            if let Some(assertion) = &self.assertion {
                let jwt = assertion.sign(caller, &parts.method, target.path())?;
                written.push((X_LINKGATE_ASSERTION, jwt));
            }
        }
        if upgrade {
            upgrade::write(&mut headers);
        }
        let mut request = Request::new(body);
        *request.method_mut() = parts.method;
        *request.uri_mut() = Uri::from(target.clone());
        *request.headers_mut() = headers;
        Ok((request, written))
    }
}

/// Answers a web socket's handshake, and lets the two sides talk.
fn switch(
    upgrade: Option<Upgrade>,
    response: Response<()>,
    connection: Connection,
) -> Result<Response<Body>, Fault> {
    let upgrade = upgrade.filter(|_| upgrade::is_websocket(response.headers()));
    let upgrade = upgrade.ok_or(Fault::UnaskedUpgrade)?;
    upgrade.join(connection);
    let mut answer = response.map(|()| Body::empty());
    onward::response(answer.headers_mut());
    upgrade::write(answer.headers_mut());
    Ok(answer)
}

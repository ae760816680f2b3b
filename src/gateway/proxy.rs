//! The reverse proxy to the application: same method, same path and query byte for byte, bodies as streams.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Response;
use http::request::Parts;

use super::assertion::{Assertion, X_LINKGATE_ASSERTION};
use super::connection::Connection;
use super::error::{ErrorFormat, GatewayError};
use super::identity_headers::IdentityHeaders;
use super::onward::{self, Onward};
use super::origin::RequestOrigin;
use super::pool::{Pool, PoolLimits, Reply};
use super::signature_check::Checked;
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

/// A request as the application gets it, and what its answer takes.
pub(super) struct Ready {
    onward: Result<Onward, GatewayError>,
    body: Body,
    upgrade: Option<Upgrade>,
    caller: Option<Caller>,
    accepted: ErrorFormat,
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

    /// Answers a request that passed the guard; says who called.
    pub(super) async fn forward(&self, ready: Ready) -> (Response<Body>, Option<Caller>) {
        let Ready {
            onward,
            body,
            upgrade,
            caller,
            accepted,
        } = ready;
        let answer = match onward {
            Ok(onward) => self.exchange(onward, body, upgrade).await,
            Err(fault) => Err(fault),
        };
        (answer.unwrap_or_else(|fault| fault.answer(accepted)), caller)
    }

    /// Makes a request that passed the guard ready for the application. What is not needed any more ends here, and takes no
    /// room while the application is waited for.
    pub(super) fn ready(&self, mut parts: Parts, passed: Checked) -> Ready {
        let Checked { origin, caller, body } = passed;
        let accepted = ErrorFormat::by(&parts.headers);
        let upgrade = Upgrade::asked(&mut parts);
        Ready {
            onward: self.onward(parts, &origin, caller.as_ref(), upgrade.is_some()),
            body,
            upgrade,
            caller,
            accepted,
        }
    }

    async fn exchange(
        &self,
        onward: Onward,
        body: Body,
        upgrade: Option<Upgrade>,
    ) -> Result<Response<Body>, GatewayError> {
        match self.pool.send(&onward, body, self.answer_within).await? {
            Reply::Switched(response, connection) => switch(upgrade, response, *connection),
            Reply::Answer(mut response) => {
                onward::response(response.headers_mut());
                Ok(response)
            }
        }
    }

    /// The request's head as the application sees it.
    fn onward(
        &self,
        parts: Parts,
        origin: &RequestOrigin,
        caller: Option<&Caller>,
        upgrade: bool,
    ) -> Result<Onward, GatewayError> {
        let mut onward = Onward::new(parts, origin, caller.is_some())?;
        if let Some(caller) = caller {
            self.identity
                .write(caller, |name, value| onward.say(name, value.as_bytes()));
            if let Some(assertion) = &self.assertion {
                let jwt = assertion.sign(caller, &onward.method, onward.target.path())?;
                onward.say(&X_LINKGATE_ASSERTION, jwt.as_bytes());
            }
        }
        if upgrade {
            upgrade::write(|name, value| onward.say(&name, value.as_bytes()));
        }
        Ok(onward)
    }
}

/// Answers a web socket's handshake, and lets the two sides talk.
fn switch(
    upgrade: Option<Upgrade>,
    response: Response<()>,
    connection: Connection,
) -> Result<Response<Body>, GatewayError> {
    let upgrade = upgrade.filter(|_| upgrade::is_websocket(response.headers()));
    let upgrade = upgrade.ok_or(GatewayError::UnaskedUpgrade)?;
    upgrade.join(connection);
    let mut answer = response.map(|()| Body::empty());
    onward::response(answer.headers_mut());
    upgrade::write(|name, value| drop(answer.headers_mut().insert(name, value)));
    Ok(answer)
}

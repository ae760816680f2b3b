//! The guarded application: which requests reach it, and with which identity.
//!
//! 1. [`identity_headers`] removes the identity headers of the client;
//! 2. [`origin`] determines the public URL and the client, with what [`forwarded`] reads from a trusted proxy;
//! 3. [`routes`] decides whether the request needs OAuth, for all interpretations of its path (`path_readings`);
//! 4. [`mod@signature_check`] verifies the signature over the body that [`body_limits`] buffers, and rejects the request or
//!    lets it pass;
//! 5. [`proxy`] rewrites the headers (`onward`), adds the identity ([`identity_headers`], [`assertion`]), and sends the
//!    request over the [`pool`] to the [`upstream`] (`connect`, `connection`; `upgrade` for a web socket);
//! 6. [`forward_auth`] makes the same decision for a front proxy that forwards the request itself;
//! 7. [`error`] is every error response that is not an OAuth problem.
//!
//! [`Gateway`] combines these parts. [`signature_check()`] alone guards another axum program.

pub mod assertion;
pub mod body_limits;
mod connect;
mod connection;
pub mod error;
pub mod forward_auth;
pub mod forwarded;
pub mod identity_headers;
pub(crate) mod onward;
pub mod origin;
mod path_readings;
pub mod pool;
pub mod proxy;
pub mod routes;
pub mod signature_check;
mod upgrade;
pub mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};

use crate::provider::Caller;

pub use assertion::{Assertion, AssertionKey};
pub use body_limits::BodyLimits;
pub use connect::ConnectFault;
pub use connection::AnswerFault;
pub(crate) use connection::{Framing, Sending, SendingFault, field};
pub use error::GatewayError;
pub use forward_auth::{AskedAbout, ForwardAuth, ProxyKind};
pub use forwarded::TrustedProxies;
pub use identity_headers::IdentityHeaders;
pub use origin::{PublicUrls, RequestOrigin};
pub use pool::PoolLimits;
pub use proxy::Proxy;
pub use routes::{PathPattern, Route, RouteMode, Routes};
pub use signature_check::{SignatureCheck, signature_check};
pub use upstream::Upstream;

/// What a gateway is made of.
#[derive(Debug)]
pub struct GatewayOptions {
    /// The guard's part; its identity headers are the ones that are written.
    pub guard: SignatureCheck,
    /// Where the application is.
    pub upstream: Upstream,
    /// How connections to it are made and kept.
    pub pool: PoolLimits,
    /// How long it may take to begin an answer.
    pub answer_within: Duration,
    /// Signs who calls; `None`: no assertion is written.
    pub assertion: Option<Arc<Assertion>>,
}

/// The guard in front of the proxy: the fallback of the public listener.
#[derive(Clone, Debug)]
pub struct Gateway {
    shared: Arc<(SignatureCheck, Proxy)>,
}

impl Gateway {
    /// Puts the parts together. Nothing is connected yet.
    pub fn new(options: GatewayOptions) -> Self {
        let identity = Arc::clone(&options.guard.identity);
        let proxy = Proxy::new(
            options.upstream,
            options.pool,
            options.answer_within,
            identity,
            options.assertion,
        );
        Self {
            shared: Arc::new((options.guard, proxy)),
        }
    }

    /// Answers a request of a peer, and says who made it, if it is an admitted call.
    pub fn call(
        &self,
        request: Request<Body>,
        peer: SocketAddr,
    ) -> impl Future<Output = (Response<Body>, Option<Caller>)> + Send + use<'_> {
        let (guard, proxy) = &*self.shared;
        let (mut parts, body) = request.into_parts();
        // An `async fn` would keep the whole request beside its parts.
        async move {
            match guard.check(&mut parts, Some(peer.ip()), body).await {
                Ok(passed) => proxy.forward(proxy.ready(parts, passed)).await,
                Err(refused) => (refused, None),
            }
        }
    }
}

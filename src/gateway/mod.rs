//! THE GUARDED SIDE: what reaches the application, and as whom.
//!
//! The way of a request through this folder:
//!
//! 1. [`identity`] strips every header by which a stranger could say who they are;
//! 2. [`arrival`] finds out which public URL was called, and by whom, with what [`forwarded`] says for trusted proxies, and
//!    keeps the `chain` of hops for the application;
//! 3. [`routes`] says what the path needs, as [`pattern`] and, against trickery, every other `reading` of it has it;
//! 4. [`guard`] holds a [`form`], asks the provider, and lets the request pass, or refuses, or challenges;
//! 5. [`proxy`] makes the headers ready (`onward`), says who calls ([`identity`], [`assertion`]), and sends it over the
//!    [`pool`] to the [`upstream`], over TLS if need be (`connect`), in HTTP/1.1 (`connection`); a web socket is joined by
//!    `upgrade`;
//! 6. [`forward_auth`] asks the same on behalf of a front proxy that carries the request itself;
//! 7. [`fault`] is every answer of ours that is no OAuth problem.
//!
//! [`Gateway`] is these parts put together. The [`GuardLayer`] alone guards another axum program.

pub mod assertion;
pub mod body_limits;
mod chain;
mod connect;
mod connection;
pub mod error;
pub mod forward_auth;
pub mod forwarded;
pub mod identity_headers;
pub(crate) mod onward;
pub mod origin;
mod path_readings;
pub mod pattern;
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
pub(crate) use identity_headers::Initials;
pub use origin::{PublicUrls, RequestOrigin};
pub use pattern::PathPattern;
pub use pool::PoolLimits;
pub use proxy::Proxy;
pub use routes::{Route, RouteMode, Routes};
pub use signature_check::{GuardLayer, GuardOptions, SignatureCheck};
pub use upstream::Upstream;

/// What a gateway is made of.
#[derive(Debug)]
pub struct GatewayOptions {
    /// The guard's part; its identity headers are the ones that are written.
    pub guard: GuardOptions,
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
    shared: Arc<(GuardOptions, Proxy)>,
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
            match guard.pass(&mut parts, Some(peer.ip()), body).await {
                Ok(passed) => proxy.forward(proxy.ready(parts, passed)).await,
                Err(refused) => (refused, None),
            }
        }
    }
}

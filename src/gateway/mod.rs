//! The guarded side: which requests reach the application, and as whom.
//!
//! A request passes, in this order ([`Gateway::call`]):
//!
//! 1. [`signature_check`]: [`identity_headers`] are stripped; [`origin`] is the public URL that was called and the client,
//!    with what [`forwarded`] fields of trusted proxies add; [`routes`] decide whether OAuth is required, also for the other
//!    `path_readings`; a form is read within [`body_limits`]; the provider verifies the signature;
//! 2. [`proxy`]: `upstream_request` rewrites the head, [`identity_headers`] and [`assertion`] name the caller, and the
//!    HTTP client sends it to the [`upstream`]; a WebSocket is joined (`websocket`).
//!
//! [`forward_auth`] gives verdicts to a front proxy that forwards the request itself. [`error`] is every response of
//! linkgate's own that is not an OAuth problem.

pub mod assertion;
pub mod body_limits;
pub mod error;
pub mod forward_auth;
pub mod forwarded;
pub mod identity_headers;
pub mod origin;
pub(crate) mod path_readings;
pub mod proxy;
pub mod routes;
pub mod signature_check;
pub mod upstream;
pub(crate) mod upstream_request;
mod websocket;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use crate::http::HttpService;

pub use assertion::{Assertion, AssertionKey};
pub use body_limits::BodyLimits;
pub use error::{AdministratorPage, GatewayError};
pub use forward_auth::{AskedAbout, ForwardAuth, ProxyKind};
pub use forwarded::TrustedProxies;
pub use identity_headers::{IdentityConfig, IdentityHeaders, IdentityPreset};
pub use origin::{PublicUrls, RequestOrigin, authorization};
pub use proxy::Proxy;
pub use routes::{PathPattern, Route, RouteMode, Routes};
pub use signature_check::{CheckedRequest, SignatureCheck};
pub use upstream::{Upstream, UpstreamConfig};

/// What every path that is not linkgate's own meets: the signature check, then the proxy.
#[derive(Debug)]
pub struct Gateway {
    /// Decides which requests pass.
    pub check: SignatureCheck,
    /// Sends them to the application.
    pub proxy: Proxy,
}

impl Gateway {
    /// Answers a request: with the application's response, or with that of a request which was rejected.
    pub async fn call(&self, request: Request) -> Response {
        match self.check.check(request).await {
            Ok(checked) => self.proxy.forward(checked).await,
            Err(rejection) => rejection,
        }
    }

    /// The gateway as a service, for a router or a listener.
    pub fn service(self: Arc<Self>) -> HttpService {
        BoxCloneSyncService::new(service_fn(move |request: Request| {
            let gateway = Arc::clone(&self);
            async move { Ok(gateway.call(request).await) }
        }))
    }
}

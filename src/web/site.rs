//! The public listener: our own paths, verdicts for front proxies, and the application behind all others.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};

use super::listener::routed;
use super::refusals::Refusals;
use super::request_log;
use crate::gateway::{ForwardAuth, Gateway, ProxyKind};

/// What the public listener serves.
#[derive(Debug)]
pub struct Site {
    own: Router,
    gateway: Gateway,
    verdicts: ForwardAuth,
    refusals: Arc<Refusals>,
}

impl Site {
    /// Takes the [`router`](super::router), what stands behind the paths that are none of ours, who answers front
    /// proxies, and where refusals are remembered.
    pub fn new(own: Router, gateway: Gateway, verdicts: ForwardAuth, refusals: Arc<Refusals>) -> Self {
        Self {
            own,
            gateway,
            verdicts,
            refusals,
        }
    }

    /// Answers a request of a peer, counts it and logs it.
    pub fn answer(
        self: Arc<Self>,
        request: Request<Body>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response<Body>> + Send {
        let asked = request_log::asked(&request, peer);
        async move {
            let path = request.uri().path();
            let (response, caller) = if !may_be_ours(path) {
                self.gateway.call(request, peer).await
            } else if let Some(kind) = ProxyKind::at(path) {
                let answering = Box::pin(self.verdicts.answer(kind, request, peer));
                (answering.await, None)
            } else {
                let answering = Box::pin(routed(self.own.clone(), request, peer));
                (answering.await, None)
            };
            request_log::answered(&asked, &response, caller.as_ref(), &self.refusals);
            response
        }
    }
}

/// Whether the router has to be asked. It does not guard every request on its way to the application, and so does not
/// slow it down; what is not routed below these paths is the application's as well.
fn may_be_ours(path: &str) -> bool {
    OURS.iter().any(|prefix| path.starts_with(prefix))
}

/// Every route of ours begins with one of these.
const OURS: [&str; 5] = [
    "/oauth/",
    "/plugins/servlet/",
    "/rest/applinks/",
    "/forward-auth",
    "/.well-known/linkgate/",
];

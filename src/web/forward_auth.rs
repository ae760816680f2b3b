//! `/forward-auth`: verdicts for front proxies, each asked for in its own words.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::routing::{MethodRouter, any};

use crate::gateway::{Dialect, ForwardAuth};

/// The endpoints. Envoy puts the path that it asks about behind ours, byte for byte.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(verdicts: &ForwardAuth) -> Router<S> {
    let envoy = Dialect::ENVOY_PREFIX;
    Router::new()
        .route("/forward-auth/nginx", asked_in(Dialect::Nginx, verdicts))
        .route("/forward-auth", asked_in(Dialect::Forwarded, verdicts))
        .route(envoy, asked_in(Dialect::Envoy, verdicts))
        .route(&format!("{envoy}/"), asked_in(Dialect::Envoy, verdicts))
        .route(&format!("{envoy}/{{*path}}"), asked_in(Dialect::Envoy, verdicts))
}

fn asked_in<S: Clone + Send + Sync + 'static>(dialect: Dialect, verdicts: &ForwardAuth) -> MethodRouter<S> {
    let verdicts = verdicts.clone();
    any(
        move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| async move {
            verdicts.answer(dialect, request, peer).await
        },
    )
}

//! Where a browser's request comes from: the peer, or what a trusted proxy says of it.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::{ClientAddress, Shared};

/// Leaves the client's address in the request's extensions. A request that names two hosts is refused.
pub(super) async fn know(State(app): Shared, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip().to_canonical());
    match app.front.origin(&parts, peer) {
        Ok(arrival) => {
            if let Some(client) = arrival.client {
                parts.extensions.insert(ClientAddress(client));
            }
            next.run(Request::from_parts(parts, body)).await
        }
        Err(fault) => fault.to_response(&parts.headers).map(Body::new),
    }
}

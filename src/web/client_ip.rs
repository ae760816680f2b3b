//! The address of a browser.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;

use super::Shared;
use crate::gateway::error::ErrorFormat;

/// The client's address: the peer's, or the one that a trusted proxy forwards. Requests without either share
/// 0.0.0.0, and its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

/// Middleware that sets [`ClientIp`]. A request that names two hosts is rejected with 400.
pub(super) async fn client_ip(State(app): Shared, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let peer = head
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip().to_canonical());
    match app.front.origin(&head, peer) {
        Ok(origin) => {
            if let Some(client) = origin.client {
                head.extensions.insert(ClientIp(client));
            }
            next.run(Request::from_parts(head, body)).await
        }
        Err(error) => error.to_response(ErrorFormat::of(&head)),
    }
}

impl<S: Sync> FromRequestParts<S> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let forwarded = head.extensions.get::<Self>().copied();
        let peer = head
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|peer| Self(peer.0.ip()));
        Ok(forwarded
            .or(peer)
            .unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

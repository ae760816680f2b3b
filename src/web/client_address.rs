//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;

/// The address of the client: the peer's, or what a trusted proxy says of it.
///
/// Whoever serves the router puts it into the request's extensions, because only they know which proxies to trust.
/// Without it the address of the connection counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let told = parts.extensions.get::<Self>().copied();
        let peer = || {
            parts
                .extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|peer| Self(peer.0.ip()))
        };
        // Nobody knows: they all share one address, and its limits.
        Ok(told
            .or_else(peer)
            .unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

//! Addresses at which something will listen later, or never.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// An address of this machine that is the test's own until its process ends. Nothing listens there.
///
/// A socket that does not listen holds it: the system gives it to no other program, refuses connections, and lets a
/// program that is told of it listen there (with `SO_REUSEADDR`, which servers set), as often as it starts.
pub(crate) fn reserved() -> SocketAddr {
    let held = TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = held.local_addr().unwrap();
    std::mem::forget(held);
    address
}

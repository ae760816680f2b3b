//! Connections on which no request has begun yet, counted for each client.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use parking_lot::Mutex;

use crate::network::network;

/// The half-open connections of a listener. Clones share the counts.
#[derive(Clone, Debug)]
pub(super) struct HalfOpen {
    /// The most of one client.
    max: usize,
    /// Of each client, how many are open, and whether it was logged.
    clients: Arc<Mutex<HashMap<IpNet, (usize, bool)>>>,
}

/// A half-open connection. It is counted until it is dropped.
pub(super) struct HalfOpenConnection {
    client: IpNet,
    all: HalfOpen,
}

impl HalfOpen {
    pub(super) fn new(max: usize) -> Self {
        let clients = Arc::default();
        Self { max, clients }
    }

    /// Counts a new connection. `None`: its client has too many, which is logged once until the client has none.
    pub(super) fn begin(&self, peer: IpAddr) -> Option<HalfOpenConnection> {
        let network = network(peer);
        let mut clients = self.clients.lock();
        let (open, is_logged) = clients.entry(network).or_default();
        if *open < self.max {
            *open += 1;
            let all = self.clone();
            return Some(HalfOpenConnection { client: network, all });
        }
        if !mem::replace(is_logged, true) {
            tracing::warn!(client = %network, max = self.max, "connections without a request: further ones are closed");
        }
        None
    }
}

impl Drop for HalfOpenConnection {
    fn drop(&mut self) {
        let mut clients = self.all.clients.lock();
        if let Some((open, _)) = clients.get_mut(&self.client) {
            *open -= 1;
            if *open == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

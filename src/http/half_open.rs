//! Connections on which no request has begun yet, counted for each client.

use std::collections::HashMap;
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
    clients: Arc<Mutex<HashMap<IpNet, Client>>>,
}

#[derive(Debug, Default)]
struct Client {
    open: usize,
    is_logged: bool,
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
        let client = clients.entry(network).or_default();
        if client.open < self.max {
            client.open += 1;
            let all = self.clone();
            return Some(HalfOpenConnection { client: network, all });
        }
        if !client.is_logged {
            client.is_logged = true;
            tracing::warn!(client = %network, max = self.max, "connections without a request: further ones are closed");
        }
        None
    }
}

impl Drop for HalfOpenConnection {
    fn drop(&mut self) {
        let mut clients = self.all.clients.lock();
        if let Some(client) = clients.get_mut(&self.client) {
            client.open -= 1;
            if client.open == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

//! Repeated sub-requests about one request get one verdict.
//!
//! nginx repeats its sub-request when it redirects a request internally (`try_files`, `index`, `error_page`). The nonce is
//! recorded by then, so a second verification would reject the request as a replay of itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use http::HeaderValue;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::oauth::{RequestView, Timestamp};
use crate::provider::Caller;

/// SHA-256 of everything that identifies a request without a body: its `X-Request-Id`, the proxy, the client, and the
/// request itself, byte for byte.
///
/// The id tells a repeated sub-request from a replayed request, so nginx must make it (`$request_id`, 128 random bits) and
/// not pass on the client's. If it does, an attacker who has seen a signed request with its id can have this very request
/// accepted again, for [`TTL`] at most and [`MAX_REPEATS`] times at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RequestFingerprint([u8; 32]);

impl RequestFingerprint {
    pub(super) fn new(
        view: &RequestView<'_>,
        id: &HeaderValue,
        proxy: IpAddr,
        client: Option<IpAddr>,
    ) -> Self {
        let (proxy, client) = (proxy.to_string(), client.map(|client| client.to_string()));
        let flags = [u8::from(view.secure), u8::from(view.query.is_some())];
        let parts = [
            id.as_bytes(),
            proxy.as_bytes(),
            client.as_deref().unwrap_or_default().as_bytes(),
            view.method.as_bytes(),
            view.url.as_str().as_bytes(),
            &flags,
            view.path.as_bytes(),
            view.query.unwrap_or_default().as_bytes(),
        ];
        let mut hash = Sha256::new();
        for part in parts.iter().chain(view.authorization) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// The calls that were accepted lately. Beyond [`CAPACITY`] the least recently used one is dropped, and its repeated
/// sub-request is rejected as a replay.
#[derive(Clone, Debug)]
pub(super) struct VerdictCache(Cache<RequestFingerprint, Arc<Verdict>>);

#[derive(Debug)]
struct Verdict {
    caller: Caller,
    at: Timestamp,
    repeats: AtomicU8,
}

impl VerdictCache {
    pub(super) fn new() -> Self {
        let cache = Cache::builder().max_capacity(CAPACITY).time_to_live(TTL);
        Self(cache.eviction_policy(EvictionPolicy::lru()).build())
    }

    /// The caller of a request that was accepted less than [`TTL`] and at most [`MAX_REPEATS`] repeats ago.
    pub(super) fn get(&self, request: RequestFingerprint, now: Timestamp) -> Option<Caller> {
        let verdict = self.0.get(&request)?;
        // The cache drops entries by the machine's time; a clock that was set back does not prolong them.
        let age = u64::try_from(now.seconds() - verdict.at.seconds()).ok()?;
        let next = |repeats| (age < TTL.as_secs() && repeats < MAX_REPEATS).then_some(repeats + 1);
        let repeats = verdict
            .repeats
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        repeats.is_ok().then(|| verdict.caller.clone())
    }

    pub(super) fn insert(&self, request: RequestFingerprint, caller: Caller, at: Timestamp) {
        let repeats = AtomicU8::new(0);
        self.0.insert(request, Arc::new(Verdict { caller, at, repeats }));
    }
}

/// nginx redirects at once, except for `error_page`, which follows the upstream's response.
const TTL: Duration = Duration::from_secs(10);

/// nginx gives up after ten internal redirects.
const MAX_REPEATS: u8 = 10;

const CAPACITY: u64 = 16 * 1024;

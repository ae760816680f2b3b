//! What a provider publishes about itself: the discovery document and the keys, kept for a while.

use std::sync::Arc;

use openidconnect::core::CoreProviderMetadata;
use openidconnect::{DiscoveryError, IssuerUrl};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::http::client::Connector;
use crate::login::TripFault;
use crate::login::send;
use crate::oauth::Timestamp;

use super::OidcFault;

/// The last answer, and how to get the next one.
#[derive(Debug)]
pub(super) struct Discovery {
    issuer: String,
    http: Connector,
    clock: Clock,
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    published: Arc<CoreProviderMetadata>,
    at: Timestamp,
}

impl Discovery {
    pub(super) fn new(issuer: String, http: Connector, clock: Clock) -> Self {
        Self {
            issuer,
            http,
            clock,
            kept: Mutex::default(),
        }
    }

    /// What is known, asked for when that is nothing or old. When the provider does not answer, old is better than
    /// nothing: its keys change seldom, and an unknown one is asked for anyway.
    pub(super) async fn known(&self) -> Result<Arc<CoreProviderMetadata>, TripFault> {
        self.younger_than(GOOD_FOR).await
    }

    /// What is known now that a key was missing. Asked for, unless that was a moment ago: tokens of a stranger's making must
    /// not make us ask without end.
    pub(super) async fn renewed(&self) -> Result<Arc<CoreProviderMetadata>, TripFault> {
        self.younger_than(AT_MOST_EVERY).await
    }

    /// What the provider says now.
    pub(super) async fn asked_now(&self) -> Result<Arc<CoreProviderMetadata>, TripFault> {
        self.ask().await.map(Arc::new)
    }

    /// One at a time: the others wait, and then find the answer.
    async fn younger_than(&self, seconds: i64) -> Result<Arc<CoreProviderMetadata>, TripFault> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some(kept) = &*kept
            && kept.at.plus(seconds) > now
        {
            return Ok(Arc::clone(&kept.published));
        }
        match (self.ask().await, &*kept) {
            (Ok(published), _) => {
                let published = Arc::new(published);
                *kept = Some(Kept {
                    published: Arc::clone(&published),
                    at: now,
                });
                Ok(published)
            }
            (Err(fault), Some(old)) => {
                tracing::warn!(%fault, "the identity provider does not say anything new; its last word counts");
                Ok(Arc::clone(&old.published))
            }
            (Err(fault), None) => Err(fault),
        }
    }

    async fn ask(&self) -> Result<CoreProviderMetadata, TripFault> {
        let unusable = |why: String| TripFault::from(OidcFault::Discovery(why));
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| unusable(error.to_string()))?;
        let http = self.http.clone();
        let call = move |request| {
            let http = http.clone();
            async move { send(&http, request).await }
        };
        let published = CoreProviderMetadata::discover_async(issuer, &call).await;
        published.map_err(|error| match error {
            DiscoveryError::Request(fault) => TripFault::Unavailable(fault),
            other => unusable(other.to_string()),
        })
    }
}

/// Seconds after which a provider is asked again.
const GOOD_FOR: i64 = 3600;
/// Seconds between two questions about an unknown key.
const AT_MOST_EVERY: i64 = 10;

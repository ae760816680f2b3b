//! The discovery document and the keys of an identity provider, cached.

use std::pin::Pin;
use std::sync::Arc;

use openidconnect::core::CoreProviderMetadata;
use openidconnect::{AsyncHttpClient, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl};

use crate::http::client::{Connector, HttpClientError};

use super::super::RedirectError;
use super::super::http::send;
use super::client::Oidc;

impl Oidc {
    /// Returns what the provider published at most an hour ago. If it does not respond, older metadata is used.
    pub(super) async fn metadata(&self) -> Result<Arc<CoreProviderMetadata>, RedirectError> {
        self.metadata_since(3600).await
    }

    /// Returns what the provider published at most ten seconds ago, as a token has an unknown key. Tokens of an attacker
    /// must not cause requests without limit.
    pub(super) async fn renewed_metadata(&self) -> Result<Arc<CoreProviderMetadata>, RedirectError> {
        self.metadata_since(10).await
    }

    /// One request at a time: concurrent calls wait for its response.
    async fn metadata_since(&self, seconds: i64) -> Result<Arc<CoreProviderMetadata>, RedirectError> {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        if let Some((metadata, at)) = &*cached
            && at.plus(seconds) > now
        {
            return Ok(Arc::clone(metadata));
        }
        match (self.fetch_metadata().await, &*cached) {
            (Ok(metadata), _) => {
                let metadata = Arc::new(metadata);
                *cached = Some((Arc::clone(&metadata), now));
                Ok(metadata)
            }
            (Err(error), Some((metadata, _))) => {
                tracing::warn!(%error, "older metadata and keys of the identity provider are used");
                Ok(Arc::clone(metadata))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Requests the discovery document and the keys.
    pub(super) async fn fetch_metadata(&self) -> Result<CoreProviderMetadata, RedirectError> {
        let unusable = |why: String| RedirectError::Discovery(why);
        let issuer = IssuerUrl::new(self.config.issuer.as_str().to_owned())
            .map_err(|error| unusable(error.to_string()))?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.http).await;
        metadata.map_err(|error| match error {
            DiscoveryError::Request(error) => RedirectError::Unavailable(error),
            other => unusable(other.to_string()),
        })
    }
}

impl<'c> AsyncHttpClient<'c> for Connector {
    type Error = HttpClientError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpClientError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(send(self, request))
    }
}

//! Authenticates a signed request: timestamp, consumer, signature method, signature, then the nonce.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::model::Consumer;
use crate::oauth::parameters::REQUIRED;
use crate::oauth::{ConsumerKey, Problem, RequestView, SignedRequest, Timestamp, VerifiedRequest};
use crate::store::StoreError;

use super::cache::CachedToken;
use super::{Provider, ProviderError};

/// A request whose signature was verified, and the consumer that made it. Its nonce may not be recorded yet.
#[derive(Debug)]
pub(super) struct AuthenticatedRequest {
    pub(super) request: VerifiedRequest,
    pub(super) consumer: Arc<Consumer>,
    pub(super) at: Timestamp,
    pub(super) cached: Option<Arc<CachedToken>>,
}

impl Provider {
    /// Authenticates a request to a token endpoint, records its nonce, and issues credentials, all by one deadline.
    pub(super) async fn issue<T>(
        &self,
        view: &RequestView<'_>,
        peer: Option<IpAddr>,
        credentials: impl AsyncFnOnce(&AuthenticatedRequest) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        let request = SignedRequest::parse(view)?;
        let request = request.ok_or_else(|| Problem::ParameterAbsent(REQUIRED.to_vec()))?;
        let claimed_by = request.consumer_key.clone();
        let deadline = Instant::now() + self.store.timeout();
        let issued = by(deadline, async {
            let signed = self.verify(view, request, peer).await?;
            self.record_nonce(&signed.request, deadline).await?;
            // Boxed: an exchange has a large future.
            Box::pin(credentials(&signed)).await
        });
        match issued.await {
            Ok(issued) => Ok(issued),
            Err(error) => Err(self.claimed_by(error, &claimed_by, deadline).await),
        }
    }

    /// Refuses a request that is not verified.
    pub async fn refuse(&self, request: &SignedRequest, problem: Problem) -> ProviderError {
        let deadline = Instant::now() + self.store.timeout();
        self.claimed_by(problem.into(), &request.consumer_key, deadline)
            .await
    }

    /// The same error, with the consumer that the request names, and whether it is registered.
    pub(super) async fn claimed_by(
        &self,
        error: ProviderError,
        consumer: &ConsumerKey,
        deadline: Instant,
    ) -> ProviderError {
        if !matches!(error, ProviderError::Refused(_)) {
            return error;
        }
        let found = timeout_at(deadline, self.cache.consumer(consumer));
        let is_registered = matches!(Box::pin(found).await, Ok(Ok(Some(_))));
        error.claimed_by(consumer, is_registered)
    }

    /// Verifies a request, and writes nothing. A token's secret is derived from it: a false signature has the same answer
    /// whether the token exists or not.
    pub(super) fn verify<'a>(
        &'a self,
        view: &'a RequestView<'_>,
        request: SignedRequest,
        peer: Option<IpAddr>,
    ) -> impl Future<Output = Result<AuthenticatedRequest, ProviderError>> + Send + use<'a> {
        // An `async fn` would keep the request twice.
        async move {
            self.check_clock()?;
            let at = self.clock.now();
            let window = self.rules.tokens.timestamp_window;
            window.check(request.timestamp, at)?;
            let Some(consumer) = self.cache.consumer(&request.consumer_key).await? else {
                // An unknown consumer costs what a wrong signature costs.
                drop(request.verify(std::slice::from_ref(&self.dummy_key), None));
                return Err(Problem::ConsumerKeyUnknown.into());
            };
            consumer.check_signer(request.method, view.secure, peer)?;
            let token = request.token.clone();
            let cached = token.as_ref().and_then(|token| self.cache.cached_token(token));
            let derived = match (&cached, &token) {
                (None, Some(token)) => self.keyring.token_secret(token),
                _ => None,
            };
            let known = cached.as_ref().and_then(|cached| cached.secret.as_ref());
            let secret = known.or(derived.as_ref());
            match request.verify(&consumer.keys, secret) {
                Ok(request) => Ok(AuthenticatedRequest {
                    request,
                    consumer,
                    at,
                    cached,
                }),
                Err(problem) => {
                    // Boxed: a call's future would hold the rare one of an explanation.
                    let error = self.explain(problem, view, &consumer, (token.as_ref(), secret), peer);
                    Err(Box::pin(error).await)
                }
            }
        }
    }

    /// Records the nonce. The last step, so that only a valid signature writes to the database.
    pub(super) async fn record_nonce(
        &self,
        request: &VerifiedRequest,
        deadline: Instant,
    ) -> Result<(), ProviderError> {
        let (signed_at, digest) = (request.timestamp, request.nonce_digest());
        // A batch ends with the first deadline in it: a request that has waited for long must not end that of others.
        let deadline = deadline.max(Instant::now() + self.store.timeout().min(Duration::from_secs(1)));
        let now = self.clock.now();
        if !self.store.record_nonce(signed_at, digest, now, deadline).await? {
            return Err(Problem::NonceUsed.into());
        }
        // A pause of this process, or a slow body: nonces are kept for requests within the window only.
        let window = self.rules.tokens.timestamp_window;
        Ok(window.check(signed_at, self.clock.now())?)
    }
}

/// Limits the time that a request may wait for the database, whatever it asks and however often.
pub(super) async fn by<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    let done = timeout_at(deadline, work).await;
    done.unwrap_or(Err(ProviderError::Failed(StoreError::TimedOut)))
}

//! A guarded call: three-legged, two-legged, or two-legged with impersonation.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Consumer, UNKNOWN_TOKEN, UserStatus};
use crate::oauth::{Problem, RequestView, SignedRequest, Timestamp};

use super::authenticate::{AuthenticatedRequest, by};
use super::cache::CachedToken;
use super::caller::{CallKind, Caller, CallingUser};
use super::{Provider, ProviderError};

/// A guarded call whose consumer, token and user were checked; its body was not, and its nonce is not recorded yet.
#[derive(Debug)]
pub struct AuthenticatedCall {
    signed: AuthenticatedRequest,
    user: Option<CallingUser>,
    kind: CallKind,
    peer: Option<IpAddr>,
    /// How long it may still wait for the database.
    left: Duration,
}

impl AuthenticatedCall {
    /// Whether [`AuthenticatedCall::check_body`] must see the whole body (draft-eaton-oauth-bodyhash-00g).
    pub fn has_body_hash(&self) -> bool {
        self.signed.request.body_hash.is_some()
    }

    /// Rejects the call after all.
    pub fn refused(&self, problem: Problem) -> ProviderError {
        ProviderError::from(problem).claimed_by(&self.signed.consumer.key, true)
    }

    /// Compares the body with the digest that the consumer signed, if it signed one.
    pub fn check_body(&self, body: &[u8]) -> Result<(), ProviderError> {
        match &self.signed.request.body_hash {
            Some(hash) => hash.verify(body).map_err(|problem| self.refused(problem)),
            None => Ok(()),
        }
    }
}

impl Provider {
    /// Authenticates a guarded call by its head. `Ok(None)`: the request carries no OAuth at all.
    pub async fn authenticate_call(
        &self,
        view: &RequestView<'_>,
        peer: Option<IpAddr>,
    ) -> Result<Option<AuthenticatedCall>, ProviderError> {
        let Some(claim) = SignedRequest::parse(view)? else {
            return Ok(None);
        };
        let claimed_by = claim.consumer_key.clone();
        let deadline = Instant::now() + self.store.timeout();
        let call = match by(deadline, self.verify_call(view, claim, peer)).await {
            Ok(signed) => {
                // The time that the login method and the body take is not the database's.
                let left = deadline.saturating_duration_since(Instant::now());
                self.authenticate_principal(signed, peer, left).await
            }
            Err(error) => Err(error),
        };
        match call {
            Ok(call) => Ok(Some(call)),
            Err(error) => Err(self.claimed_by(error, &claimed_by, deadline).await),
        }
    }

    /// Accepts a call whose body is the signed one: records its nonce, which is accepted once.
    pub fn accept_call(
        &self,
        call: AuthenticatedCall,
    ) -> impl Future<Output = Result<Caller, ProviderError>> + Send + use<'_> {
        let AuthenticatedCall {
            signed,
            user,
            kind,
            peer,
            left,
        } = call;
        // An `async fn` would keep the whole call beside its parts.
        async move {
            let recorded = self.record_nonce(&signed.request, Instant::now() + left).await;
            recorded.map_err(|error| error.claimed_by(&signed.consumer.key, true))?;
            if let (Some(token), Some(cached)) = (&signed.request.token, signed.cached)
                && cached.is_first_use(signed.at)
            {
                self.uses.note(token, signed.at, peer);
            }
            let consumer = signed.consumer;
            Ok(Caller { consumer, user, kind })
        }
    }

    /// Verifies the request, and reads its access token.
    fn verify_call<'a>(
        &'a self,
        view: &'a RequestView<'_>,
        claim: SignedRequest,
        peer: Option<IpAddr>,
    ) -> impl Future<Output = Result<AuthenticatedRequest, ProviderError>> + Send + use<'a> {
        async move {
            let mut signed = self.verify(view, claim, peer).await?;
            if signed.consumer.require_body_hash && view.form.is_none() && signed.request.body_hash.is_none()
            {
                return Err(Problem::ParameterAbsent(vec!["oauth_body_hash"]).into());
            }
            let (callback, verifier) = (&signed.request.callback, &signed.request.verifier);
            let misplaced = callback.as_ref().map(|_| "oauth_callback");
            if let Some(name) = misplaced.or(verifier.as_ref().map(|_| "oauth_verifier")) {
                return Err(Problem::parameter_rejected(name, NOT_AN_ENDPOINT).into());
            }
            if let (Some(token), None) = (&signed.request.token, &signed.cached) {
                let secret = self.keyring.token_secret(token);
                let now = self.clock.now();
                let read = self.cache.access_token(token, secret.as_ref(), now);
                signed.cached = Some(read.await?);
            }
            Ok(signed)
        }
    }

    async fn authenticate_principal(
        &self,
        signed: AuthenticatedRequest,
        peer: Option<IpAddr>,
        left: Duration,
    ) -> Result<AuthenticatedCall, ProviderError> {
        let (user, kind) = match &signed.cached {
            Some(cached) => {
                let user = self.three_legged(&signed.consumer, cached, signed.at).await?;
                (Some(user), CallKind::ThreeLegged)
            }
            None => self.two_legged(&signed).await?,
        };
        Ok(AuthenticatedCall {
            signed,
            user,
            kind,
            peer,
            left,
        })
    }

    /// The user behind an access token. Whatever can never work again is one of the three problems on which a consumer
    /// drops its token; nothing else is.
    async fn three_legged(
        &self,
        consumer: &Consumer,
        cached: &CachedToken,
        now: Timestamp,
    ) -> Result<CallingUser, ProviderError> {
        let kept = cached.token.as_ref();
        let kept = kept.ok_or(Problem::TokenRejected(UNKNOWN_TOKEN))?;
        kept.check_use(&consumer.key, now)?;
        let user = self.token_user(&kept.user.subject).await?;
        Ok(user.unwrap_or_else(|| CallingUser::new(&*kept.user.subject, &*kept.user.display_name)))
    }

    async fn two_legged(
        &self,
        signed: &AuthenticatedRequest,
    ) -> Result<(Option<CallingUser>, CallKind), ProviderError> {
        let consumer = &signed.consumer;
        if !consumer.two_legged {
            return Err(NOT_TWO_LEGGED.into());
        }
        if let Some(subject) = &signed.request.requestor_id {
            let user = self.impersonated(consumer, subject).await?;
            return Ok((Some(user), CallKind::Impersonated));
        }
        let Some(subject) = consumer.two_legged_user.clone() else {
            return Ok((None, CallKind::TwoLegged));
        };
        let user = match self.directory.user_status(&subject).await {
            UserStatus::Active { display_name } => CallingUser::new(subject, display_name),
            UserStatus::Unknown => CallingUser::new(subject.clone(), subject),
            UserStatus::NotFound => return Err(NO_TWO_LEGGED_USER.into()),
        };
        Ok((Some(user), CallKind::TwoLegged))
    }
}

const NOT_TWO_LEGGED: Problem = Problem::PermissionDenied(
    "This consumer may not call as itself: send oauth_token, or set two_legged = true for it.",
);
const NO_TWO_LEGGED_USER: Problem =
    Problem::PermissionDenied("The consumer's two_legged_user does not exist.");
const NOT_AN_ENDPOINT: &str = "This URL is no token endpoint: they are /oauth/request-token and /oauth/access-token, spelt like this, right \
     below linkgate's public URL (or below path_prefix in place of /oauth, if that is configured).";

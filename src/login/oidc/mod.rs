//! An identity provider is asked (OpenID Connect Core 1.0): code flow, always with PKCE S256 (RFC 7636).
//!
//! `discovery` keeps what the provider publishes about itself; `claims` reads names out of what it said. The `state` is
//! the trip's id, and `web` lets each end once; nonce and verifier are derived from it. Nothing is asked at start: a
//! provider that is down then keeps nobody from serving.

mod claims;
mod discovery;

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, TokenResponse as _,
};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::clock::Clock;
use crate::model::User;
use crate::oauth::Secret;

use super::send;
use super::{HttpUrl, Trip, TripFault};
use crate::http::client::{Connector, HttpClientError};
use crate::setting::{FromFile, duration, seconds};
use crate::tls::{Roots, RootsError};

use claims::Names;
use discovery::Discovery;

/// Asks an identity provider.
#[derive(Debug)]
pub struct Oidc {
    config: OidcConfig,
    http: Connector,
    discovery: Discovery,
    clock: Clock,
}

/// `[login.oidc]`: an identity provider, and linkgate as its client.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// The issuer, which names the discovery document.
    pub issuer: HttpUrl,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: Secret,
    /// What is asked for beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim with the user's name for the application.
    #[serde(default = "user_claim")]
    pub user_claim: String,
    /// The claim with the user's name for people.
    #[serde(default = "display_claim")]
    pub display_claim: String,
    /// The trust roots; `None`: those of the operating system.
    pub ca_file: Option<FromFile<Roots>>,
    /// How long each of its answers may take.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<10>", deserialize_with = "duration")]
    pub timeout: Duration,
}

fn scopes() -> Vec<String> {
    vec!["profile".to_owned()]
}

fn user_claim() -> String {
    "preferred_username".to_owned()
}

fn display_claim() -> String {
    "name".to_owned()
}

/// What came back from the provider.
#[derive(Debug)]
pub struct Arrived<'a> {
    /// The code to exchange.
    pub code: &'a str,
    /// The issuer that the answer names (RFC 9207).
    pub issuer: Option<&'a str>,
}

/// Why a provider's answer makes no user. For the log.
#[derive(Debug, thiserror::Error)]
pub enum OidcFault {
    /// What it publishes about itself cannot be used.
    #[error("the discovery document or the keys of the identity provider cannot be used: {0}")]
    Discovery(String),
    /// The answer names another issuer: somebody mixed two providers up (RFC 9207).
    #[error("the answer is from the issuer {0:?}, and not from the configured one")]
    OtherIssuer(String),
    /// The code was not taken.
    #[error("the identity provider did not take the code: {0}")]
    Exchange(String),
    /// There is no ID token, or it is not to be believed.
    #[error("the ID token is not to be believed: {0}")]
    IdToken(String),
    /// The userinfo endpoint speaks of somebody else, or not at all.
    #[error("the userinfo endpoint cannot be used: {0}")]
    UserInfo(String),
    /// It does not name the user.
    #[error(
        "neither the ID token nor the userinfo endpoint has a usable {claim:?}; they have {known}. Is a scope missing, or is it another user_claim?"
    )]
    NoName {
        /// The claim that was wanted.
        claim: String,
        /// The claims that are there.
        known: String,
    },
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Oidc {
    /// Takes the configuration. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// The operating system has no trust roots, and the issuer needs them.
    pub fn new(config: OidcConfig, clock: Clock) -> Result<Self, RootsError> {
        let issuer = config.issuer.as_str();
        let http = super::connector(issuer, config.ca_file.as_ref(), config.timeout)?;
        Ok(Self {
            discovery: Discovery::new(issuer.to_owned(), http.clone(), clock.clone()),
            config,
            http,
            clock,
        })
    }

    /// Where a browser goes.
    pub async fn leave(&self, trip: &Trip) -> Result<String, TripFault> {
        let published = self.discovery.known().await?;
        let client = self.client(&published, trip)?;
        let verifier = PkceCodeVerifier::new(trip.verifier.expose().to_owned());
        let state = CsrfToken::new(trip.id.as_str().to_owned());
        let nonce = Nonce::new(trip.nonce.expose().to_owned());
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for scope in &self.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        if trip.fresh {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        Ok(request.url().0.into())
    }

    /// Exchanges a code for a user.
    pub async fn arrive(&self, trip: &Trip, arrived: Arrived<'_>) -> Result<User, TripFault> {
        if let Some(other) = arrived
            .issuer
            .filter(|issuer| *issuer != self.config.issuer.as_str())
        {
            return Err(OidcFault::OtherIssuer(other.to_owned()).into());
        }
        let published = self.discovery.known().await?;
        let client = self.client(&published, trip)?;
        let answer = self.exchange(&client, trip, arrived.code).await?;
        let token = answer
            .id_token()
            .ok_or_else(|| OidcFault::IdToken("there is none".to_owned()))?;
        let said = self.believe(&client, trip, token).await?;
        let names = Names::of(&said, &self.config);
        let names = match (names, published.userinfo_endpoint()) {
            (Names { subject: None, .. }, Some(endpoint)) => {
                let more = self
                    .user_info(endpoint.as_str(), answer.access_token(), &said)
                    .await?;
                Names::of(&more, &self.config).or(Names::of(&said, &self.config), &said, &more)
            }
            (names, _) => names,
        };
        let subject = names.subject.ok_or_else(|| OidcFault::NoName {
            claim: self.config.user_claim.clone(),
            known: names.known,
        })?;
        Ok(User {
            display_name: names.display_name.unwrap_or_else(|| subject.clone()),
            subject,
            proved_by: "oidc".to_owned(),
            proved_at: self.clock.now(),
        })
    }

    /// What the provider publishes, asked for now.
    pub async fn published(&self) -> Result<CoreProviderMetadata, TripFault> {
        Ok((*self.discovery.asked_now().await?).clone())
    }

    fn client(&self, published: &CoreProviderMetadata, trip: &Trip) -> Result<Client, OidcFault> {
        let back = RedirectUrl::new(trip.back.clone());
        let back = back.map_err(|error| OidcFault::Discovery(format!("our own address: {error}")))?;
        let secret = ClientSecret::new(self.config.client_secret.expose().to_owned());
        let id = ClientId::new(self.config.client_id.clone());
        Ok(CoreClient::from_provider_metadata(published.clone(), id, Some(secret)).set_redirect_uri(back))
    }

    async fn exchange(
        &self,
        client: &Client,
        trip: &Trip,
        code: &str,
    ) -> Result<CoreTokenResponse, TripFault> {
        let http = self.http.clone();
        let call = move |request| {
            let http = http.clone();
            async move { send(&http, request).await }
        };
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| OidcFault::Discovery(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(trip.verifier.expose().to_owned()));
        request.request_async(&call).await.map_err(|error| match error {
            RequestTokenError::Request(fault) => TripFault::Unavailable(fault),
            RequestTokenError::ServerResponse(said) => OidcFault::Exchange(said.error().to_string()).into(),
            // What could not be parsed may hold tokens, and is not repeated.
            RequestTokenError::Parse(error, _) => OidcFault::Exchange(error.to_string()).into(),
            RequestTokenError::Other(why) => OidcFault::Exchange(why).into(),
        })
    }

    /// Verifies an ID token (OpenID Connect Core, section 3.1.3.7) and returns its claims. A key that is not known yet may
    /// be new: the keys are asked for once more.
    async fn believe(&self, client: &Client, trip: &Trip, token: &CoreIdToken) -> Result<Json, TripFault> {
        let refused = |error: ClaimsVerificationError| OidcFault::IdToken(error.to_string());
        match self.verify(client, trip, token) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let published = self.discovery.renewed().await?;
                let client = self.client(&published, trip)?;
                self.verify(&client, trip, token).map_err(refused)?;
            }
            verdict => verdict.map_err(refused)?,
        }
        claims::of_verified(&token.to_string())
            .ok_or_else(|| OidcFault::IdToken("its claims cannot be read".to_owned()).into())
    }

    fn verify(
        &self,
        client: &Client,
        trip: &Trip,
        token: &CoreIdToken,
    ) -> Result<(), ClaimsVerificationError> {
        let clock = self.clock.clone();
        let time = move || chrono::DateTime::from_timestamp(clock.now().seconds(), 0).unwrap_or_default();
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(time);
        token
            .claims(&verifier, &Nonce::new(trip.nonce.expose().to_owned()))
            .map(|_| ())
    }

    /// Asks the userinfo endpoint, which must speak of the same user (OpenID Connect Core, section 5.3.2).
    async fn user_info(&self, endpoint: &str, token: &AccessToken, said: &Json) -> Result<Json, TripFault> {
        let unusable = |why: &str| TripFault::from(OidcFault::UserInfo(why.to_owned()));
        let bearer = HeaderValue::try_from(format!("Bearer {}", token.secret()));
        let mut bearer = bearer.map_err(|_| unusable("the access token cannot be sent"))?;
        bearer.set_sensitive(true);
        let request = Request::get(endpoint)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, bearer)
            .body(Vec::new())
            .map_err(|_| unusable("its address is no URL"))?;
        let http = &self.http;
        let answer = send(http, request).await.map_err(TripFault::Unavailable)?;
        let kind = answer.headers().get(CONTENT_TYPE);
        let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if answer.status() != StatusCode::OK || !is_json {
            return Err(unusable(&format!("it answers {} with {kind:?}", answer.status())));
        }
        let claims: Json = serde_json::from_slice(answer.body()).map_err(|_| unusable("it sends no JSON"))?;
        if claims.get("sub").is_none() || claims.get("sub") != said.get("sub") {
            return Err(unusable("it speaks of somebody else than the ID token (sub)"));
        }
        Ok(claims)
    }
}

impl From<HttpClientError> for TripFault {
    fn from(error: HttpClientError) -> Self {
        Self::Unavailable(error)
    }
}

/// Signatures that a provider's published keys verify. Not `none`, and no HMAC, for which our secret would be the key.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

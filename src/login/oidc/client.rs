//! The client of an identity provider: authorization request, token request, ID token, userinfo.

use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AsyncHttpClient, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IssuerUrl, JsonWebKey as _, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, TokenResponse as _,
};
use serde_json::Value as Json;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::http::client::{Connector, HttpClientError};
use crate::model::User;
use crate::oauth::Timestamp;
use crate::tls::RootsError;

use super::super::http::{connector, help, send};
use super::super::{Check, LoginFlow, Method, SignInError, is_user_name, rejected, user};
use super::OidcConfig;

/// The client of an identity provider.
#[derive(Debug)]
pub struct Oidc {
    config: OidcConfig,
    http: Connector,
    clock: Clock,
    /// What the provider published last, and when it was requested.
    cached: Mutex<Option<(Arc<CoreProviderMetadata>, Timestamp)>>,
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
    /// Takes the configuration. Nothing is requested yet.
    pub(crate) fn new(config: OidcConfig, clock: Clock) -> Result<Self, RootsError> {
        let http = connector(config.issuer.as_str(), config.ca_file.as_ref(), config.timeout)?;
        Ok(Self {
            config,
            http,
            clock,
            cached: Mutex::default(),
        })
    }

    /// Returns the URL of the authorization request (OpenID Connect Core, section 3.1.2.1).
    pub(crate) async fn authorization_url(&self, flow: &LoginFlow) -> Result<String, SignInError> {
        let client = self.client(&*self.metadata(HOUR).await?, flow)?;
        let verifier = PkceCodeVerifier::new(flow.verifier.expose().to_owned());
        let state = CsrfToken::new(flow.id.as_str().to_owned());
        let nonce = nonce(flow);
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for scope in &self.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        if flow.force_login {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        Ok(request.url().0.into())
    }

    /// Exchanges the code of an authorization response for a user. `issuer` is its `iss` (RFC 9207).
    pub(crate) async fn authenticate(
        &self,
        flow: &LoginFlow,
        code: &str,
        issuer: Option<&str>,
    ) -> Result<User, SignInError> {
        if let Some(other) = issuer.filter(|issuer| *issuer != self.config.issuer.as_str()) {
            return rejected(format!(
                "the answer is from the issuer {other:?}, and not from the configured one"
            ));
        }
        let metadata = self.metadata(HOUR).await?;
        let client = self.client(&metadata, flow)?;
        let tokens = self.exchange(&client, flow, code).await?;
        let Some(id_token) = tokens.id_token() else {
            return rejected("the identity provider sent no ID token");
        };
        let mut claims = vec![self.verify(&client, flow, id_token).await?];
        // OpenID Connect Core, section 3.1.2.1. The claim is optional, and then the provider alone is responsible.
        if claims[0]["auth_time"]
            .as_i64()
            .is_some_and(|at| flow.is_stale(at))
        {
            return rejected("a new sign-in was asked for, and the ID token's auth_time is older than that");
        }
        let (user_claim, display_claim) = (&self.config.user_claim, &self.config.display_claim);
        if let (None, Some(url)) = (name(&claims, user_claim), metadata.userinfo_endpoint()) {
            let user_info = self
                .user_info(url.as_str(), tokens.access_token(), &claims[0])
                .await?;
            claims.insert(0, user_info);
        }
        let Some(subject) = name(&claims, user_claim) else {
            return rejected(format!(
                "neither the ID token nor the userinfo endpoint has a usable {user_claim:?}; they have {}. \
                 Is a scope missing, or is it another user_claim?",
                claim_names(&claims)
            ));
        };
        let display_name = name(&claims, display_claim);
        Ok(user(Method::Oidc, subject, display_name, self.clock.now()))
    }

    /// Fetches the discovery document and the keys, and shows what matters in them.
    pub(crate) async fn diagnose(&self, flow: &LoginFlow) -> Vec<Check> {
        let check = "discovery document and keys";
        let metadata = match self.fetch_metadata().await {
            Ok(metadata) => metadata,
            Err(error) => {
                let help = match &error {
                    DiscoveryError::Request(error) => help(error),
                    _ => EXACT_ISSUER,
                };
                return vec![Check::new(check, undiscovered(error).to_string(), Some(help))];
            }
        };
        let none = |check: &str, help| Check::new(check, "there is none", Some(help));
        let keys = metadata.jwks().keys().iter();
        let keys: Vec<_> = keys
            .map(|key| key.key_id().map_or("(no id)", |id| id.as_str()))
            .collect();
        let userinfo = metadata.userinfo_endpoint().map(|url| url.as_str());
        vec![
            Check::ok(check, format!("issuer {}", metadata.issuer().as_str())),
            match keys.len() {
                0 => none("signing keys", "the provider must publish its keys at jwks_uri"),
                count => Check::ok("signing keys", format!("{count}: {}", keys.join(", "))),
            },
            Check::ok(
                "authorization endpoint",
                metadata.authorization_endpoint().as_str(),
            ),
            match metadata.token_endpoint() {
                None => none("token endpoint", "the provider must support the code flow"),
                Some(url) => Check::ok("token endpoint", url.as_str()),
            },
            Check::ok(
                "userinfo endpoint",
                userinfo.unwrap_or("there is none: the ID token must have the claims"),
            ),
            Check::ok("redirect URI to register there", flow.return_to.as_str()),
        ]
    }

    fn client(&self, metadata: &CoreProviderMetadata, flow: &LoginFlow) -> Result<Client, SignInError> {
        let redirect_uri = RedirectUrl::new(flow.return_to.clone())
            .map_err(|error| unusable(format_args!("linkgate's own URL: {error}")))?;
        let secret = ClientSecret::new(self.config.client_secret.expose().to_owned());
        let id = ClientId::new(self.config.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret));
        Ok(client.set_redirect_uri(redirect_uri))
    }

    async fn exchange(
        &self,
        client: &Client,
        flow: &LoginFlow,
        code: &str,
    ) -> Result<CoreTokenResponse, SignInError> {
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(unusable)?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.expose().to_owned()));
        let why = match request.request_async(&self.http).await {
            Ok(tokens) => return Ok(tokens),
            Err(RequestTokenError::Request(error)) => return Err(unavailable(&error)),
            Err(RequestTokenError::ServerResponse(response)) => response.error().to_string(),
            // What could not be parsed may hold tokens, and is not repeated.
            Err(RequestTokenError::Parse(error, _)) => error.to_string(),
            Err(RequestTokenError::Other(why)) => why,
        };
        rejected(format!("the identity provider did not take the code: {why}"))
    }

    /// Verifies an ID token (OpenID Connect Core, section 3.1.3.7) and returns its claims. An unknown key may be new: the
    /// keys are fetched once more.
    async fn verify(
        &self,
        client: &Client,
        flow: &LoginFlow,
        token: &CoreIdToken,
    ) -> Result<Json, SignInError> {
        use SignatureVerificationError::NoMatchingKey;
        let now = chrono::DateTime::from_timestamp(self.clock.now().seconds(), 0).unwrap_or_default();
        let verify = |client: &Client| {
            let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
            token
                .claims(&verifier.set_time_fn(move || now), &nonce(flow))
                .map(drop)
        };
        let mut verified = verify(client);
        if let Err(ClaimsVerificationError::SignatureVerification(NoMatchingKey)) = verified {
            verified = verify(&self.client(&*self.metadata(RENEWAL).await?, flow)?);
        }
        if let Err(error) = verified {
            return rejected(format!("the ID token cannot be accepted: {error}"));
        }
        // The crate keeps only those claims that it has types for.
        let token = token.to_string();
        let payload = token.split('.').nth(1);
        let payload = payload.and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        claims.map_or_else(|| rejected("the claims of the ID token cannot be read"), Ok)
    }

    /// Returns the claims of the userinfo endpoint, which must be about the same user (OpenID Connect Core, section 5.3.2).
    async fn user_info(&self, url: &str, token: &AccessToken, id_claims: &Json) -> Result<Json, SignInError> {
        let unusable = |why: &str| rejected(format!("the userinfo endpoint cannot be used: {why}"));
        let Ok(mut bearer) = HeaderValue::try_from(format!("Bearer {}", token.secret())) else {
            return unusable("the access token cannot be sent");
        };
        bearer.set_sensitive(true);
        let request = Request::get(url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, bearer);
        let Ok(request) = request.body(Vec::new()) else {
            return unusable("its address is no URL");
        };
        let response = send(&self.http, request)
            .await
            .map_err(|error| unavailable(&error))?;
        let kind = response.headers().get(CONTENT_TYPE);
        let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if response.status() != StatusCode::OK || !is_json {
            return unusable(&format!("it answers {} with {kind:?}", response.status()));
        }
        match serde_json::from_slice::<Json>(response.body()) {
            Ok(claims) if claims.get("sub").is_some() && claims.get("sub") == id_claims.get("sub") => {
                Ok(claims)
            }
            Ok(_) => unusable("its sub is not that of the ID token"),
            Err(_) => unusable("it sends no JSON"),
        }
    }

    /// Returns what the provider published at most so many seconds ago, or earlier if it does not respond. One request at a time:
    /// concurrent calls wait for its response.
    async fn metadata(&self, seconds: i64) -> Result<Arc<CoreProviderMetadata>, SignInError> {
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
                let error = undiscovered(error);
                tracing::warn!(%error, "older metadata and keys of the identity provider are used");
                Ok(Arc::clone(metadata))
            }
            (Err(error), None) => Err(undiscovered(error)),
        }
    }

    /// Requests the discovery document and the keys.
    async fn fetch_metadata(&self) -> Result<CoreProviderMetadata, DiscoveryError<HttpClientError>> {
        let issuer = self.config.issuer.as_str().to_owned();
        let issuer = IssuerUrl::new(issuer).map_err(DiscoveryError::UrlParse)?;
        CoreProviderMetadata::discover_async(issuer, &self.http).await
    }
}

fn undiscovered(error: DiscoveryError<HttpClientError>) -> SignInError {
    match error {
        DiscoveryError::Request(error) => unavailable(&error),
        DiscoveryError::UrlParse(error) => unusable(error),
        other => unusable(other),
    }
}

fn unavailable(error: &HttpClientError) -> SignInError {
    SignInError::Unavailable(format!("the identity provider is not available: {error}"))
}

fn unusable(why: impl Display) -> SignInError {
    let what = "the discovery document or the keys of the identity provider cannot be used";
    SignInError::Unavailable(format!("{what}: {why}"))
}

impl<'c> AsyncHttpClient<'c> for Connector {
    type Error = HttpClientError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpClientError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(send(self, request))
    }
}

fn nonce(flow: &LoginFlow) -> Nonce {
    Nonce::new(flow.nonce.expose().to_owned())
}

/// The name in a claim of the first document that has one.
fn name(documents: &[Json], claim: &str) -> Option<String> {
    let mut names = documents.iter().filter_map(|claims| claims.get(claim)?.as_str());
    names.find(|name| is_user_name(name)).map(str::to_owned)
}

fn claim_names(documents: &[Json]) -> String {
    let objects = documents.iter().filter_map(Json::as_object);
    let names: std::collections::BTreeSet<_> = objects.flat_map(|claims| claims.keys()).collect();
    let names: Vec<_> = names.into_iter().map(String::as_str).collect();
    names.join(", ")
}

/// Seconds for which metadata is used.
const HOUR: i64 = 3600;
/// Seconds for which it is used although a token has an unknown key. Tokens of an attacker must not cause requests without limit.
const RENEWAL: i64 = 10;

const EXACT_ISSUER: &str =
    "login.oidc.issuer must be written exactly as the document says, with or without a slash at the end";

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

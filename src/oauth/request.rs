//! Parsing and verification of signed requests (RFC 5849, sections 3.1 and 3.2).
//!
//! [`SignedRequest`] is unverified input; only [`SignedRequest::verify`] returns a [`VerifiedRequest`].

use sha2::{Digest, Sha256};

use super::authorization_header::credentials;
use super::base_string::signature_base_string;
use super::credentials::{ConsumerKey, Secret, SessionHandle, Token, Verifier, has_control};
use super::hash::BodyHash;
use super::parameters::{Parameter, Parameters, REQUIRED, Source, collect_parameters, names_oauth};
use super::problem::Problem;
use super::signature::{SignatureMethod, VerificationKey};
use super::timestamp::{Nonce, Timestamp};
use super::url::PublicUrl;

/// The signed parts of a request as it arrived (RFC 5849, section 3.4.1): nothing is decoded or cleaned.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The HTTP method as it arrived.
    pub method: &'a str,
    /// The public URL that the consumer called. It is configured: the `Host` field can be forged.
    pub url: &'a PublicUrl,
    /// Whether the request came over https, as seen by the outermost trusted proxy. PLAINTEXT requires it
    /// (RFC 5849, section 3.4.4).
    pub secure: bool,
    /// The path, not decoded.
    pub path: &'a str,
    /// The query without `?`, not decoded.
    pub query: Option<&'a str>,
    /// The values of all `Authorization` fields, in order.
    pub authorization: &'a [&'a [u8]],
    /// The whole body if its type is `application/x-www-form-urlencoded` (RFC 5849, section 3.4.1.3.1).
    pub form: Option<&'a [u8]>,
    /// Whether it has a body of another type, which is not signed.
    pub has_other_body: bool,
}

impl RequestView<'_> {
    /// Whether the request carries OAuth without its form; see [`collect_parameters`].
    pub fn is_signed(&self) -> bool {
        let query = self.query.unwrap_or_default().as_bytes();
        !matches!(credentials(self.authorization), Ok(None)) || names_oauth(query)
    }
}

/// A parsed request with a signature that is not verified.
pub struct SignedRequest {
    consumer_key: ConsumerKey,
    token: Option<Token>,
    method: SignatureMethod,
    timestamp: Timestamp,
    nonce: Nonce,
    signature: Secret,
    base_string: String,
    callback: Option<String>,
    verifier: Option<Verifier>,
    session_handle: Option<SessionHandle>,
    body_hash: Option<BodyHash>,
    requestor_id: Option<String>,
}

/// A request whose signature matched. Only [`SignedRequest::verify`] creates one.
#[derive(Debug)]
pub struct VerifiedRequest(SignedRequest);

impl SignedRequest {
    /// The parameters of every signed request. Timestamp and nonce are required for PLAINTEXT too.
    pub const REQUIRED: [&'static str; 5] = REQUIRED;

    /// Parses a request. `None` if it does not carry OAuth; see [`collect_parameters`].
    ///
    /// # Errors
    ///
    /// The first problem in this order: parameters that cannot be collected, `version_rejected`, `parameter_absent` for all
    /// that are absent, `signature_method_rejected`, then `parameter_rejected` for a malformed value and `token_rejected` for a
    /// malformed token, which the consumer has to discard.
    pub fn parse(view: &RequestView<'_>) -> Result<Option<Self>, Problem> {
        Self::parse_with(view, |_| {})
    }

    /// Parses a request whose consumer changed the parameters before it signed them.
    pub(super) fn parse_with(
        view: &RequestView<'_>,
        change: impl FnOnce(&mut Parameters<'_>),
    ) -> Result<Option<Self>, Problem> {
        let Some(mut parameters) = collect_parameters(view.query, view.authorization, view.form)? else {
            return Ok(None);
        };
        change(&mut parameters);
        let protocol = parameters.protocol();
        let find = |name: &str| {
            protocol
                .iter()
                .find(|parameter| *parameter.name == *name.as_bytes())
        };
        let value = |name: &str| find(name).map(Parameter::decode_value).transpose();
        if value("oauth_version")?.is_some_and(|version| version != "1.0") {
            return Err(Problem::VersionRejected);
        }
        let required = REQUIRED.map(find);
        let [
            Some(consumer_key),
            Some(method),
            Some(signature),
            Some(timestamp),
            Some(nonce),
        ] = required
        else {
            let absent = REQUIRED
                .into_iter()
                .zip(required)
                .filter(|(_, found)| found.is_none());
            return Err(Problem::ParameterAbsent(absent.map(|(name, _)| name).collect()));
        };
        let used = method.decode_value()?;
        let method = SignatureMethod::parse(&used).ok_or_else(|| Problem::SignatureMethodRejected {
            used: used.chars().take(MAX_METHOD).collect(),
            why: UNKNOWN_METHOD,
        })?;
        let path = if view.path.is_empty() { "/" } else { view.path };
        Ok(Some(Self {
            method,
            timestamp: Timestamp::parse(&timestamp.decode_value()?)?,
            nonce: Nonce::parse(&nonce.decode_value()?)?,
            consumer_key: ConsumerKey::parse(&consumer_key.decode_value()?)
                .ok_or_else(|| Problem::parameter_rejected("oauth_consumer_key", BAD_KEY))?,
            token: match value("oauth_token")?.as_deref() {
                None | Some("") => None,
                // A malformed token can never work: the consumer must discard it.
                Some(text) => Some(Token::parse(text).ok_or(Problem::TokenRejected(BAD_TOKEN))?),
            },
            signature: Secret::new(signature.decode_value()?),
            callback: value("oauth_callback")?.map(Into::into),
            verifier: value("oauth_verifier")?.map(Verifier::new),
            session_handle: value("oauth_session_handle")?.map(SessionHandle::new),
            body_hash: match value("oauth_body_hash")? {
                // draft-eaton-oauth-bodyhash-00g, section 4.1
                Some(_) if view.form.is_some() => {
                    return Err(Problem::parameter_rejected("oauth_body_hash", FORM_WITH_HASH));
                }
                text => text
                    .map(|text| BodyHash::parse(&text, method.hash()))
                    .transpose()?,
            },
            requestor_id: requestor_id(&parameters)?,
            base_string: signature_base_string(view.method, [view.url.as_str(), path], &parameters),
        }))
    }

    /// The consumer key, not verified.
    pub fn consumer_key(&self) -> &ConsumerKey {
        &self.consumer_key
    }

    /// The token. `None` if the request is two-legged: `oauth_token` is absent or empty.
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// The signature method.
    pub fn method(&self) -> SignatureMethod {
        self.method
    }

    /// The timestamp.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The nonce.
    pub fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    /// The first 16 bytes of SHA-256 over consumer key, token, timestamp and nonce, each after its length. It is stored: later
    /// releases must compute the same.
    pub fn nonce_digest(&self) -> [u8; 16] {
        let token = self.token.as_ref().map_or("", Token::as_str);
        let timestamp = self.timestamp.seconds().to_string();
        let mut digest = Sha256::new();
        for part in [self.consumer_key.as_str(), token, &timestamp, self.nonce.as_str()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let digest = digest.finalize();
        std::array::from_fn(|at| digest[at])
    }

    /// The signature base string (RFC 5849, section 3.4.1.1).
    pub fn base_string(&self) -> &str {
        &self.base_string
    }

    /// Verifies the signature with the active keys of the consumer (RFC 5849, section 3.2).
    ///
    /// `token_secret` is that of the token in the request, `None` without a token. Any key may match: during a rotation a
    /// consumer has two.
    ///
    /// # Errors
    ///
    /// `signature_method_rejected` if no key is of the method's family, `signature_invalid` if no key matches.
    pub fn verify(
        self,
        keys: &[VerificationKey],
        token_secret: Option<&Secret>,
    ) -> Result<VerifiedRequest, Problem> {
        let is_rsa = self.method.is_rsa();
        self.method.check_keys(keys)?;
        let (base_string, signature) = (self.base_string.as_str(), self.signature.expose());
        if keys
            .iter()
            .any(|key| key.verify(self.method, base_string, signature, token_secret))
        {
            return Ok(VerifiedRequest(self));
        }
        Err(Problem::SignatureInvalid(if is_rsa {
            RSA_MISMATCH
        } else {
            HMAC_MISMATCH
        }))
    }
}

impl std::fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedRequest")
            .field("consumer_key", &self.consumer_key)
            .field("token", &self.token)
            .field("method", &self.method)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl VerifiedRequest {
    /// `oauth_callback` (request-token endpoint).
    pub fn callback(&self) -> Option<&str> {
        self.callback.as_deref()
    }

    /// `oauth_verifier` (access-token endpoint).
    pub fn verifier(&self) -> Option<&Verifier> {
        self.verifier.as_ref()
    }

    /// The name of the parameter that only a token endpoint takes, if there is one.
    pub fn token_endpoint_parameter(&self) -> Option<&'static str> {
        let callback = self.callback.as_ref().map(|_| "oauth_callback");
        callback.or(self.verifier.as_ref().map(|_| "oauth_verifier"))
    }

    /// `oauth_session_handle` (renewal).
    pub fn session_handle(&self) -> Option<&SessionHandle> {
        self.session_handle.as_ref()
    }

    /// `oauth_body_hash`.
    pub fn body_hash(&self) -> Option<&BodyHash> {
        self.body_hash.as_ref()
    }

    /// `xoauth_requestor_id` in the query: the user of an impersonated call.
    pub fn requestor_id(&self) -> Option<&str> {
        self.requestor_id.as_deref()
    }
}

impl std::ops::Deref for VerifiedRequest {
    type Target = SignedRequest;

    fn deref(&self) -> &SignedRequest {
        &self.0
    }
}

/// Finds the user of an impersonated call: named once, in the query. A consumer that names a user elsewhere means that user
/// all the same, and is told to move the parameter.
fn requestor_id(parameters: &Parameters<'_>) -> Result<Option<String>, Problem> {
    let rejected = |why| Err(Problem::parameter_rejected(REQUESTOR_ID, why));
    let is_requestor_id = |parameter: &&Parameter<'_>| *parameter.name == *REQUESTOR_ID.as_bytes();
    let mut found = parameters.iter().filter(is_requestor_id);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(only), None) if only.source == Source::Query => {
            let user = only.decode_value()?;
            if user.is_empty() || has_control(&user) {
                return rejected("xoauth_requestor_id must be the name of a user.");
            }
            Ok(Some(user.into_owned()))
        }
        _ => rejected("Send xoauth_requestor_id once, in the query."),
    }
}

const REQUESTOR_ID: &str = "xoauth_requestor_id";
const BAD_KEY: &str = "oauth_consumer_key must have 1 to 255 characters.";
const BAD_TOKEN: &str = "This is not a token of linkgate's.";
const FORM_WITH_HASH: &str = "Leave oauth_body_hash out when the body is a form: its parameters are signed.";
/// Characters of an unknown method that are kept for the log.
const MAX_METHOD: usize = 64;
const UNKNOWN_METHOD: &str =
    "linkgate knows HMAC-SHA1, RSA-SHA1, their SHA256 and SHA512 forms, and PLAINTEXT.";
const RSA_MISMATCH: &str =
    "The signature does not match: compare the URL as it was signed, and the consumer's key pair.";
const HMAC_MISMATCH: &str =
    "The signature does not match: compare the URL as it was signed, and the shared secret.";

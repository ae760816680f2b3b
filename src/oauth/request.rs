//! Signed requests (RFC 5849, sections 3.1 and 3.2). Only [`SignedRequest::verify`] returns a [`VerifiedRequest`].

use sha2::{Digest, Sha256};

use super::authorization_header::credentials;
use super::base_string::signature_base_string;
use super::credentials::{ConsumerKey, Secret, Token, has_control};
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
    /// Whether it came over https, as seen by the outermost trusted proxy. PLAINTEXT requires it (section 3.4.4).
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

/// The protocol parameters of a request (RFC 5849, section 3.1), decoded. They can be read, and not changed; `Debug` shows
/// consumer, token, method and timestamp.
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct ProtocolParameters {
    pub consumer_key: ConsumerKey,
    /// The token. `None` if the request is two-legged: `oauth_token` is absent or empty.
    pub token: Option<Token>,
    pub method: SignatureMethod,
    pub timestamp: Timestamp,
    pub nonce: Nonce,
    pub callback: Option<String>,
    pub verifier: Option<Secret>,
    /// `oauth_session_handle` (renewal).
    pub session_handle: Option<Secret>,
    pub body_hash: Option<BodyHash>,
    /// `xoauth_requestor_id` in the query: the user of an impersonated call.
    pub requestor_id: Option<String>,
    signature: Secret,
}

/// A parsed request with a signature that is not verified.
pub struct SignedRequest {
    protocol: ProtocolParameters,
    base_string: String,
}

/// A request whose signature matched. Only [`SignedRequest::verify`] creates one.
#[derive(Debug)]
pub struct VerifiedRequest(SignedRequest);

impl SignedRequest {
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
        let protocol = ProtocolParameters::parse(&parameters, view.form.is_some())?;
        let path = if view.path.is_empty() { "/" } else { view.path };
        Ok(Some(Self {
            protocol,
            base_string: signature_base_string(view.method, [view.url.as_str(), path], &parameters),
        }))
    }

    /// The first 16 bytes of SHA-256 over key, token, timestamp and nonce, each after its length. Stored: it must never
    /// change.
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

    /// Verifies the signature with the active keys of the consumer (RFC 5849, section 3.2): during a rotation it has two.
    /// `token_secret` is that of the token in the request.
    ///
    /// # Errors
    ///
    /// `signature_method_rejected` if no key is of the method's family, `signature_invalid` if no key matches.
    pub fn verify(
        self,
        keys: &[VerificationKey],
        token_secret: Option<&Secret>,
    ) -> Result<VerifiedRequest, Problem> {
        self.method.check_keys(keys)?;
        let (base_string, signature) = (self.base_string.as_str(), self.signature.expose());
        let is_signed_with =
            |key: &VerificationKey| key.verify(self.method, base_string, signature, token_secret);
        if keys.iter().any(is_signed_with) {
            return Ok(VerifiedRequest(self));
        }
        let is_rsa = self.method.is_rsa();
        let advice = if is_rsa { RSA_MISMATCH } else { HMAC_MISMATCH };
        Err(Problem::SignatureInvalid(advice))
    }
}

impl std::fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.protocol.fmt(f)
    }
}

impl std::fmt::Debug for ProtocolParameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedRequest")
            .field("consumer_key", &self.consumer_key)
            .field("token", &self.token)
            .field("method", &self.method)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl std::ops::Deref for SignedRequest {
    type Target = ProtocolParameters;

    fn deref(&self) -> &ProtocolParameters {
        &self.protocol
    }
}

impl std::ops::Deref for VerifiedRequest {
    type Target = SignedRequest;

    fn deref(&self) -> &SignedRequest {
        &self.0
    }
}

impl ProtocolParameters {
    fn parse(parameters: &Parameters<'_>, has_form: bool) -> Result<Self, Problem> {
        let protocol = parameters.protocol();
        let find = |name: &str| {
            let mut parameters = protocol.iter();
            parameters.find(|parameter| *parameter.name == *name.as_bytes())
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
            let absent = REQUIRED.into_iter().zip(required);
            let absent = absent.filter(|(_, found)| found.is_none());
            return Err(Problem::ParameterAbsent(absent.map(|(name, _)| name).collect()));
        };
        let used = method.decode_value()?;
        let method: SignatureMethod = used.parse().map_err(|_| Problem::SignatureMethodRejected {
            used: used.chars().take(MAX_METHOD).collect(),
            why: UNKNOWN_METHOD,
        })?;
        Ok(Self {
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
            verifier: value("oauth_verifier")?.map(Secret::new),
            session_handle: value("oauth_session_handle")?.map(Secret::new),
            body_hash: match value("oauth_body_hash")? {
                // draft-eaton-oauth-bodyhash-00g, section 4.1
                Some(_) if has_form => {
                    return Err(Problem::parameter_rejected("oauth_body_hash", FORM_WITH_HASH));
                }
                Some(text) => Some(BodyHash::parse(&text, method.hash())?),
                None => None,
            },
            requestor_id: requestor_id(parameters)?,
        })
    }
}

/// Finds the user of an impersonated call: named once, in the query. One named elsewhere is told to move the parameter.
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

//! A claim becomes a fact: [`SignedRequest`] is parsed and believed by nobody, [`VerifiedRequest`] is verified.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::base_string::{self, PublicUrl};
use super::body_hash::BodyHash;
use super::credentials::{ConsumerKey, Secret, SessionHandle, Token, Verifier, has_control};
use super::parameters::{Parameters, Protocol, SIGNING, Source};
use super::problem::Problem;
use super::signature::{SignatureMethod, VerificationKey};
use super::timestamp::{Nonce, Timestamp};

/// A request as it arrived, in the words of RFC 5849, section 3.4.1: nothing decoded, nothing cleaned.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The HTTP method as it arrived.
    pub method: &'a str,
    /// The URL of ours that the consumer called: configured, never `Host`.
    pub url: &'a PublicUrl,
    /// Whether it came over https, as far as we are told: what PLAINTEXT asks for (RFC 5849, section 3.4.4).
    pub secure: bool,
    /// The raw path.
    pub path: &'a str,
    /// The raw query, without `?`.
    pub query: Option<&'a str>,
    /// The values of all `Authorization` fields, in order.
    pub authorization: &'a [&'a [u8]],
    /// The whole body when its type is exactly `application/x-www-form-urlencoded` (RFC 5849, section 3.4.1.3.1).
    pub form: Option<&'a [u8]>,
}

/// A request that claims to be signed.
pub struct SignedRequest {
    consumer_key: ConsumerKey,
    token: Option<Token>,
    method: SignatureMethod,
    timestamp: Timestamp,
    nonce: Nonce,
    signature: Secret,
    base_string: String,
    source: Source,
    /// Apart: most calls say nothing of it, and are moved often.
    seldom: Option<Box<Seldom>>,
}

/// What only some requests say.
struct Seldom {
    callback: Option<String>,
    verifier: Option<Verifier>,
    session_handle: Option<SessionHandle>,
    body_hash: Option<BodyHash>,
    requestor: Option<String>,
}

/// A request whose signature was verified. Only [`SignedRequest::verify`] makes one.
#[derive(Debug)]
pub struct VerifiedRequest {
    request: SignedRequest,
}

impl SignedRequest {
    /// The parameters without which no request is signed. Timestamp and nonce are required of PLAINTEXT too.
    pub const REQUIRED: [&'static str; 5] = SIGNING;

    /// Reads the claim. `Ok(None)`: the request carries no OAuth at all; see [`Parameters::collect`] for what counts.
    pub fn parse(view: &RequestView<'_>) -> Result<Option<Self>, Problem> {
        let Some(parameters) = Parameters::collect(view)? else {
            return Ok(None);
        };
        let protocol = Protocol::of(&parameters);
        let text = |slot| parameters.text(slot);
        if text(protocol.version)?.is_some_and(|version| version != "1.0") {
            return Err(Problem::VersionRejected);
        }
        let absent = protocol.absent();
        if !absent.is_empty() {
            return Err(Problem::ParameterAbsent(absent));
        }
        let method = SignatureMethod::parse(&text(protocol.signature_method)?.unwrap_or_default());
        let method = method.ok_or(Problem::SignatureMethodRejected(UNKNOWN_METHOD))?;
        let timestamp = Timestamp::parse(&text(protocol.timestamp)?.unwrap_or_default())?;
        let nonce = Nonce::parse(&text(protocol.nonce)?.unwrap_or_default())?;
        let consumer_key = ConsumerKey::parse(&text(protocol.consumer_key)?.unwrap_or_default());
        let consumer_key =
            consumer_key.ok_or_else(|| Problem::parameter_rejected("oauth_consumer_key", BAD_KEY))?;
        Ok(Some(Self {
            consumer_key,
            token: token(text(protocol.token)?)?,
            method,
            timestamp,
            nonce,
            signature: Secret::new(text(protocol.signature)?.unwrap_or_default()),
            seldom: Seldom::of(&parameters, &protocol, method, view.form.is_some())?,
            source: parameters.source().unwrap_or(Source::Header),
            base_string: base_string::base_string(view.method, view.url, view.path, &parameters),
        }))
    }

    /// Who claims to sign.
    pub fn consumer_key(&self) -> &ConsumerKey {
        &self.consumer_key
    }

    /// The token; `None` when it is absent or empty (both are two-legged).
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// The method that the peer says it signed with.
    pub fn method(&self) -> SignatureMethod {
        self.method
    }

    /// When it was signed.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The nonce.
    pub fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    /// Where its OAuth parameters stood.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Sixteen bytes that stand for consumer, token, timestamp and nonce: SHA-256 over the four, each after its length.
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

    /// The bytes that the consumer should have signed (RFC 5849, section 3.4.1.1).
    pub fn base_string(&self) -> &str {
        &self.base_string
    }

    /// Verifies the signature with one of the consumer's live keys.
    ///
    /// `token_secret` is that of the token that the request names, none without a token. Keys of another family than the
    /// method's are not even tried; if there are no others, the method is refused.
    pub fn verify(
        self,
        keys: &[VerificationKey],
        token_secret: Option<&Secret>,
    ) -> Result<VerifiedRequest, Problem> {
        let mut fitting = keys.iter().filter(|key| key.fits(self.method)).peekable();
        if fitting.peek().is_none() {
            return Err(Problem::SignatureMethodRejected(if self.method.is_rsa() {
                "linkgate has a shared secret for this consumer, no RSA public key: sign with HMAC, or register the key."
            } else {
                "linkgate has an RSA public key for this consumer, no shared secret: sign with RSA."
            }));
        }
        let signature = self.signature.expose();
        let verified = fitting.any(|key| key.verify(self.method, &self.base_string, signature, token_secret));
        if verified {
            Ok(VerifiedRequest { request: self })
        } else {
            Err(Problem::SignatureInvalid(if self.method.is_rsa() {
                "The signature does not match: compare the URL as it was signed, and the consumer's key pair."
            } else {
                "The signature does not match: compare the URL as it was signed, and the shared secret."
            }))
        }
    }
}

impl Seldom {
    /// Reads it; `form`: the body is one. `None`: there is nothing of it.
    fn of(
        parameters: &Parameters,
        protocol: &Protocol<'_>,
        method: SignatureMethod,
        form: bool,
    ) -> Result<Option<Box<Self>>, Problem> {
        let text = |slot| parameters.text(slot);
        let all = Self {
            callback: text(protocol.callback)?.map(Into::into),
            verifier: text(protocol.verifier)?.map(Secret::new),
            session_handle: text(protocol.session_handle)?.map(Secret::new),
            body_hash: body_hash(text(protocol.body_hash)?, method, form)?,
            requestor: requestor(parameters)?,
        };
        let is_nothing = matches!(
            all,
            Self {
                callback: None,
                verifier: None,
                session_handle: None,
                body_hash: None,
                requestor: None,
            }
        );
        Ok((!is_nothing).then(|| Box::new(all)))
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
    /// `oauth_callback`, decoded (request-token endpoint).
    pub fn callback(&self) -> Option<&str> {
        self.seldom()?.callback.as_deref()
    }

    /// `oauth_verifier` (access-token endpoint).
    pub fn verifier(&self) -> Option<&Verifier> {
        self.seldom()?.verifier.as_ref()
    }

    /// `oauth_session_handle` (renewal).
    pub fn session_handle(&self) -> Option<&SessionHandle> {
        self.seldom()?.session_handle.as_ref()
    }

    /// `oauth_body_hash` (draft-eaton-oauth-bodyhash-00g): what the body must hash to.
    pub fn body_hash(&self) -> Option<&BodyHash> {
        self.seldom()?.body_hash.as_ref()
    }

    /// `xoauth_requestor_id` from the signed query: the user that a two-legged call names.
    pub fn requestor_id(&self) -> Option<&str> {
        self.seldom()?.requestor.as_deref()
    }

    fn seldom(&self) -> Option<&Seldom> {
        self.request.seldom.as_deref()
    }
}

impl std::ops::Deref for VerifiedRequest {
    type Target = SignedRequest;

    fn deref(&self) -> &SignedRequest {
        &self.request
    }
}

/// The token. What cannot be a token of ours can never work: the consumer must drop it.
fn token(text: Option<Cow<'_, str>>) -> Result<Option<Token>, Problem> {
    let text = text.unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let token = Token::parse(&text).ok_or(Problem::TokenRejected("This is not a token of linkgate's."));
    token.map(Some)
}

/// The body hash. A form is signed itself, so a hash beside it is refused (draft-eaton-oauth-bodyhash-00g, section 4.1).
fn body_hash(
    text: Option<Cow<'_, str>>,
    method: SignatureMethod,
    form: bool,
) -> Result<Option<BodyHash>, Problem> {
    let Some(text) = text else {
        return Ok(None);
    };
    if form {
        return Err(Problem::parameter_rejected(
            "oauth_body_hash",
            "Leave oauth_body_hash out when the body is a form: its parameters are signed.",
        ));
    }
    BodyHash::parse(&text, method).map(Some)
}

/// The user whom a two-legged call names: once, and in the query. One in the header is ignored, as it was never the
/// convention; one in a form is refused, since the consumer surely meant it.
fn requestor(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let refused = |why| Err(Problem::parameter_rejected(REQUESTOR, why));
    let mut found = parameters
        .named_pairs(REQUESTOR)
        .filter(|pair| pair.source != Source::Header);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(only), None) if only.source == Source::Query => {
            let user = parameters.text(Some(only))?.unwrap_or_default();
            if user.is_empty() || has_control(&user) {
                return refused("xoauth_requestor_id must be the name of a user.");
            }
            Ok(Some(user.into_owned()))
        }
        _ => refused("Send xoauth_requestor_id once, in the query."),
    }
}

const REQUESTOR: &str = "xoauth_requestor_id";
const BAD_KEY: &str = "oauth_consumer_key must have 1 to 255 characters.";
const UNKNOWN_METHOD: &str =
    "linkgate knows HMAC-SHA1, RSA-SHA1, their SHA256 and SHA512 forms, and PLAINTEXT.";

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

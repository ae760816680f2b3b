//! A claim becomes a fact: [`SignedRequest`] is parsed and believed by nobody, [`Authentic`] is verified.

use super::base_string::PublicUrl;
use super::credentials::{ConsumerKey, Secret, SessionHandle, Token, Verifier};
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
pub struct SignedRequest {}

/// A request whose signature was verified. Only [`SignedRequest::verify`] makes one.
#[derive(Debug)]
pub struct Authentic {
    request: SignedRequest,
}

impl SignedRequest {
    /// Reads the claim. `Ok(None)`: the request carries no OAuth at all.
    pub fn parse(_view: &RequestView<'_>) -> Result<Option<Self>, Problem> {
        todo!()
    }

    /// Who claims to sign.
    pub fn consumer_key(&self) -> &ConsumerKey {
        todo!()
    }

    /// The token; `None` when it is absent or empty (both are two-legged).
    pub fn token(&self) -> Option<&Token> {
        todo!()
    }

    /// The method that the peer says it signed with.
    pub fn method(&self) -> SignatureMethod {
        todo!()
    }

    /// When it was signed.
    pub fn timestamp(&self) -> Timestamp {
        todo!()
    }

    /// The nonce.
    pub fn nonce(&self) -> &Nonce {
        todo!()
    }

    /// Sixteen bytes that stand for consumer, token, timestamp and nonce: SHA-256 over the four, each after its length.
    pub fn nonce_digest(&self) -> [u8; 16] {
        todo!()
    }

    /// The bytes that the consumer should have signed (RFC 5849, section 3.4.1.1).
    pub fn base_string(&self) -> &str {
        todo!()
    }

    /// Verifies the signature with one of the consumer's live keys.
    ///
    /// `token_secret` is that of the token that the request names, none without a token.
    pub fn verify(
        self,
        _keys: &[VerificationKey],
        _token_secret: Option<&Secret>,
    ) -> Result<Authentic, Problem> {
        todo!()
    }
}

impl std::fmt::Debug for SignedRequest {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}

impl Authentic {
    /// `oauth_callback`, decoded (request-token endpoint).
    pub fn callback(&self) -> Option<&str> {
        todo!()
    }

    /// `oauth_verifier` (access-token endpoint).
    pub fn verifier(&self) -> Option<&Verifier> {
        todo!()
    }

    /// `oauth_session_handle` (renewal).
    pub fn session_handle(&self) -> Option<&SessionHandle> {
        todo!()
    }

    /// `oauth_body_hash` (draft-eaton-oauth-bodyhash-00g), decoded from base64 already.
    pub fn body_hash(&self) -> Option<&[u8]> {
        todo!()
    }

    /// `xoauth_requestor_id` from the signed query: the user that a two-legged call names.
    pub fn requestor(&self) -> Option<&str> {
        todo!()
    }
}

impl std::ops::Deref for Authentic {
    type Target = SignedRequest;

    fn deref(&self) -> &SignedRequest {
        &self.request
    }
}

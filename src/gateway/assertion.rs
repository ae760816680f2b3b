//! The signed assertion: who calls, in a JWT (RFC 7519) that the application can check without trusting the network.

use std::fmt;

use aws_lc_rs::agreement;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Method};
use rand::TryRng;
use rand::rngs::SysRng;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::GatewayError;
use crate::clock::Clock;
use crate::provider::{CallKind, Caller};

/// The header that carries the assertion.
pub const X_LINKGATE_ASSERTION: HeaderName = HeaderName::from_static("x-linkgate-assertion");

/// Makes assertions: ES256 (RFC 7518, section 3.4), good for sixty seconds and for one method and path.
#[derive(Clone, Debug)]
pub struct Assertion {
    issuer: String,
    audience: String,
    header: String,
    keys: std::sync::Arc<[AssertionKey]>,
    clock: Clock,
}

impl Assertion {
    /// Takes the issuer (our public URL), the audience (the application), and the key that signs.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        key: AssertionKey,
        clock: Clock,
    ) -> Self {
        let header = serde_json::json!({ "alg": "ES256", "typ": "JWT", "kid": key.id });
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            keys: [key].into(),
            clock,
        }
    }

    /// Shows keys that signed before as well, so that nothing fails while a key is rotated.
    #[must_use]
    pub fn with_previous(mut self, previous: Vec<AssertionKey>) -> Self {
        self.keys = self.keys.iter().cloned().chain(previous).collect();
        self
    }

    /// The public keys as a JWK set (RFC 7517, section 5), for `/.well-known/linkgate/jwks.json`.
    pub fn jwks(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(AssertionKey::jwk).collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    /// Says who makes this call.
    pub(super) fn sign(
        &self,
        caller: &Caller,
        method: &Method,
        path: &str,
    ) -> Result<HeaderValue, GatewayError> {
        let now = self.clock.now().seconds();
        let claims = Claims {
            iss: &self.issuer,
            aud: &self.audience,
            sub: caller.user.as_ref().map(|user| user.subject.as_str()),
            name: caller.user.as_ref().map(|user| user.display_name.as_str()),
            consumer: caller.consumer.key.as_str(),
            call: match caller.kind {
                CallKind::ThreeLegged => "three-legged",
                CallKind::TwoLegged => "two-legged",
                CallKind::Impersonated => "impersonated",
            },
            method: method.as_str(),
            path,
            iat: now,
            exp: now + LIFETIME,
            jti: unique()?,
        };
        let claims = serde_json::to_vec(&claims).map_err(|_| FAILED)?;
        let mut jwt = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = self.keys[0].pair.sign(&SystemRandom::new(), jwt.as_bytes());
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.map_err(|_| FAILED)?.as_ref(), &mut jwt);
        let mut value = HeaderValue::try_from(jwt).map_err(|_| FAILED)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// A P-256 key that every replica derives from the same secret.
#[derive(Clone)]
pub struct AssertionKey {
    id: String,
    pair: std::sync::Arc<EcdsaKeyPair>,
    x: String,
    y: String,
}

impl AssertionKey {
    /// Derives the key from 32 secret bytes: the first HMAC-SHA-256 of a counter that is a scalar of the curve, which
    /// all but one in four thousand million are. `None` would need an unbroken row of those.
    pub fn derive(seed: &[u8; 32]) -> Option<Self> {
        (0..=u8::MAX).find_map(|counter| Self::from_scalar(&scalar(seed, counter)))
    }

    /// The key's id: its thumbprint (RFC 7638).
    pub fn id(&self) -> &str {
        &self.id
    }

    fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        let private = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar).ok()?;
        let public = private.compute_public_key().ok()?;
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar, public.as_ref()).ok()?;
        // An uncompressed point (SEC 1, section 2.3.3): 4, x, y.
        let (x, y) = public.as_ref().get(1..65)?.split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Some(Self {
            id: URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)),
            pair: pair.into(),
            x,
            y,
        })
    }

    fn jwk(&self) -> serde_json::Value {
        serde_json::json!({
            "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y, "kid": self.id, "use": "sig", "alg": "ES256",
        })
    }
}

impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AssertionKey").field(&self.id).finish()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    consumer: &'a str,
    call: &'a str,
    method: &'a str,
    path: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

fn scalar(seed: &[u8; 32], counter: u8) -> Zeroizing<[u8; 32]> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(seed).expect("HMAC takes keys of any length");
    mac.update(b"linkgate assertion key");
    mac.update(&[counter]);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn unique() -> Result<String, GatewayError> {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| FAILED)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

const FAILED: GatewayError = GatewayError::Internal("the assertion cannot be signed");

/// How long an assertion is good, in seconds.
const LIFETIME: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replica_derives_the_same_key() {
        let derive = |seed| AssertionKey::derive(&[seed; 32]).unwrap();
        assert_eq!(derive(1).jwk(), derive(1).jwk());
        assert_ne!(derive(1).id(), derive(2).id());
        assert_eq!(
            format!("{:?}", derive(1)),
            format!("AssertionKey({:?})", derive(1).id())
        );
    }

    #[test]
    fn a_number_beyond_the_curve_is_no_key() {
        assert!(AssertionKey::from_scalar(&[0; 32]).is_none());
        assert!(AssertionKey::from_scalar(&[0xff; 32]).is_none());
    }
}

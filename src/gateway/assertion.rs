//! The identity assertion: a JWT (RFC 7519) that lets the application verify the caller without trusting the network.

use std::sync::Arc;

use aws_lc_rs::agreement;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Method};
use rand::TryRng;
use rand::rngs::SysRng;
use serde_json::json;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::GatewayError;
use crate::clock::Clock;
use crate::provider::Caller;

/// The header that carries the assertion.
pub const X_LINKGATE_ASSERTION: HeaderName = HeaderName::from_static("x-linkgate-assertion");

/// Signs assertions with ES256 (RFC 7518, section 3.4). An assertion is valid for 60 seconds, one method and one path.
#[derive(Clone, Debug)]
pub struct Assertion {
    issuer: String,
    audience: String,
    /// The first one signs.
    keys: Vec<AssertionKey>,
    clock: Clock,
}

impl Assertion {
    /// Takes the issuer (the public URL), the audience (the application), the key that signs, and those that signed earlier,
    /// so that their assertions stay valid while a key is rotated.
    pub fn new(issuer: &str, audience: &str, keys: Vec<AssertionKey>, clock: Clock) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            keys,
            clock,
        }
    }

    /// The public keys as a JWK set (RFC 7517, section 5), for `/.well-known/linkgate/jwks.json`.
    pub fn jwks(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(AssertionKey::jwk).collect();
        json!({ "keys": keys }).to_string()
    }

    /// The assertion for one call. `path` is without the query.
    pub(super) fn sign(
        &self,
        caller: &Caller,
        method: &Method,
        path: &str,
    ) -> Result<HeaderValue, GatewayError> {
        let mut id = [0; 16];
        SysRng.try_fill_bytes(&mut id).map_err(|_| FAILED)?;
        let now = self.clock.now().seconds();
        let mut claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "consumer": caller.consumer.key.as_str(),
            "call": caller.kind.name(),
            "method": method.as_str(),
            "path": path,
            "iat": now,
            "exp": now + LIFETIME_SECS,
            "jti": URL_SAFE_NO_PAD.encode(id),
        });
        if let Some(user) = &caller.user {
            claims["sub"] = json!(user.subject);
            claims["name"] = json!(user.display_name);
        }
        let key = self.keys.first().ok_or(FAILED)?;
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": key.id });
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = key.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.map_err(|_| FAILED)?);
        let jwt = format!("{signed}.{signature}");
        let mut value = HeaderValue::try_from(jwt).map_err(|_| FAILED)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// A P-256 key that every replica derives from the same secret.
#[derive(Clone, Debug)]
pub struct AssertionKey {
    /// The `kid`: the key's thumbprint (RFC 7638).
    id: String,
    pair: Arc<EcdsaKeyPair>,
    x: String,
    y: String,
}

impl AssertionKey {
    /// Derives a key from a secret: the first HMAC-SHA-256 of a counter that is a valid scalar. One value in 2^32 is not,
    /// so `None` does not occur in practice.
    pub fn derive(seed: &[u8; 32]) -> Option<Self> {
        (0..=u8::MAX).find_map(|counter| {
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(seed).ok()?;
            mac.update(b"linkgate assertion key");
            mac.update(&[counter]);
            Self::from_scalar(&Zeroizing::new(mac.finalize().into_bytes().into()))
        })
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
        json!({
            "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y, "kid": self.id, "use": "sig", "alg": "ES256",
        })
    }
}

const FAILED: GatewayError = GatewayError::Internal("the assertion cannot be signed");

const LIFETIME_SECS: i64 = 60;

//! The private key: what signs when we are the consumer.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use rand::{SeedableRng, rngs::StdRng};
use rsa::Pkcs1v15Sign;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::traits::PublicKeyParts;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::oauth::credentials::Secret;
use crate::oauth::signature::SignatureMethod;

use super::{KeyError, PublicKey};

/// An RSA private key: for the simulated Bitbucket, for links, and for tests. Cloning it is cheap; wiped on drop.
#[derive(Clone)]
pub struct PrivateKey(Arc<Pair>);

struct Pair {
    private: rsa::PrivateKey,
    public: PublicKey,
    pem: Secret,
}

impl PrivateKey {
    /// Makes a new key.
    pub fn generate(bits: usize, rng: &mut impl rand::CryptoRng) -> Result<Self, KeyError> {
        let key = rsa::PrivateKey::new(rng, bits);
        Self::new(key.map_err(|_| KeyError(format!("An RSA key of {bits} bits cannot be made.")))?)
    }

    /// Reads PKCS#8 or PKCS#1 PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let pem = pem.trim();
        if pem.contains("ENCRYPTED") {
            return Err("This private key is encrypted: decrypt it with `openssl pkey -in key.pem`.".into());
        }
        let key = rsa::PrivateKey::from_pkcs8_pem(pem).ok();
        let key = key.or_else(|| rsa::PrivateKey::from_pkcs1_pem(pem).ok());
        Self::new(key.ok_or("This is not an RSA private key in PEM (PKCS#8 or PKCS#1).")?)
    }

    /// PKCS#8 PEM, wiped on drop.
    pub fn to_pem(&self) -> Secret {
        self.0.pem.clone()
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        self.0.public.clone()
    }

    /// Signs a message with RSASSA-PKCS1-v1_5 and the method's hash; the signature's raw bytes.
    /// `None` when the method is not an RSA method.
    ///
    /// The operation is blinded, so that its time says nothing of the key to whoever sees when signatures leave
    /// (RUSTSEC-2023-0071). It takes a millisecond or more: not on a thread that serves connections.
    pub fn sign(&self, method: SignatureMethod, message: &[u8]) -> Option<Vec<u8>> {
        let (key, rng) = (&self.0.private, &mut self.blinding(message));
        let signature = match method {
            SignatureMethod::RsaSha1 => {
                key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(message))
            }
            SignatureMethod::RsaSha256 => {
                key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
            }
            SignatureMethod::RsaSha512 => {
                key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message))
            }
            _ => return None,
        };
        signature.ok()
    }

    /// What the blinding factor is drawn from. It must be unknown outside and another for every message, which a keyed
    /// hash gives without a source of randomness; the signature itself does not depend on it.
    fn blinding(&self, message: &[u8]) -> StdRng {
        let key = self.0.pem.expose().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(b"blinding");
        mac.update(message);
        StdRng::from_seed(mac.finalize().into_bytes().into())
    }

    fn new(private: rsa::PrivateKey) -> Result<Self, KeyError> {
        let (n, e) = (private.n_bytes(), private.e_bytes());
        let public = PublicKey::from_components(&n, &e, None)?;
        let pem = private.to_pkcs8_pem(LineEnding::LF);
        let pem = pem.map_err(|_| "This RSA private key cannot be written down again.")?;
        Ok(Self(Arc::new(Pair {
            private,
            public,
            pem: Secret::new(pem.as_str()),
        })))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

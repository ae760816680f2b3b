//! RSA private keys, which sign the requests of linkgate as a consumer (RFC 5849, section 3.4.3).

use std::fmt;
use std::sync::Arc;

use rand::{SeedableRng, rngs::StdRng};
use rsa::Pkcs1v15Sign;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::traits::PublicKeyParts;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::credentials::Secret;
use super::hash::Hash;
use super::public_key::{KeyError, PublicKey};

/// An RSA private key. Cloning it is cheap; wiped on drop.
#[derive(Clone)]
pub struct PrivateKey(Arc<KeyPair>);

struct KeyPair {
    private: rsa::PrivateKey,
    public: PublicKey,
    pem: Secret,
}

impl PrivateKey {
    /// Generates a key.
    ///
    /// # Errors
    ///
    /// A size that [`PublicKey::parse`] rejects.
    pub fn generate(bits: usize, rng: &mut impl rand::CryptoRng) -> Result<Self, KeyError> {
        let key = rsa::PrivateKey::new(rng, bits);
        Self::new(key.map_err(|_| KeyError(format!("An RSA key of {bits} bits cannot be made.")))?)
    }

    /// Parses PKCS#8 or PKCS#1 PEM, not encrypted.
    ///
    /// # Errors
    ///
    /// A sentence that names what the text is instead.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let pem = pem.trim();
        if pem.contains("ENCRYPTED") {
            return Err("This private key is encrypted: decrypt it with `openssl pkey -in key.pem`.".into());
        }
        let key = rsa::PrivateKey::from_pkcs8_pem(pem).ok();
        let key = key.or_else(|| rsa::PrivateKey::from_pkcs1_pem(pem).ok());
        Self::new(key.ok_or("This is not an RSA private key in PEM (PKCS#8 or PKCS#1).")?)
    }

    /// The key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Secret {
        self.0.pem.clone()
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        self.0.public.clone()
    }

    /// Signs a message with RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2.1). `None`: the key is too short for the hash. It takes a
    /// millisecond or more: not on a thread that serves connections.
    pub fn sign(&self, hash: Hash, message: &[u8]) -> Option<Vec<u8>> {
        let padding = match hash {
            Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
            Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
            Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
        };
        // Blinded: the time of the operation could disclose the key (RUSTSEC-2023-0071).
        let (rng, digest) = (&mut self.blinding_rng(message), hash.digest(message));
        self.0.private.sign_with_rng(rng, padding, &digest).ok()
    }

    /// The source of the blinding factor, secret and different for every message. The signature does not depend on it.
    fn blinding_rng(&self, message: &[u8]) -> StdRng {
        let key = self.0.pem.expose().as_bytes();
        let mut seed = [0; 64];
        Hash::Sha256.mac(key, &[b"blinding", message].concat(), &mut seed);
        StdRng::from_seed(std::array::from_fn(|at| seed[at]))
    }

    fn new(private: rsa::PrivateKey) -> Result<Self, KeyError> {
        let (n, e) = (private.n_bytes(), private.e_bytes());
        let public = PublicKey::from_components(&n, &e, None)?;
        let pem = private.to_pkcs8_pem(LineEnding::LF);
        let pem = pem.map_err(|_| "This RSA private key cannot be written down again.")?;
        Ok(Self(Arc::new(KeyPair {
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

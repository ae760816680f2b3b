//! Sealed secrets: the consumers' shared secrets as they may touch the disk.
//!
//! XChaCha20-Poly1305 under a key derived from the current secret key. A blob is the key's id, the nonce (24 bytes), and
//! the ciphertext with its tag; it opens only for the name that it was sealed for.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::{CryptoRng, RngExt};
use zeroize::Zeroize;

use crate::oauth::Secret;

use super::error::StoreError;
use super::keyring::{KeyId, Keyring, SecretKey};

impl Keyring {
    /// Seals a secret for the name that it belongs to.
    #[expect(
        clippy::missing_panics_doc,
        reason = "no secret comes near the cipher's limit"
    )]
    pub fn seal(&self, plain: &Secret, bound_to: &str, rng: &mut impl CryptoRng) -> Vec<u8> {
        let key = self.current();
        let mut nonce = [0; NONCE_LENGTH];
        rng.fill(&mut nonce);
        let ciphertext = cipher(key)
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain.expose().as_bytes(),
                    aad: &associated(key.id(), bound_to),
                },
            )
            .expect("a secret is shorter than the cipher's limit of 256 GiB");
        [&key.id()[..], &nonce, &ciphertext].concat()
    }

    /// Opens what was sealed for this name with any of our keys.
    pub fn open(&self, sealed: &[u8], bound_to: &str) -> Result<Secret, StoreError> {
        let refuse = |why: String| StoreError::Sealed {
            of: bound_to.to_owned(),
            why,
        };
        let Some((id, rest)) = sealed.split_first_chunk::<{ size_of::<KeyId>() }>() else {
            return Err(refuse("it is too short".to_owned()));
        };
        let Some((nonce, ciphertext)) = rest.split_first_chunk::<NONCE_LENGTH>() else {
            return Err(refuse("it is too short".to_owned()));
        };
        let key = self.key(id).ok_or_else(|| {
            let id = id.escape_ascii();
            refuse(format!(
                "the key file has no key `{id}`, with which it was sealed"
            ))
        })?;
        let payload = Payload {
            msg: ciphertext,
            aad: &associated(*id, bound_to),
        };
        let plain = cipher(key)
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| refuse("it was changed, or moved here from another place".to_owned()))?;
        String::from_utf8(plain).map(Secret::new).map_err(|error| {
            error.into_bytes().zeroize();
            refuse("it is not text".to_owned())
        })
    }
}

fn cipher(key: &SecretKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*key.subkey("seal")).into())
}

/// The id has a fixed length, so no two pairs look alike.
fn associated(id: KeyId, bound_to: &str) -> Vec<u8> {
    [&id[..], bound_to.as_bytes()].concat()
}

const NONCE_LENGTH: usize = 24;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn what_is_sealed_opens_again() {
        let (keyring, mut rng) = keyring();
        let secret = Secret::new("correct horse € battery");
        let sealed = keyring.seal(&secret, "consumer `a`", &mut rng);
        assert_eq!(keyring.open(&sealed, "consumer `a`").unwrap(), secret);
        assert!(!sealed.windows(7).any(|window| window == b"correct"));
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let (keyring, mut rng) = keyring();
        let secret = Secret::new("same");
        assert_ne!(
            keyring.seal(&secret, "a", &mut rng),
            keyring.seal(&secret, "a", &mut rng)
        );
    }

    #[test]
    fn a_blob_opens_only_for_its_name() {
        let (keyring, mut rng) = keyring();
        let sealed = keyring.seal(&Secret::new("s"), "a", &mut rng);
        assert!(matches!(
            keyring.open(&sealed, "b"),
            Err(StoreError::Sealed { .. })
        ));
    }

    #[test]
    fn a_changed_blob_is_refused_wherever_it_was_changed() {
        let (keyring, mut rng) = keyring();
        let sealed = keyring.seal(&Secret::new("s"), "a", &mut rng);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keyring.open(&changed, "a").is_err(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(keyring.open(&sealed[..length], "a").is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_rotated_keyring_opens_old_blobs_and_a_foreign_one_says_which_key_it_lacks() {
        let (keyring, mut rng) = keyring();
        let sealed = keyring.seal(&Secret::new("s"), "a", &mut rng);
        let id = std::str::from_utf8(&sealed[..4]).unwrap().to_owned();
        let rotated = keyring.rotate(&mut rng);
        assert_eq!(rotated.open(&sealed, "a").unwrap(), Secret::new("s"));
        let error = Keyring::generate(&mut rng).open(&sealed, "a").unwrap_err();
        assert!(error.to_string().contains(&format!("no key `{id}`")), "{error}");
    }

    fn keyring() -> (Keyring, StdRng) {
        let mut rng = StdRng::seed_from_u64(1);
        (Keyring::generate(&mut rng), rng)
    }
}

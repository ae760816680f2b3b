//! Sealed secrets: the consumers' shared secrets as they may touch the disk.
//!
//! AES-256-GCM under a key derived from the current secret key. A blob is the key's id, the nonce (12 random bytes), and the
//! ciphertext with its tag; it opens only for the name that it was sealed for.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::oauth::Secret;

use super::error::StoreError;
use super::keyring::{KeyId, Keyring, SecretKey};

impl Keyring {
    /// Seals a secret for the name that it belongs to.
    #[expect(
        clippy::missing_panics_doc,
        reason = "no secret comes near the cipher's limit"
    )]
    pub fn seal(&self, plain: &Secret, bound_to: &str) -> Vec<u8> {
        let key = self.current();
        let mut text = plain.expose().as_bytes().to_vec();
        let nonce = cipher(key)
            .seal_in_place_append_tag(associated(key.id(), bound_to), &mut text)
            .expect("a secret is shorter than the cipher's limit of 64 GiB");
        [&key.id()[..], nonce.as_ref(), &text].concat()
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
        let Some((nonce, ciphertext)) = rest.split_first_chunk::<NONCE_LEN>() else {
            return Err(refuse("it is too short".to_owned()));
        };
        let key = self.key(id).ok_or_else(|| {
            let id = id.escape_ascii();
            refuse(format!(
                "the key file has no key `{id}`, with which it was sealed"
            ))
        })?;
        let mut text = Zeroizing::new(ciphertext.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = cipher(key)
            .open_in_place(nonce, associated(*id, bound_to), &mut text)
            .map_err(|_| refuse("it was changed, or moved here from another place".to_owned()))?;
        let plain = std::str::from_utf8(plain).map_err(|_| refuse("it is not text".to_owned()))?;
        Ok(Secret::new(plain))
    }
}

fn cipher(key: &SecretKey) -> RandomizedNonceKey {
    let subkey = key.subkey("seal");
    RandomizedNonceKey::new(&AES_256_GCM, &*subkey).expect("a key of 32 bytes is one of AES-256")
}

/// The id has a fixed length, so no two pairs look alike.
fn associated(id: KeyId, bound_to: &str) -> Aad<Vec<u8>> {
    Aad::from([&id[..], bound_to.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_name_alone() {
        let keyring = keyring();
        let secret = Secret::new("correct horse € battery");
        let sealed = keyring.seal(&secret, "a");
        assert_eq!(keyring.open(&sealed, "a").unwrap(), secret);
        assert!(matches!(
            keyring.open(&sealed, "b"),
            Err(StoreError::Sealed { .. })
        ));
        assert!(!sealed.windows(7).any(|window| window == b"correct"));
        assert_ne!(keyring.seal(&secret, "a"), sealed, "each time with another nonce");
    }

    #[test]
    fn a_changed_blob_is_refused_wherever_it_was_changed() {
        let keyring = keyring();
        let sealed = keyring.seal(&Secret::new("s"), "a");
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
        let (keyring, mut rng) = (keyring(), StdRng::seed_from_u64(2));
        let sealed = keyring.seal(&Secret::new("s"), "a");
        let id = std::str::from_utf8(&sealed[..4]).unwrap().to_owned();
        let rotated = keyring.with_next(&mut rng).rotated();
        assert_eq!(rotated.open(&sealed, "a").unwrap(), Secret::new("s"));
        let error = Keyring::generate(&mut rng).open(&sealed, "a").unwrap_err();
        assert!(error.to_string().contains(&format!("no key `{id}`")), "{error}");
    }

    fn keyring() -> Keyring {
        Keyring::generate(&mut StdRng::seed_from_u64(1))
    }
}

//! Sealed secrets: AES-256-GCM under a key derived from the current secret key. A blob is the key's id, the nonce (12 random
//! bytes), and the ciphertext with its tag; it opens only for the name that it was sealed for.

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
            .seal_in_place_append_tag(associated(key.id, bound_to), &mut text)
            .expect("a secret is shorter than the cipher's limit of 64 GiB");
        [&key.id[..], nonce.as_ref(), &text].concat()
    }

    /// Opens what was sealed for this name with any of our keys.
    pub fn open(&self, sealed: &[u8], bound_to: &str) -> Result<Secret, StoreError> {
        let refuse = |why: String| StoreError::Sealed {
            of: bound_to.to_owned(),
            why,
        };
        let parts = sealed.split_first_chunk().and_then(|(id, rest)| {
            let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>()?;
            Some((id, nonce, ciphertext))
        });
        let (id, nonce, ciphertext) = parts.ok_or_else(|| refuse("it is too short".to_owned()))?;
        let named = id.escape_ascii();
        let lacking = || {
            refuse(format!(
                "the key file has no key `{named}`, with which it was sealed"
            ))
        };
        let key = self.key(id).ok_or_else(lacking)?;
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

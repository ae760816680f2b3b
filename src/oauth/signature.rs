//! The signature methods (RFC 5849, sections 3.4.2 to 3.4.4): sign and verify.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::Output;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::credentials::Secret;
use super::encode;
use super::key::{PrivateKey, PublicKey};

/// A signature method by its name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureMethod {
    /// RFC 5849, section 3.4.2.
    HmacSha1,
    /// As section 3.4.2, with SHA-256. Opt-in.
    HmacSha256,
    /// As section 3.4.2, with SHA-512. Opt-in.
    HmacSha512,
    /// RFC 5849, section 3.4.3.
    RsaSha1,
    /// As section 3.4.3, with SHA-256. Opt-in.
    RsaSha256,
    /// As section 3.4.3, with SHA-512. Opt-in.
    RsaSha512,
    /// RFC 5849, section 3.4.4. Opt-in, https only.
    Plaintext,
}

impl SignatureMethod {
    /// All methods.
    pub const ALL: [Self; 7] = [
        Self::HmacSha1,
        Self::HmacSha256,
        Self::HmacSha512,
        Self::RsaSha1,
        Self::RsaSha256,
        Self::RsaSha512,
        Self::Plaintext,
    ];

    /// Reads a name of the wire; names are case-sensitive.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::RsaSha1 => "RSA-SHA1",
            Self::RsaSha256 => "RSA-SHA256",
            Self::RsaSha512 => "RSA-SHA512",
            Self::Plaintext => "PLAINTEXT",
        }
    }

    /// Whether the method signs with an RSA key.
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha512)
    }
}

/// What a consumer proves itself with. The key decides the family of methods, so a peer cannot choose a weaker one.
#[derive(Clone, Debug, PartialEq)]
pub enum VerificationKey {
    /// A shared secret: HMAC, and PLAINTEXT where it is allowed.
    Hmac(Secret),
    /// An RSA public key.
    Rsa(PublicKey),
}

/// What we sign with when we are the consumer.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// A shared secret.
    Hmac(Secret),
    /// An RSA private key.
    Rsa(PrivateKey),
}

impl VerificationKey {
    /// Whether this key belongs to the family of a method.
    pub const fn fits(&self, method: SignatureMethod) -> bool {
        matches!(self, Self::Rsa(_)) == method.is_rsa()
    }

    /// Verifies a signature as it stood on the wire, decoded (RFC 5849, section 3.2). Takes the same time wherever a wrong
    /// signature differs from the true one.
    ///
    /// Base64 is read strictly: the standard alphabet, padding, no white space, one spelling for each signature.
    pub fn verify(
        &self,
        method: SignatureMethod,
        base_string: &str,
        signature: &str,
        token_secret: Option<&Secret>,
    ) -> bool {
        match (self, method) {
            (Self::Hmac(secret), SignatureMethod::Plaintext) => {
                let expected = hmac_key(secret, token_secret);
                expected.ct_eq(signature.as_bytes()).into()
            }
            (Self::Hmac(secret), _) => {
                let mut buffer = [0; 64];
                let Ok(length) = STANDARD.decode_slice(signature, &mut buffer) else {
                    return false;
                };
                let key = hmac_key(secret, token_secret);
                verify_hmac(method, &key, base_string.as_bytes(), &buffer[..length])
            }
            (Self::Rsa(key), _) => {
                let fits = signature.len() <= LONGEST;
                let signature = fits.then(|| STANDARD.decode(signature).ok()).flatten();
                signature.is_some_and(|signature| key.verify(method, base_string.as_bytes(), &signature))
            }
        }
    }
}

impl SigningKey {
    /// Signs a base string. `None`: the key is not of the method's family.
    pub fn sign(
        &self,
        method: SignatureMethod,
        base_string: &str,
        token_secret: Option<&Secret>,
    ) -> Option<String> {
        let secret = match self {
            Self::Rsa(key) => {
                return key
                    .sign(method, base_string.as_bytes())
                    .map(|raw| STANDARD.encode(raw));
            }
            Self::Hmac(secret) => secret,
        };
        let key = hmac_key(secret, token_secret);
        let message = base_string.as_bytes();
        match method {
            SignatureMethod::HmacSha1 => Some(STANDARD.encode(hmac::<Hmac<Sha1>>(&key, message))),
            SignatureMethod::HmacSha256 => Some(STANDARD.encode(hmac::<Hmac<Sha256>>(&key, message))),
            SignatureMethod::HmacSha512 => Some(STANDARD.encode(hmac::<Hmac<Sha512>>(&key, message))),
            SignatureMethod::Plaintext => Some(encode::ascii(key.to_vec())),
            SignatureMethod::RsaSha1 | SignatureMethod::RsaSha256 | SignatureMethod::RsaSha512 => None,
        }
    }
}

/// Both secrets, encoded, with `&` between them (RFC 5849, sections 3.4.2 and 3.4.4).
fn hmac_key(consumer: &Secret, token: Option<&Secret>) -> Zeroizing<Vec<u8>> {
    let [consumer, token] = [consumer.expose(), token.map_or("", Secret::expose)].map(str::as_bytes);
    // With all the room that it needs, so that growing leaves no copy behind.
    let mut key = Zeroizing::new(Vec::with_capacity(
        encode::room(consumer) + encode::room(token) + 1,
    ));
    encode::extend_encoded(&mut key, consumer);
    key.push(b'&');
    encode::extend_encoded(&mut key, token);
    key
}

fn hmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Output<M> {
    keyed::<M>(key).chain_update(message).finalize().into_bytes()
}

fn verify_hmac(method: SignatureMethod, key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    fn verified<M: Mac + KeyInit>(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
        keyed::<M>(key).chain_update(message).verify_slice(tag).is_ok()
    }
    match method {
        SignatureMethod::HmacSha1 => verified::<Hmac<Sha1>>(key, message, tag),
        SignatureMethod::HmacSha256 => verified::<Hmac<Sha256>>(key, message, tag),
        SignatureMethod::HmacSha512 => verified::<Hmac<Sha512>>(key, message, tag),
        _ => false,
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8]) -> M {
    <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of every length")
}

/// Characters of the longest signature: 8192 bits in base64.
const LONGEST: usize = 1368;

#[cfg(test)]
mod tests {
    use super::*;

    const BASE_STRING: &str = "GET&https%3A%2F%2Fh%2F&a%3Db";

    fn signed(method: SignatureMethod) -> (VerificationKey, String) {
        let key = SigningKey::Hmac(Secret::new("cs"));
        let signature = key.sign(method, BASE_STRING, None).unwrap();
        (VerificationKey::Hmac(Secret::new("cs")), signature)
    }

    #[test]
    fn base64_is_read_strictly() {
        let method = SignatureMethod::HmacSha1;
        let (key, signature) = signed(method);
        assert!(key.verify(method, BASE_STRING, &signature, None));
        let (body, _) = signature.split_at(signature.len() - 1);
        let url_safe = signature.replace('+', "-").replace('/', "_");
        let mut wrong = vec![
            body.to_owned(),
            format!("{signature}="),
            format!(" {signature}"),
            format!("{signature}\n"),
            format!("{}\r\n{}", &signature[..4], &signature[4..]),
            String::new(),
            "=".to_owned(),
            "\u{e9}".to_owned(),
            "A".repeat(1 << 20),
        ];
        wrong.extend((url_safe != signature).then_some(url_safe));
        for text in wrong {
            assert!(!key.verify(method, BASE_STRING, &text, None), "{text}");
        }
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let method = SignatureMethod::HmacSha1;
        let (key, signature) = signed(method);
        // The last character before the padding holds two bits that mean nothing.
        let at = signature.len() - 2;
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".chars() {
            let text = format!("{}{last}=", &signature[..at]);
            assert_eq!(key.verify(method, BASE_STRING, &text, None), text == signature);
        }
    }

    #[test]
    fn an_absent_and_an_empty_token_secret_are_the_same() {
        for method in SignatureMethod::ALL.into_iter().filter(|method| !method.is_rsa()) {
            let (key, signature) = signed(method);
            assert!(key.verify(method, BASE_STRING, &signature, Some(&Secret::new(""))));
            assert!(!key.verify(method, BASE_STRING, &signature, Some(&Secret::new("ts"))));
            assert!(!key.verify(method, BASE_STRING, &signature[1..], None));
        }
    }

    #[test]
    fn a_key_signs_with_its_own_family_only() {
        let key = SigningKey::Hmac(Secret::new("cs"));
        assert_eq!(key.sign(SignatureMethod::RsaSha1, BASE_STRING, None), None);
        assert!(!VerificationKey::Hmac(Secret::new("cs")).fits(SignatureMethod::RsaSha1));
    }
}

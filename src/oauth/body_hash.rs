//! The hash of a body that is not a form (draft-eaton-oauth-bodyhash-00g).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::problem::Problem;
use super::signature::SignatureMethod;

/// The digest that the body of a request must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyHash {
    method: SignatureMethod,
    digest: Box<[u8]>,
}

impl BodyHash {
    /// Hashes a body with the hash of a signature method; SHA-1 with PLAINTEXT, which names none (section 3.2).
    pub fn of(body: &[u8], method: SignatureMethod) -> Self {
        let digest = match method {
            SignatureMethod::HmacSha256 | SignatureMethod::RsaSha256 => Sha256::digest(body).to_vec(),
            SignatureMethod::HmacSha512 | SignatureMethod::RsaSha512 => Sha512::digest(body).to_vec(),
            SignatureMethod::HmacSha1 | SignatureMethod::RsaSha1 | SignatureMethod::Plaintext => {
                Sha1::digest(body).to_vec()
            }
        };
        Self {
            method,
            digest: digest.into(),
        }
    }

    /// Reads the value of `oauth_body_hash`: base64 of as many bytes as the method's hash has.
    pub fn parse(text: &str, method: SignatureMethod) -> Result<Self, Problem> {
        let digest = STANDARD.decode(text).ok();
        let digest = digest.filter(|digest| digest.len() == Self::of(b"", method).digest.len());
        digest
            .map(|digest| Self {
                method,
                digest: digest.into(),
            })
            .ok_or_else(|| {
                Problem::parameter_rejected(
                    "oauth_body_hash",
                    "oauth_body_hash must be base64 of the body's hash, with the hash of the signature method.",
                )
            })
    }

    /// Verifies a whole body.
    pub fn verify(&self, body: &[u8]) -> Result<(), Problem> {
        if bool::from(Self::of(body, self.method).digest.ct_eq(&self.digest)) {
            Ok(())
        } else {
            Err(Problem::SignatureInvalid(
                "The body is not the one that oauth_body_hash was made of.",
            ))
        }
    }

    /// The value of `oauth_body_hash`.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_body_is_refused() {
        for method in SignatureMethod::ALL {
            let hash = BodyHash::parse(&BodyHash::of(b"body", method).to_base64(), method).unwrap();
            assert_eq!(hash.verify(b"body"), Ok(()));
            assert_eq!(hash.verify(b"bodz").unwrap_err().name(), "signature_invalid");
        }
    }

    #[test]
    fn only_the_hash_of_the_method_is_read() {
        let sha256 = BodyHash::of(b"", SignatureMethod::HmacSha256).to_base64();
        for text in [
            sha256.as_str(),
            "",
            "abc",
            "2jmj7l5rSw0yVb/vlWAYkK/YBwk",
            "2jmj7l5rSw0yVb_vlWAYkK_YBwk=",
        ] {
            let problem = BodyHash::parse(text, SignatureMethod::HmacSha1).unwrap_err();
            assert_eq!(problem.name(), "parameter_rejected", "{text}");
        }
    }
}

//! Signs outgoing requests with RSA-SHA1, the one method that every AppLinks provider accepts.

use http::HeaderValue;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::error::LinkError;
use crate::blocking::{Busy, SIGNATURES};
use crate::oauth::authorization_header::authorization;
use crate::oauth::{
    ConsumerKey, PrivateKey, RequestSigner, SignError, SignatureMethod, SigningKey, Timestamp, Token,
    UnsignedRequest,
};

/// As which consumer linkgate signs.
#[derive(Clone, Debug)]
pub struct ConsumerIdentity {
    /// The consumer key.
    pub consumer_key: ConsumerKey,
    /// The private keys, the one to sign with first.
    pub keys: Vec<PrivateKey>,
}

impl ConsumerIdentity {
    /// Returns the fingerprint of the first key; `None` if there is no key.
    pub fn fingerprint(&self) -> Option<String> {
        self.keys.first().map(|key| key.public_key().fingerprint())
    }

    /// Signs a request with one of the keys. Returns the value of `Authorization`.
    pub(super) async fn authorize(
        &self,
        request: &UnsignedRequest,
        key: usize,
        now: Timestamp,
    ) -> Result<HeaderValue, LinkError> {
        let (identity, request) = (self.clone(), request.clone());
        let signed = SIGNATURES.run(move || identity.sign(&request, key, now)).await;
        let parameters = signed
            .map_err(|Busy| LinkError::Busy)?
            .map_err(LinkError::Unsignable)?;
        let mut value = HeaderValue::try_from(authorization(parameters, None))
            .map_err(|_| LinkError::Unsignable(SignError::Url("it does not fit into a header field")))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn sign(
        &self,
        request: &UnsignedRequest,
        key: usize,
        now: Timestamp,
    ) -> Result<Vec<(String, String)>, SignError> {
        let signer = RequestSigner {
            consumer_key: self.consumer_key.clone(),
            key: SigningKey::Rsa(self.keys.get(key).ok_or(NO_KEY)?.clone()),
            method: SignatureMethod::RsaSha1,
        };
        let nonce = Token::generate("", &mut UnwrapErr(SysRng));
        signer.sign(request, now, nonce.as_str())
    }
}

const NO_KEY: SignError = SignError::Key(SignatureMethod::RsaSha1);

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
        const NO_KEY: SignError = SignError::Key(SignatureMethod::RsaSha1);
        let key = self.keys.get(key).ok_or(LinkError::Unsignable(NO_KEY))?;
        let signer = RequestSigner {
            consumer_key: self.consumer_key.clone(),
            key: SigningKey::Rsa(key.clone()),
            method: SignatureMethod::RsaSha1,
        };
        let (request, nonce) = (request.clone(), Token::generate("", &mut UnwrapErr(SysRng)));
        let signing = SIGNATURES.run(move || signer.sign(&request, now, nonce.as_str()));
        let parameters = signing.await.map_err(|Busy| LinkError::Busy)?;
        let parameters = parameters.map_err(LinkError::Unsignable)?;
        let mut value = HeaderValue::try_from(authorization(parameters, None))
            .map_err(|_| LinkError::Unsignable(SignError::Url("it does not fit into a header field")))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

//! Signs outgoing requests with RSA-SHA1, the one method that every AppLinks provider accepts.

use http::HeaderValue;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

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

    /// Signs a request with one of the keys, on the blocking pool: an RSA signature takes about a millisecond.
    /// Returns the value of `Authorization`.
    pub(super) async fn authorize(
        &self,
        request: &UnsignedRequest,
        key: usize,
        now: Timestamp,
    ) -> Result<HeaderValue, SignError> {
        let (identity, request) = (self.clone(), request.clone());
        let signed = tokio::task::spawn_blocking(move || identity.sign(&request, key, now)).await;
        // The task does not panic and is not aborted.
        let parameters = signed.unwrap_or(Err(NO_KEY))?;
        let mut value = HeaderValue::try_from(authorization(parameters, None))
            .map_err(|_| SignError::Url("it cannot stand in a header"))?;
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

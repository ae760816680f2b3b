//! Signs outgoing requests with RSA-SHA1, the one method that every AppLinks provider accepts.

use bytes::Bytes;
use http::{HeaderValue, Method};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::model::Credentials;
use crate::oauth::sign::SignError;
use crate::oauth::{
    Call, ConsumerKey, PrivateKey, SignatureMethod, Signer, SigningKey, Timestamp, Token, header,
};

/// As which consumer linkgate signs.
#[derive(Clone, Debug)]
pub struct ConsumerIdentity {
    /// The consumer key.
    pub consumer_key: ConsumerKey,
    /// The private keys, the one to sign with first.
    pub keys: Vec<PrivateKey>,
}

/// A request before it is signed.
#[derive(Clone, Debug)]
pub(super) struct RequestToSign {
    pub(super) method: Method,
    /// The absolute URL, with its query.
    pub(super) url: String,
    /// The form body; empty if there is no body, or another.
    pub(super) form: Bytes,
    /// Further protocol parameters, such as `oauth_callback`.
    pub(super) extra: Vec<(&'static str, String)>,
    pub(super) token: TokenParameter,
}

/// The `oauth_token` parameter.
#[derive(Clone, Debug)]
pub(super) enum TokenParameter {
    /// Absent: the request asks for a request token.
    Absent,
    /// Present and empty: a two-legged call.
    Empty,
    /// A token, whose secret takes part in the signature.
    Token(Credentials),
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
        request: &RequestToSign,
        key: usize,
        now: Timestamp,
    ) -> Result<HeaderValue, SignError> {
        let (identity, request) = (self.clone(), request.clone());
        let signed = tokio::task::spawn_blocking(move || identity.sign(&request, key, now)).await;
        // The task does not panic and is not aborted.
        let parameters = signed.unwrap_or(Err(NO_KEY))?;
        let mut value = HeaderValue::try_from(header::authorization(parameters, None))
            .map_err(|_| SignError::Url("it cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn sign(
        &self,
        request: &RequestToSign,
        key: usize,
        now: Timestamp,
    ) -> Result<Vec<(String, String)>, SignError> {
        let key = self.keys.get(key).ok_or(NO_KEY)?;
        let signer = Signer::new(
            self.consumer_key.clone(),
            SigningKey::Rsa(key.clone()),
            SignatureMethod::RsaSha1,
        );
        let signer = match &request.token {
            TokenParameter::Absent => signer,
            TokenParameter::Empty => signer.two_legged(),
            TokenParameter::Token(Credentials { token, secret }) => signer.with_token(token, secret.clone()),
        };
        let mut call = Call::new(request.method.as_str(), &request.url).with_form(&request.form);
        for (name, value) in &request.extra {
            call = call.with(name, value);
        }
        let nonce = Token::generate("", &mut UnwrapErr(SysRng));
        signer.sign(&call, now, nonce.as_str())
    }
}

const NO_KEY: SignError = SignError::Key(SignatureMethod::RsaSha1);

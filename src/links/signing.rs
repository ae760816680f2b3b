//! Signs our calls: RSA-SHA1, the one method that every AppLinks provider takes, off the threads that serve connections.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::model::Credentials;
use crate::oauth::sign::SignError;
use crate::oauth::{Call, ConsumerKey, SignatureMethod, Signer, SigningKey, Timestamp, Token, header};

use super::ConsumerIdentity;

/// Who we are, ready to sign.
#[derive(Clone, Debug)]
pub(super) struct SigningKeys(Arc<ConsumerIdentity>);

/// A call before it is signed.
#[derive(Clone, Debug)]
pub(super) struct RequestToSign {
    /// The method.
    pub(super) method: http::Method,
    /// The whole URL, with its query.
    pub(super) url: String,
    /// The form body; empty: none, or one that is no form.
    pub(super) form: Bytes,
    /// Protocol parameters beyond the standard ones.
    pub(super) extra: Vec<(&'static str, String)>,
    /// What stands in `oauth_token`.
    pub(super) token: TokenParameter,
}

/// What stands in `oauth_token`.
#[derive(Clone, Debug)]
pub(super) enum TokenParameter {
    /// Nothing: we ask for a request token.
    Absent,
    /// The empty text: we call as ourselves, or name a user.
    Empty,
    /// A token, whose secret takes part in the signature.
    Token(Credentials),
}

impl SigningKeys {
    pub(super) fn new(identity: ConsumerIdentity) -> Self {
        Self(Arc::new(identity))
    }

    /// The consumer key, and the fingerprint of the first key.
    pub(super) fn consumer_identity(&self) -> (&ConsumerKey, Option<String>) {
        let key = self.0.keys.first();
        (
            &self.0.consumer_key,
            key.map(|key| key.public_key().fingerprint()),
        )
    }

    /// How many keys there are.
    pub(super) fn keys(&self) -> usize {
        self.0.keys.len()
    }

    /// The value of `Authorization` for a call, made with one of our keys.
    pub(super) async fn authorize(
        &self,
        request: &RequestToSign,
        key: usize,
        now: Timestamp,
    ) -> Result<HeaderValue, SignError> {
        let (signing, request) = (self.clone(), request.clone());
        let nonce = Token::generate("", &mut UnwrapErr(SysRng));
        let signed = tokio::task::spawn_blocking(move || signing.sign(&request, key, now, nonce.as_str()));
        // It does not panic, and is not aborted.
        let pairs = signed
            .await
            .unwrap_or(Err(SignError::Key(SignatureMethod::RsaSha1)))?;
        let value = HeaderValue::try_from(header::authorization(pairs, None));
        let mut value = value.map_err(|_| SignError::Url("it cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn sign(
        &self,
        request: &RequestToSign,
        key: usize,
        now: Timestamp,
        nonce: &str,
    ) -> Result<Vec<(String, String)>, SignError> {
        let key = self
            .0
            .keys
            .get(key)
            .ok_or(SignError::Key(SignatureMethod::RsaSha1))?;
        let signer = Signer::new(
            self.0.consumer_key.clone(),
            SigningKey::Rsa(key.clone()),
            SignatureMethod::RsaSha1,
        );
        let signer = match &request.token {
            TokenParameter::Absent => signer,
            TokenParameter::Empty => signer.two_legged(),
            TokenParameter::Token(Credentials { token, secret }) => signer.with_token(token, secret.clone()),
        };
        let call = Call::new(request.method.as_str(), &request.url).with_form(&request.form);
        let call = request
            .extra
            .iter()
            .fold(call, |call, (name, value)| call.with(name, value));
        signer.sign(&call, now, nonce)
    }
}

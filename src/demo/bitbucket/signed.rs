//! A call gets its signature: in the form body at the token endpoints, in the header at the application.

use http::{Method, header};

use crate::clock::Clock;
use crate::demo::{fresh, wire};
use crate::oauth::sign::{Call, SignError, Signer};
use crate::oauth::signature::{SignatureMethod, SigningKey};
use crate::oauth::{ConsumerKey, PublicUrl, Secret, Token};

/// Who signs, and with what.
#[derive(Clone, Debug)]
pub struct Identity {
    /// `oauth_consumer_key`.
    pub consumer: ConsumerKey,
    /// The shared secret, or Bitbucket's private key.
    pub key: SigningKey,
}

/// A call before it is signed.
#[derive(Clone, Debug)]
pub struct Unsigned {
    /// The method.
    pub method: Method,
    /// Raw path and query.
    pub target: String,
    /// The form body's pairs, already encoded; empty: no body.
    pub form: String,
    /// What is called on whose behalf.
    pub credentials: Credentials,
    /// Protocol parameters beyond the standard ones: `oauth_callback`, `oauth_verifier`, ...
    pub extra: Vec<(&'static str, String)>,
}

/// What stands in `oauth_token`.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Nothing, not even the parameter.
    Absent,
    /// The empty text, present and signed: two-legged.
    Empty,
    /// A token, whose secret takes part in the signature.
    Token(Token, Secret),
}

/// Where the protocol parameters go (RFC 5849, section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// All in the form body, and no `Authorization` at all: Bitbucket's token calls.
    Body,
    /// In `Authorization: OAuth` without a realm, and only `oauth_*` there: Bitbucket's calls of the application.
    Header,
}

impl Unsigned {
    /// Signs the call for a provider, at this moment.
    pub fn sign(
        &self,
        identity: &Identity,
        provider: &PublicUrl,
        placement: Placement,
        clock: &Clock,
    ) -> Result<wire::Call, SignError> {
        let url = format!("{}{}", provider.origin(), self.target);
        let call = Call::new(self.method.as_str(), &url).with_form(self.form.as_bytes());
        let call = self
            .extra
            .iter()
            .fold(call, |call, (name, value)| call.with(name, value));
        let pairs = self.signer(identity).sign(&call, clock.now(), &fresh())?;
        let (_signature, covered) = pairs.split_last().unzip();
        let base_string = call.base_string(covered.unwrap_or_default())?;

        let mut headers = vec![("accept", "*/*".to_owned())];
        let mut body = self.form.clone();
        match placement {
            Placement::Body => body = crate::oauth::header::form_body(pairs),
            Placement::Header => {
                let authorization = crate::oauth::header::authorization(pairs, None);
                headers.push((header::AUTHORIZATION.as_str(), authorization));
            }
        }
        if !body.is_empty() {
            headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        }
        Ok(wire::Call {
            method: self.method.clone(),
            authority: provider.authority().to_owned(),
            target: self.target.clone(),
            headers,
            body,
            base_string: Some(base_string),
        })
    }

    fn signer(&self, identity: &Identity) -> Signer {
        let method = match identity.key {
            SigningKey::Hmac(_) => SignatureMethod::HmacSha1,
            SigningKey::Rsa(_) => SignatureMethod::RsaSha1,
        };
        let signer = Signer::new(identity.consumer.clone(), identity.key.clone(), method);
        match &self.credentials {
            Credentials::Absent => signer,
            Credentials::Empty => signer.two_legged(),
            Credentials::Token(token, secret) => signer.with_token(token, secret.clone()),
        }
    }
}

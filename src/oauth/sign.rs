//! The other direction: we are the consumer, and sign a call of our own (RFC 5849, section 3.1).

use super::base_string::{base_string_uri, outgoing_base_string};
use super::credentials::{ConsumerKey, Secret, Token};
use super::parameters::Parameters;
use super::problem::Problem;
use super::signature::{SignatureMethod, SigningKey};
use super::timestamp::Timestamp;

/// A consumer that signs.
///
/// ```
/// use linkgate::oauth::{Call, ConsumerKey, Secret, SignatureMethod, Signer, SigningKey, Timestamp, header};
///
/// let key = SigningKey::Hmac(Secret::new("kd94hf93k423kf44"));
/// let signer = Signer::new(ConsumerKey::parse("dpf43f3p2l4k3l03").unwrap(), key, SignatureMethod::HmacSha1);
/// let call = Call::new("POST", "https://photos.example.net/initiate")
///     .with("oauth_callback", "http://printer.example.com/ready");
/// let pairs = signer.without_version().sign(&call, Timestamp::from_seconds(137_131_200), "wIjqoS").unwrap();
/// assert!(header::authorization(pairs, Some("Photos")).ends_with("oauth_signature=\"74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D\""));
/// ```
#[derive(Clone, Debug)]
pub struct Signer {
    consumer_key: ConsumerKey,
    key: SigningKey,
    method: SignatureMethod,
    token: Option<(String, Secret)>,
    version: bool,
}

/// What is signed.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    method: &'a str,
    url: &'a str,
    extra: Vec<(&'a str, &'a str)>,
    form: &'a [u8],
}

/// Why a call cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The URL cannot be read.
    #[error("the URL cannot be signed: {0}")]
    Url(&'static str),
    /// Query or form cannot be read.
    #[error("the parameters cannot be signed: {}", .0.advice())]
    Parameters(Problem),
    /// The key cannot sign with the method.
    #[error("this key cannot sign with {}", .0.name())]
    Key(SignatureMethod),
}

impl Signer {
    /// A consumer without a token: for the request-token call, and for two-legged calls that leave `oauth_token` out.
    pub fn new(consumer_key: ConsumerKey, key: SigningKey, method: SignatureMethod) -> Self {
        Self {
            consumer_key,
            key,
            method,
            token: None,
            version: true,
        }
    }

    /// The consumer with a token and its secret.
    #[must_use]
    pub fn with_token(self, token: &Token, secret: Secret) -> Self {
        Self {
            token: Some((token.as_str().to_owned(), secret)),
            ..self
        }
    }

    /// The consumer with `oauth_token=""`, present and signed: the two-legged form of AppLinks.
    #[must_use]
    pub fn two_legged(self) -> Self {
        Self {
            token: Some((String::new(), Secret::new(""))),
            ..self
        }
    }

    /// The consumer as one of those that leave `oauth_version` out.
    #[must_use]
    pub fn without_version(self) -> Self {
        Self {
            version: false,
            ..self
        }
    }

    /// The protocol parameters of a signed call, `oauth_signature` last: for [`header::authorization`], or, put before the
    /// form's own pairs, for [`header::form_body`].
    ///
    /// [`header::authorization`]: super::header::authorization
    /// [`header::form_body`]: super::header::form_body
    pub fn sign(
        &self,
        call: &Call<'_>,
        timestamp: Timestamp,
        nonce: &str,
    ) -> Result<Vec<(String, String)>, SignError> {
        let mut pairs = self.unsigned(call, timestamp, nonce);
        let base_string = call.base_string(&pairs)?;
        let secret = self.token.as_ref().map(|(_, secret)| secret);
        let signature = self.key.sign(self.method, &base_string, secret);
        let signature = signature.ok_or(SignError::Key(self.method))?;
        pairs.push(("oauth_signature".to_owned(), signature));
        Ok(pairs)
    }

    fn unsigned(&self, call: &Call<'_>, timestamp: Timestamp, nonce: &str) -> Vec<(String, String)> {
        let timestamp = timestamp.to_string();
        let mut pairs = vec![
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_signature_method", self.method.name()),
            ("oauth_timestamp", &timestamp),
            ("oauth_nonce", nonce),
        ];
        pairs.extend(self.version.then_some(("oauth_version", "1.0")));
        pairs.extend(
            self.token
                .as_ref()
                .map(|(token, _)| ("oauth_token", token.as_str())),
        );
        pairs.extend(&call.extra);
        let owned = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        owned.collect()
    }
}

impl<'a> Call<'a> {
    /// A call of a whole URL, with its query.
    pub fn new(method: &'a str, url: &'a str) -> Self {
        Self {
            method,
            url,
            extra: Vec::new(),
            form: b"",
        }
    }

    /// The call with one more protocol parameter, such as `oauth_callback` or `oauth_verifier`.
    #[must_use]
    pub fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.extra.push((name, value));
        self
    }

    /// The call with a form body as it is sent, without the protocol parameters.
    #[must_use]
    pub fn with_form(self, form: &'a [u8]) -> Self {
        Self { form, ..self }
    }

    /// The base string of this call with its protocol parameters (RFC 5849, section 3.4.1.1).
    pub fn base_string<N: AsRef<str>, V: AsRef<str>>(
        &self,
        protocol: &[(N, V)],
    ) -> Result<String, SignError> {
        let uri = base_string_uri(self.url).map_err(SignError::Url)?;
        let whole = self.url.split_once('#').map_or(self.url, |(url, _)| url);
        let query = whole.split_once('?').map_or("", |(_, query)| query);
        let parameters = Parameters::of_call(query.as_bytes(), self.form, protocol);
        let parameters = parameters.map_err(SignError::Parameters)?;
        Ok(outgoing_base_string(self.method, &uri, &parameters))
    }
}

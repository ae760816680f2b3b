//! Signs requests as a consumer (RFC 5849, section 3.1).

use bytes::Bytes;
use http::Method;

use super::base_string::{base_string_uri, signature_base_string};
use super::credentials::{ConsumerKey, TokenCredentials};
use super::parameters::Parameters;
use super::problem::Problem;
use super::signature::{SignatureMethod, SigningKey};
use super::timestamp::Timestamp;

/// A consumer that signs.
///
/// ```
/// use linkgate::oauth::{ConsumerKey, RequestSigner, Secret, SignatureMethod, SigningKey, Timestamp, UnsignedRequest};
///
/// let signer = RequestSigner {
///     consumer_key: ConsumerKey::parse("dpf43f3p2l4k3l03").unwrap(),
///     key: SigningKey::Hmac(Secret::new("kd94hf93k423kf44")),
///     method: SignatureMethod::HmacSha1,
/// };
/// let request = UnsignedRequest::new(http::Method::POST, "https://photos.example.net/initiate")
///     .parameter("oauth_callback", "http://printer.example.com/ready");
/// let parameters = signer.sign(&request, Timestamp::from_seconds(137_131_200), "wIjqoS").unwrap();
/// let (name, signature) = parameters.last().unwrap();
/// assert_eq!((name.as_str(), signature.as_str()), ("oauth_signature", "msrTmwtDEKqeVXeJaufuiXOpbJI="));
/// ```
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RequestSigner {
    pub consumer_key: ConsumerKey,
    pub key: SigningKey,
    pub method: SignatureMethod,
}

/// A request to sign.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct UnsignedRequest {
    pub method: Method,
    /// The absolute URL with its query.
    pub url: String,
    /// The form body without protocol parameters; empty if there is none.
    pub form: Bytes,
    /// Further protocol parameters, such as `oauth_callback` and `oauth_verifier`.
    pub parameters: Vec<(&'static str, String)>,
    pub token: TokenParameter,
}

/// The `oauth_token` parameter of a request.
#[derive(Clone, Debug)]
pub enum TokenParameter {
    /// Absent: the request asks for a request token, or is two-legged.
    Absent,
    /// Present, signed and empty: the two-legged request of Application Links.
    Empty,
    /// A token. Its secret takes part in the signature.
    Token(TokenCredentials),
}

/// Why a request cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum SignError {
    #[error("the URL cannot be signed: {0}")]
    Url(&'static str),
    #[error("the parameters cannot be signed: {}", .0.advice())]
    Parameters(Problem),
    #[error("this key cannot sign with {}", .0.name())]
    Key(SignatureMethod),
}

impl RequestSigner {
    /// Signs a request. Returns its protocol parameters, `oauth_signature` last, for the `Authorization` field or, before the
    /// pairs of the form, for the form body.
    ///
    /// # Errors
    ///
    /// A malformed URL, query or form, and a key of another family than the method.
    pub fn sign(
        &self,
        request: &UnsignedRequest,
        timestamp: Timestamp,
        nonce: &str,
    ) -> Result<Vec<(String, String)>, SignError> {
        let (token, token_secret) = match &request.token {
            TokenParameter::Absent => (None, None),
            TokenParameter::Empty => (Some(""), None),
            TokenParameter::Token(TokenCredentials { token, secret }) => (Some(token.as_str()), Some(secret)),
        };
        let timestamp = timestamp.to_string();
        let standard = [
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_signature_method", self.method.name()),
            ("oauth_timestamp", &timestamp),
            ("oauth_nonce", nonce),
            ("oauth_version", "1.0"),
        ];
        let token = token.map(|token| ("oauth_token", token));
        let further = request.parameters.iter();
        let further = further.map(|(name, value)| (*name, value.as_str()));
        let all = standard.into_iter().chain(token).chain(further);
        let all = all.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut parameters: Vec<_> = all.collect();
        let base_string = request.base_string(&parameters)?;
        let signature = self.key.sign(self.method, &base_string, token_secret);
        let signature = signature.ok_or(SignError::Key(self.method))?;
        parameters.push(("oauth_signature".to_owned(), signature));
        Ok(parameters)
    }
}

impl UnsignedRequest {
    /// A request without a form and without a token.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            form: Bytes::new(),
            parameters: Vec::new(),
            token: TokenParameter::Absent,
        }
    }

    /// Adds a protocol parameter.
    #[must_use]
    pub fn parameter(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// Sets the form body.
    #[must_use]
    pub fn form(self, form: impl Into<Bytes>) -> Self {
        let form = form.into();
        Self { form, ..self }
    }

    /// Sets `oauth_token`.
    #[must_use]
    pub fn token(self, token: TokenParameter) -> Self {
        Self { token, ..self }
    }

    /// The signature base string of this request with its protocol parameters (RFC 5849, section 3.4.1.1).
    ///
    /// # Errors
    ///
    /// A malformed URL, query or form.
    pub fn base_string<N: AsRef<str>, V: AsRef<str>>(
        &self,
        protocol: &[(N, V)],
    ) -> Result<String, SignError> {
        let uri = base_string_uri(&self.url).map_err(SignError::Url)?;
        let url = self.url.split('#').next().unwrap_or_default();
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let parameters = Parameters::of_unsigned(query, &self.form, protocol);
        let (method, parameters) = (self.method.as_str(), parameters.map_err(SignError::Parameters)?);
        Ok(signature_base_string(method, [&uri, ""], &parameters))
    }
}

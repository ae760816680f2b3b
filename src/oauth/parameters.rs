//! Request parameters: collected, sorted and normalized (RFC 5849, section 3.4.1.3). They are kept in canonical encoding, in
//! which bytes that are not UTF-8 survive; most are their own canonical encoding and are borrowed from the request.

use std::borrow::Cow;

use super::authorization_header;
use super::encoding::{self, Encoding};
use super::problem::Problem;

/// The parameters of a request, in the order in which they are signed: by encoded name, then by encoded value.
#[derive(Clone, Debug)]
pub struct Parameters<'a>(Vec<Parameter<'a>>);

/// A parameter in canonical encoding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Parameter<'a> {
    pub name: Cow<'a, [u8]>,
    pub value: Cow<'a, [u8]>,
    pub source: Source,
}

/// A part of a request that carries parameters (RFC 5849, section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Source {
    Header,
    Query,
    Form,
}

/// Collects the parameters of a request (RFC 5849, section 3.4.1.3.1). `None` if it does not carry OAuth: the `OAuth` scheme
/// in `Authorization`, or one of [`REQUIRED`] in query or form. (Another provider's callback has `oauth_token` and
/// `oauth_verifier`.)
///
/// # Errors
///
/// `parameter_rejected` for more than [`Parameters::LIMIT`] parameters, for a malformed one, for an `oauth_` parameter that is
/// sent twice (section 3.1), and for `oauth_` parameters in several parts of the request (section 3.5), except that
/// `oauth_callback` and `oauth_verifier` may stand beside a header, where several libraries put them. An unknown `oauth_`
/// parameter is signed.
pub fn collect_parameters<'a>(
    query: Option<&'a str>,
    authorization: &[&'a [u8]],
    form: Option<&'a [u8]>,
) -> Result<Option<Parameters<'a>>, Problem> {
    let query = query.unwrap_or_default().as_bytes();
    let credentials = authorization_header::credentials(authorization)?;
    let form = form.unwrap_or_default();
    if credentials.is_none() && !names_oauth(query) && !names_oauth(form) {
        return Ok(None);
    }
    let mut parameters = Parameters(Vec::with_capacity(16));
    // 1. The query component of the request URI.
    parameters.push_form(query, Source::Query)?;
    // 2. The OAuth "Authorization" header field, without "realm".
    let header = authorization_header::parameters(credentials.unwrap_or_default());
    for pair in header.take(Parameters::LIMIT + 1) {
        let ((name, value), source) = (pair?, Source::Header);
        parameters.0.push(Parameter { name, value, source });
    }
    // 3. The entity-body, if it is a form.
    parameters.push_form(form, Source::Form)?;
    let parameters = parameters.sorted()?;
    parameters.check_protocol_parameters()?;
    Ok(Some(parameters))
}

/// Normalizes parameters (RFC 5849, section 3.4.1.3.2). Returns the pairs that are signed, without `oauth_signature`.
pub fn normalize_parameters<'p>(
    parameters: &'p Parameters<'_>,
) -> impl Iterator<Item = (&'p Cow<'p, [u8]>, &'p Cow<'p, [u8]>)> {
    // 1. Names and values are encoded, and 2. sorted by name, then by value, since they were collected.
    let pairs = parameters.iter().map(|pair| (&pair.name, &pair.value));
    pairs.filter(|(name, _)| name.as_ref() != b"oauth_signature")
}

impl<'a> Parameters<'a> {
    /// The most parameters of a request: sorting them stays cheap.
    pub const LIMIT: usize = 1000;

    /// Collects the parameters of a request to sign: its query, its form, and protocol parameters that are not encoded yet.
    ///
    /// # Errors
    ///
    /// `parameter_rejected` for more than [`Parameters::LIMIT`] parameters, and for invalid percent-encoding.
    pub fn of_unsigned<N: AsRef<str>, V: AsRef<str>>(
        query: &'a str,
        form: &'a [u8],
        protocol: &[(N, V)],
    ) -> Result<Self, Problem> {
        let mut parameters = Self(Vec::new());
        parameters.push_form(query.as_bytes(), Source::Query)?;
        parameters.push_form(form, Source::Form)?;
        let encode = |text: &str| encoding::encode(text).into_bytes().into();
        for (name, value) in protocol {
            let (name, value) = (encode(name.as_ref()), encode(value.as_ref()));
            let source = Source::Header;
            parameters.0.push(Parameter { name, value, source });
        }
        parameters.sorted()
    }

    /// All parameters, in the order in which they are signed.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter<'a>> {
        self.0.iter()
    }

    /// The most bytes that the normalized parameters have after they are encoded once more: separators and escapes triple.
    pub(super) fn max_encoded_len(&self) -> usize {
        let max_len =
            |text: &Cow<'_, [u8]>| text.len() * if matches!(text, Cow::Borrowed(_)) { 1 } else { 3 };
        self.iter()
            .map(|Parameter { name, value, .. }| max_len(name) + max_len(value) + 6)
            .sum()
    }

    /// Changes names and values from some parts of the request, but not the signature, and sorts them anew.
    pub(super) fn change(&mut self, sources: &[Source], change: fn(&[u8]) -> Vec<u8>) {
        let is_changed = |parameter: &&mut Parameter<'_>| {
            sources.contains(&parameter.source) && *parameter.name != *b"oauth_signature"
        };
        let changed = self.0.iter_mut().filter(is_changed);
        for Parameter { name, value, .. } in changed {
            (*name, *value) = (change(name).into(), change(value).into());
        }
        self.0.sort_unstable();
    }

    /// The parameters whose names begin with `oauth_` (RFC 5849, section 3.1). The order makes them neighbours.
    pub(super) fn protocol(&self) -> &[Parameter<'a>] {
        let start = self
            .0
            .partition_point(|parameter| parameter.name[..] < b"oauth_"[..]);
        let from = &self.0[start..];
        &from[..from.partition_point(|parameter| parameter.name.starts_with(b"oauth_"))]
    }

    fn push_form(&mut self, raw: &'a [u8], source: Source) -> Result<(), Problem> {
        for (name, value) in encoding::form_pairs(raw).take(Self::LIMIT + 1) {
            let normalize = |raw| {
                let normalized = encoding::normalize(raw, Encoding::Form);
                normalized.map_err(|error| Problem::invalid_encoding(name, error))
            };
            let (name, value) = (normalize(name)?, normalize(value)?);
            self.0.push(Parameter { name, value, source });
        }
        Ok(())
    }

    /// Sorts the parameters (RFC 5849, section 3.4.1.3.2), unless there are too many.
    fn sorted(mut self) -> Result<Self, Problem> {
        if self.0.len() > Self::LIMIT {
            return Err(Problem::parameters_rejected(&[], "Send at most 1000 parameters."));
        }
        self.0.sort_unstable();
        Ok(self)
    }

    fn check_protocol_parameters(&self) -> Result<(), Problem> {
        let protocol = self.protocol();
        let pairs = protocol.array_windows();
        let twice = pairs.filter(|[one, next]| one.name == next.name);
        let mut twice: Vec<&str> = twice.map(|[one, _]| one.name()).collect();
        twice.dedup();
        if !twice.is_empty() {
            return Err(Problem::parameters_rejected(&twice, TWICE));
        }
        let is_movable = |name: &[u8]| [&b"oauth_callback"[..], b"oauth_verifier"].contains(&name);
        let fixed = protocol.iter().filter(|parameter| !is_movable(&parameter.name));
        let source = fixed.clone().map(|parameter| parameter.source).min();
        let elsewhere = fixed.filter(|parameter| Some(parameter.source) != source);
        let elsewhere: Vec<&str> = elsewhere.map(Parameter::name).collect();
        if !elsewhere.is_empty() {
            return Err(Problem::parameters_rejected(&elsewhere, SCATTERED));
        }
        Ok(())
    }
}

impl Parameter<'_> {
    /// The encoded name.
    pub fn name(&self) -> &str {
        std::str::from_utf8(&self.name).unwrap_or_default()
    }

    /// Decodes the value of a protocol parameter, which must be UTF-8.
    pub(super) fn decode_value(&self) -> Result<Cow<'_, str>, Problem> {
        let text = match &self.value {
            Cow::Borrowed(unreserved) => std::str::from_utf8(unreserved).ok().map(Cow::Borrowed),
            Cow::Owned(escaped) => encoding::decode_utf8(escaped, Encoding::Percent).map(Cow::Owned),
        };
        text.ok_or_else(|| Problem::parameters_rejected(&[self.name()], "Send text in UTF-8."))
    }
}

/// Whether a query or a form has one of the parameters of a signed request, in any spelling.
pub(crate) fn names_oauth(raw: &[u8]) -> bool {
    encoding::form_pairs(raw).any(|(name, _)| {
        let name = encoding::normalize(name, Encoding::Form);
        name.is_ok_and(|name| REQUIRED.iter().any(|required| required.as_bytes() == &*name))
    })
}

const TWICE: &str = "Send each oauth_ parameter once.";
const SCATTERED: &str = "Send all oauth_ parameters in one place: the header, the query or the form body.";
/// The parameters of every signed request (RFC 5849, section 3.1). Timestamp and nonce are required for PLAINTEXT too.
pub const REQUIRED: [&str; 5] = [
    "oauth_consumer_key",
    "oauth_signature_method",
    "oauth_signature",
    "oauth_timestamp",
    "oauth_nonce",
];

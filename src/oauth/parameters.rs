//! Request parameters: collected, sorted and normalized (RFC 5849, section 3.4.1.3).
//!
//! 1. [`collect_parameters`], section 3.4.1.3.1;
//! 2. [`normalize_parameters`], section 3.4.1.3.2.
//!
//! A parameter is kept in its canonical encoding, the form that is sorted and signed: bytes that are not UTF-8 survive in
//! it. Most names and values are their own canonical encoding and are borrowed from the request.

use std::borrow::Cow;

use super::authorization_header;
use super::encoding::{self, Encoding, InvalidPercentEncoding};
use super::problem::Problem;

/// The parameters of a request, in the order in which they are signed: by encoded name, then by encoded value.
#[derive(Clone, Debug)]
pub struct Parameters<'a>(Vec<Parameter<'a>>);

/// A parameter in canonical encoding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parameter<'a> {
    /// The encoded name.
    pub name: Cow<'a, str>,
    /// The encoded value.
    pub value: Cow<'a, str>,
    /// The part of the request that it came from.
    pub source: Source,
}

/// A part of a request that carries parameters (RFC 5849, section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// `Authorization: OAuth`.
    Header,
    /// The query of the URL.
    Query,
    /// The form body.
    Form,
}

/// Collects the parameters of a request (RFC 5849, section 3.4.1.3.1). `None` if it does not carry OAuth.
///
/// A request carries OAuth if it has the `OAuth` scheme in `Authorization`, or one of [`REQUIRED`] in its query or form.
/// `oauth_token` and `oauth_verifier` alone do not count: another provider's callback to the application has these.
///
/// # Errors
///
/// `parameter_rejected` for more than [`Parameters::LIMIT`] parameters, for invalid percent-encoding or a malformed header,
/// for an `oauth_` parameter that is sent twice, even with the same value (section 3.1), and for `oauth_` parameters in
/// several parts of the request (section 3.5). An unknown `oauth_` parameter is accepted and signed.
pub fn collect_parameters<'a>(
    query: Option<&'a str>,
    authorization: &[&'a [u8]],
    form: Option<&'a [u8]>,
) -> Result<Option<Parameters<'a>>, Problem> {
    let query = query.unwrap_or_default().as_bytes();
    let credentials = authorization_header::credentials(authorization)?;
    let form = form.unwrap_or_default();
    if credentials.is_none() && !has_required_name(query) && !has_required_name(form) {
        return Ok(None);
    }
    let mut parameters = Parameters(Vec::with_capacity(16));
    // 1. The query component of the request URI.
    parameters.push_form(query, Source::Query)?;
    // 2. The OAuth "Authorization" header field, without "realm".
    for pair in authorization_header::parameters(credentials.unwrap_or_default()) {
        parameters.push(pair?, Source::Header)?;
    }
    // 3. The entity-body, if it is a form.
    parameters.push_form(form, Source::Form)?;
    parameters.0.sort_unstable();
    parameters.check_protocol_parameters()?;
    Ok(Some(parameters))
}

/// Normalizes parameters (RFC 5849, section 3.4.1.3.2): the pieces of one string. `oauth_signature` is left out, and `realm`
/// was not collected.
pub fn normalize_parameters<'p>(parameters: &'p Parameters<'_>) -> impl Iterator<Item = &'p str> {
    // 1. and 2.: names and values are encoded, and sorted by name, then by value, since they were collected.
    let signed = parameters
        .iter()
        .filter(|parameter| parameter.name != "oauth_signature");
    signed
        .enumerate()
        .flat_map(|(index, Parameter { name, value, .. })| {
            // 3. "=" between a name and its value, also an empty one. 4. "&" between two pairs.
            [if index == 0 { "" } else { "&" }, name, "=", value]
        })
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
        parameters
            .0
            .extend(protocol.iter().map(|(name, value)| Parameter {
                name: encoding::encode(name.as_ref()).into(),
                value: encoding::encode(value.as_ref()).into(),
                source: Source::Header,
            }));
        parameters.0.sort_unstable();
        Ok(parameters)
    }

    /// All parameters, in the order in which they are signed.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter<'a>> {
        self.0.iter()
    }

    /// The protocol parameter of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Parameter<'a>> {
        self.protocol().iter().find(|parameter| parameter.name == name)
    }

    /// The source of the protocol parameters, which is one. `None` if there are none.
    pub(super) fn source(&self) -> Option<Source> {
        self.protocol().first().map(|parameter| parameter.source)
    }

    /// The most bytes that the normalized parameters have after they are encoded once more: separators and escapes triple.
    pub(super) fn max_encoded_len(&self) -> usize {
        let max_len = |text: &Cow<'_, str>| text.len() * if matches!(text, Cow::Borrowed(_)) { 1 } else { 3 };
        self.iter()
            .map(|Parameter { name, value, .. }| max_len(name) + max_len(value) + 6)
            .sum()
    }

    /// The parameters whose names begin with `oauth_` (RFC 5849, section 3.1). The order makes them neighbours.
    fn protocol(&self) -> &[Parameter<'a>] {
        let start = self.0.partition_point(|parameter| *parameter.name < *"oauth_");
        let rest = &self.0[start..];
        &rest[..rest.partition_point(|parameter| parameter.name.starts_with("oauth_"))]
    }

    fn push_form(&mut self, raw: &'a [u8], source: Source) -> Result<(), Problem> {
        encoding::form_pairs(raw).try_for_each(|pair| self.push(pair, source))
    }

    fn push(&mut self, (name, value): (&'a [u8], &'a [u8]), source: Source) -> Result<(), Problem> {
        if self.0.len() == Self::LIMIT {
            return Err(Problem::parameters_rejected(&[], "Send at most 1000 parameters."));
        }
        let encoding = if source == Source::Header {
            Encoding::Percent
        } else {
            Encoding::Form
        };
        let invalid = |InvalidPercentEncoding| {
            let name = std::str::from_utf8(name).unwrap_or_default();
            let why = "A percent sign must be followed by two hexadecimal digits.";
            Problem::parameters_rejected(&[name], why)
        };
        self.0.push(Parameter {
            name: encoding::normalize(name, encoding).map_err(invalid)?,
            value: encoding::normalize(value, encoding).map_err(invalid)?,
            source,
        });
        Ok(())
    }

    fn check_protocol_parameters(&self) -> Result<(), Problem> {
        let protocol = self.protocol();
        let twice = protocol
            .array_windows()
            .filter(|[one, next]| one.name == next.name);
        let mut twice: Vec<&str> = twice.map(|[one, _]| &*one.name).collect();
        twice.dedup();
        if !twice.is_empty() {
            return Err(Problem::parameters_rejected(
                &twice,
                "Send each oauth_ parameter once.",
            ));
        }
        let source = protocol.iter().map(|parameter| parameter.source).min();
        let elsewhere = protocol
            .iter()
            .filter(|parameter| Some(parameter.source) != source);
        let elsewhere: Vec<&str> = elsewhere.map(|parameter| &*parameter.name).collect();
        if !elsewhere.is_empty() {
            return Err(Problem::parameters_rejected(
                &elsewhere,
                "Send all oauth_ parameters in one place: the header, the query or the form body.",
            ));
        }
        Ok(())
    }
}

impl Parameter<'_> {
    /// Decodes the value.
    ///
    /// # Errors
    ///
    /// `parameter_rejected` if it is not UTF-8, which a protocol parameter is.
    pub(super) fn decode_value(&self) -> Result<Cow<'_, str>, Problem> {
        if let Cow::Borrowed(unreserved) = self.value {
            return Ok(Cow::Borrowed(unreserved));
        }
        let decoded = encoding::decode_utf8(self.value.as_bytes(), Encoding::Percent).map(Cow::Owned);
        decoded.ok_or_else(|| Problem::parameters_rejected(&[&self.name], "Send text in UTF-8."))
    }
}

/// Whether a query or a form has one of the parameters of a signed request, in any spelling.
fn has_required_name(raw: &[u8]) -> bool {
    encoding::form_pairs(raw).any(|(name, _)| {
        let name = encoding::normalize(name, Encoding::Form);
        name.is_ok_and(|name| REQUIRED.contains(&&*name))
    })
}

/// The parameters of every signed request (RFC 5849, section 3.1). Timestamp and nonce are required for PLAINTEXT too.
pub(super) const REQUIRED: [&str; 5] = [
    "oauth_consumer_key",
    "oauth_signature_method",
    "oauth_signature",
    "oauth_timestamp",
    "oauth_nonce",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONE: &[(&str, &str)] = &[];
    const SIGNED: &str = "oauth_consumer_key=k&oauth_signature_method=HMAC-SHA1&oauth_signature=s&oauth_timestamp=1&oauth_nonce=n";

    #[test]
    fn too_many_parameters_are_rejected_without_names() {
        let many = |count: usize| format!("{SIGNED}{}", "&a=b".repeat(count));
        assert!(collect_parameters(Some(&many(995)), &[], None).is_ok());
        for query in [many(996), many(10_000), many(250_000)] {
            let problem = collect_parameters(Some(&query), &[], None).unwrap_err();
            assert!(matches!(problem, Problem::ParameterRejected { names, .. } if names.is_empty()));
        }
    }

    #[test]
    fn only_protocol_parameters_must_be_utf8() {
        let query = format!("{SIGNED}&a=%ff&oauth_callback=%ff");
        let all = collect_parameters(Some(&query), &[], None).unwrap().unwrap();
        assert!(
            normalize_parameters(&all)
                .collect::<String>()
                .starts_with("a=%FF&")
        );
        let problem = all.get("oauth_callback").unwrap().decode_value().unwrap_err();
        assert_eq!(problem.pairs()[1].1, "oauth_callback");
        let raw = Parameters::of_unsigned("", b"b=\xff\xfe", &[("a", "\u{e9}")]).unwrap();
        assert_eq!(
            normalize_parameters(&raw).collect::<String>(),
            "a=%C3%A9&b=%FF%FE"
        );
    }

    /// The normalized parameters of a query as RFC 5849, section 3.4.1.3 defines them, step by step.
    fn normalized_stepwise(query: &str) -> Result<String, InvalidPercentEncoding> {
        let encoded = |raw: &str| {
            let mut out = String::new();
            let decoded = encoding::decode(raw.replace('+', " ").as_bytes(), Encoding::Percent)?;
            encoding::push_encoded(&mut out, &decoded);
            Ok(out)
        };
        let pairs = query.split('&').filter(|piece| !piece.is_empty());
        let pairs = pairs.map(|piece| piece.split_once('=').unwrap_or((piece, "")));
        let pairs = pairs.map(|(name, value)| Ok((encoded(name)?, encoded(value)?)));
        let mut pairs = pairs.collect::<Result<Vec<_>, _>>()?;
        pairs.retain(|(name, _)| name != "oauth_signature");
        pairs.sort();
        let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        Ok(pairs.collect::<Vec<_>>().join("&"))
    }

    proptest! {
        #[test]
        fn normalizing_is_decoding_encoding_and_sorting(
            pieces in proptest::collection::vec("[&=+%oah_ -]{0,3}|a{14,18}=?b?|oauth_(token|nonce|signature|extra[=a-c]{0,3})|%(3d|7E|6f|ff)|[é/=&]", 0..16),
        ) {
            let query = pieces.join("&");
            match (Parameters::of_unsigned(&query, b"", NONE), normalized_stepwise(&query)) {
                (Ok(parameters), Ok(expected)) => {
                    prop_assert_eq!(normalize_parameters(&parameters).collect::<String>(), expected);
                    let protocol = parameters.iter().filter(|parameter| parameter.name.starts_with("oauth_"));
                    prop_assert!(protocol.eq(parameters.protocol()));
                }
                (collected, expected) => prop_assert!(collected.is_err() && expected.is_err()),
            }
        }
    }
}

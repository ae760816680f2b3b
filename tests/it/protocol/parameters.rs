//! Percent-encoding and normalization, compared with the text of RFC 5849.

use linkgate::oauth::encoding::{Encoding, EncodingError, decode, encode, normalize};
use linkgate::oauth::parameters::{collect_parameters, normalize_parameters};
use linkgate::oauth::{Parameters, Problem};
use proptest::prelude::*;

const SIGNED: &str =
    "oauth_consumer_key=k&oauth_signature_method=HMAC-SHA1&oauth_signature=s&oauth_timestamp=1&oauth_nonce=n";

/// The normalized parameters as one text.
pub(super) fn joined(parameters: &Parameters<'_>) -> String {
    let pairs = normalize_parameters(parameters).map(|(name, value)| [&**name, value].join(&b'='));
    String::from_utf8(pairs.collect::<Vec<_>>().join(&b'&')).unwrap()
}

#[test]
fn every_spelling_has_one_canonical_form() {
    for (raw, form, percent) in [
        (&b"a+b%2B"[..], "a%20b%2B", "a%2Bb%2B"),
        (b"%7euser/%e3[]", "~user%2F%E3%5B%5D", "~user%2F%E3%5B%5D"),
        (b"%ff\xfe", "%FF%FE", "%FF%FE"),
        (b"%2525", "%2525", "%2525"),
    ] {
        assert_eq!(*normalize(raw, Encoding::Form).unwrap(), *form.as_bytes());
        assert_eq!(*normalize(raw, Encoding::Percent).unwrap(), *percent.as_bytes());
    }
}

#[test]
fn invalid_percent_encoding_is_rejected() {
    for raw in ["%", "%2", "%zz", "a%", "%%20", "%+1", "%\u{e9}", "% 1"] {
        let raw = raw.as_bytes();
        assert_eq!(normalize(raw, Encoding::Form), Err(EncodingError));
        assert_eq!(decode(raw, Encoding::Percent), Err(EncodingError));
    }
}

#[test]
fn too_many_parameters_are_rejected_without_names() {
    let many = |count: usize| format!("{SIGNED}{}", "&a=b".repeat(count));
    assert!(collect_parameters(Some(&many(995)), &[], None).is_ok());
    for query in [many(996), many(10_000), many(250_000)] {
        let problem = collect_parameters(Some(&query), &[], None).unwrap_err();
        assert!(matches!(problem, Problem::ParameterRejected { names, .. } if names.is_empty()));
    }
    let (query, form) = (many(495), "a&".repeat(501));
    assert!(collect_parameters(Some(&query), &[], Some(form.as_bytes())).is_err());
}

#[test]
fn bytes_that_are_not_utf8_survive() {
    let raw = Parameters::of_unsigned("c=%ff", b"b=\xff\xfe", &[("a", "\u{e9}")]).unwrap();
    assert_eq!(joined(&raw), "a=%C3%A9&b=%FF%FE&c=%FF");
}

/// The normalized parameters of a query as RFC 5849, section 3.4.1.3 defines them, step by step.
fn normalized_stepwise(query: &str) -> Result<String, EncodingError> {
    let encoded = |raw: &str| {
        let decoded = decode(raw.replace('+', " ").as_bytes(), Encoding::Percent)?;
        let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        let encode = |byte: u8| match byte {
            byte if unreserved(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        Ok(decoded.into_iter().map(encode).collect::<String>())
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
    fn decoding_undoes_encoding(text in "\\PC*") {
        let encoded = encode(&text);
        prop_assert_eq!(decode(encoded.as_bytes(), Encoding::Form).unwrap(), text.as_bytes());
        let normalized = normalize(encoded.as_bytes(), Encoding::Form).unwrap();
        prop_assert_eq!(&*normalized, encoded.as_bytes());
    }

    #[test]
    fn normalizing_is_decoding_encoding_and_sorting(
        pieces in proptest::collection::vec("[&=+%oah_ -]{0,3}|a{14,18}=?b?|oauth_(token|nonce|signature|extra[=a-c]{0,3})|%(3d|7E|6f|ff)|[é/=&]", 0..16),
    ) {
        let query = pieces.join("&");
        match (Parameters::of_unsigned::<&str, &str>(&query, b"", &[]), normalized_stepwise(&query)) {
            (Ok(parameters), Ok(expected)) => prop_assert_eq!(joined(&parameters), expected),
            (collected, expected) => prop_assert!(collected.is_err() && expected.is_err()),
        }
    }
}

//! Finds out why a signature does not match: verifies again with what a misconfigured consumer or proxy would have changed.
//! Only the holder of the consumer's key can make a signature that matches a variant, so the advice tells an attacker nothing.

use super::credentials::Secret;
use super::encoding::{self, Encoding};
use super::parameters::Source;
use super::request::{RequestView, SignedRequest};
use super::signature::VerificationKey;
use super::url::PublicUrl;

/// Whether a request has at most 16 KiB: each variant costs as much as the request.
pub fn is_small(view: &RequestView<'_>) -> bool {
    let parts = [view.path, view.query.unwrap_or_default()].map(str::as_bytes);
    let parts = parts.iter().chain(view.authorization).chain(&view.form);
    parts.map(|part| part.len()).sum::<usize>() <= MAX_BYTES
}

/// The advice for a request whose signature does not match. `None`: neither does that of any variant.
pub fn diagnose(
    view: &RequestView<'_>,
    keys: &[VerificationKey],
    token_secret: Option<&Secret>,
) -> Option<&'static str> {
    let mut methods = [("HEAD", "GET"), ("GET", "HEAD")].into_iter();
    let other_method = methods.find(|(method, _)| *method == view.method);
    let other_scheme = other_scheme(view.url);
    let empty_key = [VerificationKey::Hmac(Secret::new(""))];
    let as_received = |view, advice| (view, keys, token_secret, advice);
    let variants = [
        other_scheme
            .as_ref()
            .map(|url| as_received(RequestView { url, ..*view }, SCHEME)),
        view.query
            .map(|_| as_received(RequestView { query: None, ..*view }, QUERY)),
        view.form
            .map(|_| as_received(RequestView { form: None, ..*view }, FORM)),
        other_method.map(|(_, method)| as_received(RequestView { method, ..*view }, METHOD)),
        Some((*view, keys, None, TOKEN_SECRET)),
        Some((*view, &empty_key, token_secret, CONSUMER_SECRET)),
    ];
    let matches = |request: Result<Option<SignedRequest>, _>, keys: &[_], secret| {
        let request: Option<SignedRequest> = request.ok().flatten();
        request.is_some_and(|request| request.verify(keys, secret).is_ok())
    };
    let mut variants = variants.into_iter().flatten();
    if let Some((.., advice)) =
        variants.find(|(view, keys, secret, _)| matches(SignedRequest::parse(view), keys, *secret))
    {
        return Some(advice);
    }
    let mut recodings = RECODINGS.into_iter();
    let found = recodings.find(|(sources, change, _)| {
        let request = SignedRequest::parse_with(view, |parameters| parameters.change(sources, *change));
        matches(request, keys, token_secret)
    });
    found.map(|(.., advice)| advice)
}

type Change = fn(&[u8]) -> Vec<u8>;

fn decode(encoded: &[u8]) -> Vec<u8> {
    encoding::decode(encoded, Encoding::Percent).unwrap_or_default()
}

fn encode(encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encoding::push_encoded(&mut out, encoded);
    out
}

fn other_scheme(url: &PublicUrl) -> Option<PublicUrl> {
    let (scheme, rest) = url.as_str().split_once("://")?;
    let other = if scheme == "https" { "http" } else { "https" };
    PublicUrl::parse(&format!("{other}://{rest}")).ok()
}

const MAX_BYTES: usize = 16 << 10;
const URL_AND_FORM: &[Source] = &[Source::Query, Source::Form];
const HEADER: &[Source] = &[Source::Header];
const ALL: &[Source] = &[Source::Header, Source::Query, Source::Form];
/// Other normalizations of names and values than that of RFC 5849, section 3.4.1.3.2, and of which parameters.
const RECODINGS: [(&[Source], Change, &str); 6] = [
    (URL_AND_FORM, decode, TOO_FEW),
    (URL_AND_FORM, encode, TOO_MANY),
    (HEADER, decode, TOO_FEW),
    (HEADER, encode, TOO_MANY),
    (ALL, decode, TOO_FEW),
    (ALL, encode, TOO_MANY),
];
const SCHEME: &str = "The consumer signed the same URL with the other scheme (http or https): make its URLs and linkgate's public_url agree.";
const QUERY: &str = "The consumer did not sign the query, or something between it and linkgate added one.";
const FORM: &str =
    "The consumer did not sign the form body, or something between it and linkgate changed it.";
const METHOD: &str =
    "The consumer signed the other of GET and HEAD: something between it and linkgate changed the method.";
const TOKEN_SECRET: &str = "The consumer signed without the token's secret.";
const CONSUMER_SECRET: &str =
    "The consumer signed with an empty consumer secret: enter the shared secret on its side.";
const TOO_FEW: &str = "The consumer signed names or values that it had not percent-encoded: encode each, join them, and encode the \
     result once more (RFC 5849, section 3.4.1.3.2).";
const TOO_MANY: &str = "The consumer percent-encoded names or values that were encoded already: decode the query and the form, then \
     encode each name and value (RFC 5849, section 3.4.1.3).";
/// The advice if no variant was signed, and the body is not a form.
pub const OTHER_BODY: &str = "The signature does not match: leave the fields of the body out, since only form bodies are signed (RFC \
     5849, section 3.4.1.3.1); if they were left out, compare the URL as it was signed, and the secret or key.";

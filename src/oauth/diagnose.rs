//! Finds out why a signature does not match, for `oauth_problem_advice`.
//!
//! The request is verified again with what a misconfigured consumer or proxy would have changed. Only the holder of the
//! consumer's key can make a signature that matches any of these variants, so the advice tells an attacker nothing.

use super::credentials::Secret;
use super::encoding::{self, Encoding};
use super::parameters::Source;
use super::request::{RequestView, SignedRequest};
use super::signature::VerificationKey;
use super::url::PublicUrl;

/// A request as it may have been signed.
#[derive(Debug)]
pub struct Variant {
    request: SignedRequest,
    advice: &'static str,
}

/// The variants of a request, which [`diagnose`] verifies. There are none if its path, query, credentials and form have more
/// than 16 KiB together: each variant costs as much as the request.
pub fn variants(view: &RequestView<'_>) -> Vec<Variant> {
    let mut variants = Vec::new();
    let parts = [view.path, view.query.unwrap_or_default()].map(str::as_bytes);
    let parts = parts.iter().chain(view.authorization).chain(&view.form);
    if parts.map(|part| part.len()).sum::<usize>() > MAX_BYTES {
        return variants;
    }
    let mut add = |view: RequestView<'_>, sources: &[Source], change: Change, advice| {
        let request = SignedRequest::parse_with(&view, |parameters| parameters.change(sources, change));
        let request = request.ok().flatten();
        variants.extend(request.map(|request| Variant { request, advice }));
    };
    if let Some(url) = &other_scheme(view.url) {
        add(RequestView { url, ..*view }, &[], <[u8]>::to_vec, SCHEME);
    }
    if view.query.is_some() {
        add(RequestView { query: None, ..*view }, &[], <[u8]>::to_vec, QUERY);
    }
    if view.form.is_some() {
        add(RequestView { form: None, ..*view }, &[], <[u8]>::to_vec, FORM);
    }
    if let Some(method) = other_method(view.method) {
        add(RequestView { method, ..*view }, &[], <[u8]>::to_vec, METHOD);
    }
    for advice in [TOKEN_SECRET, CONSUMER_SECRET] {
        add(*view, &[], <[u8]>::to_vec, advice);
    }
    for sources in [&[Source::Query, Source::Form][..], &[Source::Header], &ALL] {
        add(*view, sources, decode, TOO_FEW);
        add(*view, sources, encode, TOO_MANY);
    }
    variants
}

/// The advice of the variant that was signed. `None`: none of them was.
pub fn diagnose(
    variants: Vec<Variant>,
    keys: &[VerificationKey],
    token_secret: Option<&Secret>,
) -> Option<&'static str> {
    let empty_key = [VerificationKey::Hmac(Secret::new(""))];
    let mut variants = variants.into_iter();
    variants.find_map(|Variant { request, advice }| {
        let verified = match advice {
            TOKEN_SECRET => request.verify(keys, None),
            CONSUMER_SECRET => request.verify(&empty_key, token_secret),
            _ => request.verify(keys, token_secret),
        };
        verified.is_ok().then_some(advice)
    })
}

/// Another normalization of a name or a value than that of RFC 5849, section 3.4.1.3.2.
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

fn other_method(method: &str) -> Option<&'static str> {
    match method {
        "HEAD" => Some("GET"),
        "GET" => Some("HEAD"),
        _ => None,
    }
}

const MAX_BYTES: usize = 16 << 10;
const ALL: [Source; 3] = [Source::Header, Source::Query, Source::Form];
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

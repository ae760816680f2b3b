//! Finds out why a signature does not match, for `oauth_problem_advice`.
//!
//! The request is verified again with what a misconfigured consumer or proxy would have changed. Only the holder of the
//! consumer's key can make a signature that matches any of these variants, so the advice tells an attacker nothing.

use super::credentials::Secret;
use super::encoding::{self, Encoding};
use super::parameters::Source;
use super::problem::Problem;
use super::request::{RequestView, SignedRequest};
use super::signature::VerificationKey;
use super::url::PublicUrl;

/// A request as it may have been signed.
#[derive(Clone, Copy)]
struct Variant<'a> {
    view: RequestView<'a>,
    keys: &'a [VerificationKey],
    token_secret: Option<&'a Secret>,
    /// Another encoding of the parameters from some parts of the request.
    recoding: Option<(&'a [Source], fn(&[u8]) -> Vec<u8>)>,
    advice: &'static str,
}

/// Replaces the advice of `signature_invalid` if the reason is known. Other problems are returned unchanged.
pub fn diagnose_signature(
    problem: Problem,
    view: &RequestView<'_>,
    keys: &[VerificationKey],
    token_secret: Option<&Secret>,
) -> Problem {
    if !matches!(problem, Problem::SignatureInvalid(_)) {
        return problem;
    }
    let received = Variant {
        view: *view,
        keys,
        token_secret,
        recoding: None,
        advice: "",
    };
    let changed = |view, advice| Variant {
        view,
        advice,
        ..received
    };
    let other_scheme = other_scheme(view.url);
    let other_method = match view.method {
        "HEAD" => Some("GET"),
        "GET" => Some("HEAD"),
        _ => None,
    };
    let is_hmac = keys.iter().any(|key| matches!(key, VerificationKey::Hmac(_)));
    let empty_key = [VerificationKey::Hmac(Secret::new(""))];
    let variants = [
        other_scheme
            .as_ref()
            .map(|url| changed(RequestView { url, ..*view }, SCHEME)),
        view.query
            .map(|_| changed(RequestView { query: None, ..*view }, QUERY)),
        view.form
            .map(|_| changed(RequestView { form: None, ..*view }, FORM)),
        other_method.map(|method| changed(RequestView { method, ..*view }, METHOD)),
        token_secret.map(|_| Variant {
            token_secret: None,
            ..changed(*view, TOKEN_SECRET)
        }),
        is_hmac.then_some(Variant {
            keys: &empty_key,
            ..changed(*view, CONSUMER_SECRET)
        }),
    ];
    let recoded = RECODINGS.map(|(recoding, advice)| Variant {
        recoding: Some(recoding),
        ..changed(*view, advice)
    });
    let mut variants = variants.into_iter().flatten().chain(recoded);
    match variants.find(Variant::is_valid) {
        Some(found) => Problem::SignatureInvalid(found.advice),
        None if view.has_other_body => Problem::SignatureInvalid(OTHER_BODY),
        None => problem,
    }
}

impl Variant<'_> {
    fn is_valid(&self) -> bool {
        let request = SignedRequest::parse_with(&self.view, |parameters| {
            if let Some((sources, change)) = self.recoding {
                parameters.change(sources, change);
            }
        });
        let request = request.ok().flatten();
        request.is_some_and(|request| request.verify(self.keys, self.token_secret).is_ok())
    }
}

fn other_scheme(url: &PublicUrl) -> Option<PublicUrl> {
    let (scheme, rest) = url.as_str().split_once("://")?;
    let other = if scheme == "https" { "http" } else { "https" };
    PublicUrl::parse(&format!("{other}://{rest}")).ok()
}

/// Decodes what is encoded for the signature: such a consumer encoded it once, as a part of the base string.
fn encoded_once_less(encoded: &[u8]) -> Vec<u8> {
    encoding::decode(encoded, Encoding::Percent).unwrap_or_default()
}

/// Encodes what is encoded for the signature: such a consumer did not decode the query or the form.
fn encoded_once_more(encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encoding::push_encoded(&mut out, encoded);
    out
}

const RECODINGS: [((&[Source], fn(&[u8]) -> Vec<u8>), &str); 5] = [
    ((&[Source::Query, Source::Form], encoded_once_less), ONCE_LESS),
    ((&[Source::Header], encoded_once_less), ONCE_LESS),
    (
        (&[Source::Query, Source::Header, Source::Form], encoded_once_less),
        ONCE_LESS,
    ),
    ((&[Source::Query, Source::Form], encoded_once_more), ONCE_MORE),
    (
        (&[Source::Query, Source::Header, Source::Form], encoded_once_more),
        ONCE_MORE,
    ),
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
const ONCE_LESS: &str = "The consumer signed names or values that it had not percent-encoded: encode each, join them, and encode the \
     result once more (RFC 5849, section 3.4.1.3.2).";
const ONCE_MORE: &str = "The consumer percent-encoded names or values that were encoded already: decode the query and the form, then \
     encode each name and value (RFC 5849, section 3.4.1.3).";
const OTHER_BODY: &str = "The signature does not match: leave the fields of the body out, since only form bodies are signed (RFC 5849, \
     section 3.4.1.3.1); if they were left out, compare the URL as it was signed, and the secret or key.";

//! Finds out why a signature does not match, for `oauth_problem_advice`.
//!
//! The request is verified again with what a misconfigured consumer or proxy would have changed. Only the holder of the
//! consumer's key can make a signature that matches any of these variants, so the advice tells an attacker nothing.

use super::credentials::Secret;
use super::problem::Problem;
use super::request::{RequestView, SignedRequest};
use super::signature::VerificationKey;
use super::url::PublicUrl;

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
    let other_scheme = other_scheme(view.url);
    let scheme = other_scheme.as_ref().map(|url| RequestView { url, ..*view });
    let no_query = view.query.map(|_| RequestView { query: None, ..*view });
    let no_form = view.form.map(|_| RequestView { form: None, ..*view });
    let other_method = match view.method {
        "HEAD" => Some(RequestView {
            method: "GET",
            ..*view
        }),
        "GET" => Some(RequestView {
            method: "HEAD",
            ..*view
        }),
        _ => None,
    };
    let no_secret = token_secret.map(|_| *view);
    let is_hmac = keys.iter().any(|key| matches!(key, VerificationKey::Hmac(_)));
    let empty_key = [VerificationKey::Hmac(Secret::new(""))];
    let variants = [
        (scheme, keys, token_secret, SCHEME),
        (no_query, keys, token_secret, QUERY),
        (no_form, keys, token_secret, FORM),
        (other_method, keys, token_secret, METHOD),
        (no_secret, keys, None, TOKEN_SECRET),
        (
            is_hmac.then_some(*view),
            &empty_key,
            token_secret,
            CONSUMER_SECRET,
        ),
    ];
    let is_valid = |(view, keys, token_secret, _): &(
        Option<RequestView<'_>>,
        &[VerificationKey],
        Option<&Secret>,
        _,
    )| {
        let request = view.and_then(|view| SignedRequest::parse(&view).ok().flatten());
        request.is_some_and(|request| request.verify(keys, *token_secret).is_ok())
    };
    let found = variants.into_iter().find(is_valid);
    found.map_or(problem, |(.., advice)| Problem::SignatureInvalid(advice))
}

fn other_scheme(url: &PublicUrl) -> Option<PublicUrl> {
    let (scheme, rest) = url.as_str().split_once("://")?;
    let other = if scheme == "https" { "http" } else { "https" };
    PublicUrl::parse(&format!("{other}://{rest}")).ok()
}

const SCHEME: &str = "The consumer signed the same URL with the other scheme (http or https): make its URLs and linkgate's public_url agree.";
const QUERY: &str = "The consumer did not sign the query, or something between it and linkgate added one.";
const FORM: &str =
    "The consumer did not sign the form body, or something between it and linkgate changed it.";
const METHOD: &str =
    "The consumer signed the other of GET and HEAD: something between it and linkgate changed the method.";
const TOKEN_SECRET: &str = "The consumer signed without the token's secret.";
const CONSUMER_SECRET: &str =
    "The consumer signed with an empty consumer secret: enter the shared secret on its side.";

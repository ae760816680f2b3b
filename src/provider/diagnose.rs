//! Why a signature failed: which other view of the same request would have matched.
//!
//! Only who holds the consumer's key can make a signature that matches any view, so the answer tells a stranger nothing.

use crate::oauth::{Problem, PublicUrl, RequestView, Secret, SignedRequest, VerificationKey};

/// One sentence for the refusal of a signature that does not match.
pub(super) fn matching_view(
    view: &RequestView<'_>,
    keys: &[VerificationKey],
    token_secret: Option<&Secret>,
) -> Option<&'static str> {
    let matches = |view: &RequestView<'_>, keys: &[VerificationKey], token_secret: Option<&Secret>| {
        let parsed = SignedRequest::parse(view).ok().flatten();
        parsed.is_some_and(|request| request.verify(keys, token_secret).is_ok())
    };
    let other = other_scheme(view.url);
    let views = [
        (other.as_ref().map(|url| RequestView { url, ..*view }), SCHEME),
        (view.query.map(|_| RequestView { query: None, ..*view }), QUERY),
        (view.form.map(|_| RequestView { form: None, ..*view }), FORM),
        (
            (view.method == "HEAD").then_some(RequestView {
                method: "GET",
                ..*view
            }),
            HEAD,
        ),
        (
            (view.method == "GET").then_some(RequestView {
                method: "HEAD",
                ..*view
            }),
            HEAD,
        ),
    ];
    let by_view = views
        .into_iter()
        .find_map(|(view, why)| matches(&view?, keys, token_secret).then_some(why));
    let without_secret = || {
        token_secret
            .filter(|_| matches(view, keys, None))
            .map(|_| TOKEN_SECRET)
    };
    let empty_key = || {
        let hmac = keys.iter().any(|key| matches!(key, VerificationKey::Hmac(_)));
        let empty = [VerificationKey::Hmac(Secret::new(""))];
        (hmac && matches(view, &empty, token_secret)).then_some(EMPTY_KEY)
    };
    by_view.or_else(without_secret).or_else(empty_key)
}

/// A refusal with its explanation, where there is one.
pub(super) fn diagnose_signature(
    problem: Problem,
    view: &RequestView<'_>,
    keys: &[VerificationKey],
    token_secret: Option<&Secret>,
) -> Problem {
    match problem {
        Problem::SignatureInvalid(_) => {
            matching_view(view, keys, token_secret).map_or(problem, Problem::SignatureInvalid)
        }
        other => other,
    }
}

fn other_scheme(url: &PublicUrl) -> Option<PublicUrl> {
    let text = url.as_str();
    let other = match text.strip_prefix("https:") {
        Some(rest) => format!("http:{rest}"),
        None => text.replacen("http:", "https:", 1),
    };
    PublicUrl::parse(&other).ok()
}

const SCHEME: &str = "The consumer signed the same URL with the other scheme (http or https): make its URLs and linkgate's public_url agree.";
const QUERY: &str = "The consumer did not sign the query, or something between it and linkgate added one.";
const FORM: &str =
    "The consumer did not sign the form body, or something between it and linkgate changed it.";
const HEAD: &str =
    "The consumer signed the other of GET and HEAD: something between it and linkgate changed the method.";
const TOKEN_SECRET: &str = "The consumer signed without the token's secret.";
const EMPTY_KEY: &str =
    "The consumer signed with an empty consumer secret: enter the shared secret on its side.";

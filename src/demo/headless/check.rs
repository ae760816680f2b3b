//! What many steps compare.

use std::fmt::Debug;

use http::StatusCode;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::Value;

use crate::demo::bitbucket::Bitbucket;
use crate::demo::bitbucket::refusal::Refusal;
use crate::demo::form;
use crate::demo::wire::Exchange;
use crate::oauth::encode;

use super::report::Mismatch;

/// Two values are the same.
pub(super) fn equal<T: Debug + PartialEq<U>, U: Debug>(
    what: &str,
    got: &T,
    expected: &U,
) -> Result<(), Mismatch> {
    let message = || Mismatch(format!("{what}: got {got:?}, expected {expected:?}"));
    (got == expected).then_some(()).ok_or_else(message)
}

/// Something is so.
pub(super) fn holds(what: &str, is_so: bool) -> Result<(), Mismatch> {
    is_so
        .then_some(())
        .ok_or_else(|| Mismatch(format!("it does not hold that {what}")))
}

/// Status and problem of an answer, for its line.
pub(super) fn short(exchange: &Exchange) -> String {
    let status = exchange.status.as_u16();
    match Refusal::read(exchange) {
        Some(refusal) => format!("{status} {}", refusal.problem()).trim_end().to_owned(),
        None => status.to_string(),
    }
}

/// The application's answer: this status, and JSON.
pub(super) fn json(exchange: &Exchange, status: u16) -> Result<Value, Mismatch> {
    if exchange.status.as_u16() != status {
        return Err(Mismatch(format!(
            "got {}, expected {status}: {}",
            short(exchange),
            exchange.body
        )));
    }
    serde_json::from_str(&exchange.body).map_err(|error| Mismatch(format!("the body is no JSON: {error}")))
}

/// An answer for this user of this consumer.
pub(super) fn answered_for(value: &Value, user: Option<&str>, consumer: &str) -> Result<(), Mismatch> {
    equal("user", &value["user"], &Value::from(user))?;
    equal("consumer", &value["consumer"], &consumer)
}

/// A refusal with this problem: exactly one challenge, and the same pairs in the body.
pub(super) fn refused(
    bitbucket: &Bitbucket,
    exchange: &Exchange,
    status: u16,
    problem: &str,
) -> Result<String, Mismatch> {
    let expected = format!("{status} {problem}");
    equal("answer", &short(exchange), &expected)?;
    challenged(bitbucket, exchange)?;
    let pairs = Refusal::read(exchange)
        .map(|refusal| refusal.pairs)
        .unwrap_or_default();
    equal("body's pairs", &form::read(&exchange.body), &pairs)?;
    let kind = exchange.header(CONTENT_TYPE);
    equal(
        "content type",
        &kind,
        &Some("application/x-www-form-urlencoded;charset=UTF-8"),
    )?;
    let advice = form::value(&pairs, "oauth_problem_advice").unwrap_or_default();
    holds("the refusal comes with advice", !advice.is_empty())?;
    Ok(expected)
}

/// Exactly one challenge: `OAuth`, and the realm percent-encoded.
pub(super) fn challenged(bitbucket: &Bitbucket, exchange: &Exchange) -> Result<(), Mismatch> {
    let challenges = exchange.headers.get_all(WWW_AUTHENTICATE).iter().count();
    equal("number of challenges", &challenges, &1)?;
    let realm = format!(
        "OAuth realm=\"{}\"",
        encode::encode(bitbucket.linkgate().as_str())
    );
    let challenge = exchange.header(WWW_AUTHENTICATE).unwrap_or_default();
    holds(
        &format!("{challenge:?} begins with {realm:?}"),
        challenge.starts_with(&realm),
    )
}

/// A success of a token endpoint: its pairs.
pub(super) fn granted(exchange: &Exchange) -> Result<Vec<(String, String)>, Mismatch> {
    if exchange.status != StatusCode::OK {
        return Err(Mismatch(format!(
            "got {}, expected 200: {}",
            short(exchange),
            exchange.body
        )));
    }
    let kind = exchange.header(CONTENT_TYPE).unwrap_or_default();
    holds(&format!("{kind:?} is text/plain"), kind.starts_with("text/plain"))?;
    let pairs = form::read(&exchange.body);
    let plain = |name: &str| {
        let value = form::value(&pairs, name).unwrap_or_default();
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    holds(
        "token and secret are letters and digits",
        plain("oauth_token") && plain("oauth_token_secret"),
    )?;
    Ok(pairs)
}

/// A token call as Bitbucket sends it: a form POST with every protocol parameter in its body, and no `Authorization`.
pub(super) fn sent_as_form(exchange: &Exchange, extra: &[&str]) -> Result<(), Mismatch> {
    let head = exchange.sent_head();
    holds("it is a POST", head.starts_with("POST "))?;
    holds(
        "no Authorization is sent",
        !head.to_ascii_lowercase().contains("\nauthorization:"),
    )?;
    let sent = form::read(exchange.sent_body());
    let standard = [
        "oauth_consumer_key",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_nonce",
        "oauth_version",
        "oauth_signature",
    ];
    for name in standard.iter().chain(extra) {
        holds(
            &format!("{name} is in the body"),
            form::value(&sent, name).is_some(),
        )?;
    }
    equal(
        "oauth_version",
        &form::value(&sent, "oauth_version"),
        &Some("1.0"),
    )
}

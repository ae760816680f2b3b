//! What many steps compare.

use std::fmt::Debug;

use http::StatusCode;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::Value;

use crate::demo::bitbucket::refusal::Refusal;
use crate::demo::form;
use crate::demo::wire::Exchange;
use crate::oauth::encoding;

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
    realm: &str,
    exchange: &Exchange,
    status: u16,
    problem: &str,
) -> Result<String, Mismatch> {
    let expected = format!("{status} {problem}");
    equal("answer", &short(exchange), &expected)?;
    challenged(realm, exchange)?;
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
pub(super) fn challenged(realm: &str, exchange: &Exchange) -> Result<(), Mismatch> {
    let challenges = exchange.headers.get_all(WWW_AUTHENTICATE).iter().count();
    equal("number of challenges", &challenges, &1)?;
    let opening = format!("OAuth realm=\"{}\"", encoding::encode(realm));
    let challenge = exchange.header(WWW_AUTHENTICATE).unwrap_or_default();
    holds(
        &format!("{challenge:?} begins with {opening:?}"),
        challenge.starts_with(&opening),
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

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn answer(status: u16, challenges: &[&'static str], body: &str) -> Exchange {
        let mut headers = HeaderMap::new();
        for challenge in challenges {
            headers.append(WWW_AUTHENTICATE, challenge.parse().unwrap());
        }
        let form = "application/x-www-form-urlencoded;charset=UTF-8";
        headers.insert(CONTENT_TYPE, form.parse().unwrap());
        Exchange {
            sent: String::new(),
            base_string: None,
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            received_head: String::new(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn a_refusal_is_taken_only_when_all_of_it_is_right() {
        const CHALLENGE: &str = r#"OAuth realm="http%3A%2F%2Fh", oauth_problem="nonce_used", oauth_problem_advice="Sign%20anew.""#;
        const SILENT: &str = r#"OAuth realm="http%3A%2F%2Fh", oauth_problem="nonce_used""#;
        const ELSEWHERE: &str =
            r#"OAuth realm="elsewhere", oauth_problem="nonce_used", oauth_problem_advice="Sign%20anew.""#;
        const BODY: &str = "oauth_problem=nonce_used&oauth_problem_advice=Sign%20anew.";
        let right = |exchange: &Exchange| refused("http://h", exchange, 401, "nonce_used").is_ok();

        assert!(right(&answer(401, &[CHALLENGE], BODY)));
        assert!(!right(&answer(400, &[CHALLENGE], BODY)), "another status");
        assert!(!right(&answer(200, &[CHALLENGE], BODY)), "a success");
        assert!(
            !right(&answer(401, &[CHALLENGE, CHALLENGE], BODY)),
            "two challenges"
        );
        assert!(
            !right(&answer(401, &[CHALLENGE], "oauth_problem=nonce_used")),
            "another body"
        );
        assert!(
            !right(&answer(401, &[SILENT], "oauth_problem=nonce_used")),
            "no advice"
        );
        assert!(!right(&answer(401, &[ELSEWHERE], BODY)), "another realm");
        assert!(refused("http://h", &answer(401, &[CHALLENGE], BODY), 401, "token_used").is_err());
    }

    #[test]
    fn a_grant_is_taken_only_as_plain_text_of_letters_and_digits() {
        let taken = |kind: &str, body: &str| {
            let mut exchange = answer(200, &[], body);
            exchange.headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            granted(&exchange).is_ok()
        };
        let text = "text/plain;charset=UTF-8";
        assert!(taken(text, "oauth_token=a1&oauth_token_secret=B2"));
        assert!(!taken("text/html", "oauth_token=a1&oauth_token_secret=B2"));
        assert!(!taken(text, "oauth_token=a1&oauth_token_secret="));
        assert!(!taken(text, "oauth_token=a-1&oauth_token_secret=B2"));
    }
}

//! Refusals, read and acted upon as Atlassian's client does.

use http::header::WWW_AUTHENTICATE;

use crate::demo::form;
use crate::demo::wire::Exchange;

/// An answer outside 200..=399, which is all that this client takes for a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The pairs of the last `WWW-Authenticate: OAuth`, decoded, without the realm.
    pub pairs: Vec<(String, String)>,
}

/// What the consumer does after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It worked.
    Succeeded,
    /// The token can never work again: forget it, and ask the user to connect again.
    DropToken,
    /// The clocks disagree: a warning for the administrator.
    WarnOfClock,
    /// It failed; the token stays.
    KeepToken,
}

impl Refusal {
    /// Reads an answer; `None`: it counts as success.
    pub fn read(exchange: &Exchange) -> Option<Self> {
        if (200..400).contains(&exchange.status.as_u16()) {
            return None;
        }
        let challenge = exchange.header(WWW_AUTHENTICATE).unwrap_or_default();
        let pairs = challenge.strip_prefix("OAuth ").map(pairs).unwrap_or_default();
        Some(Self { pairs })
    }

    /// `oauth_problem`; empty: none was named.
    pub fn problem(&self) -> &str {
        form::value(&self.pairs, "oauth_problem").unwrap_or_default()
    }

    /// `oauth_problem_advice`, which the user is shown.
    pub fn advice(&self) -> &str {
        form::value(&self.pairs, "oauth_problem_advice").unwrap_or_default()
    }
}

impl Reaction {
    /// What follows from the answer to a call of the application's resources.
    pub fn to(exchange: &Exchange) -> Self {
        match Refusal::read(exchange).as_ref().map(Refusal::problem) {
            None => Self::Succeeded,
            Some("token_expired" | "token_rejected" | "token_revoked") => Self::DropToken,
            Some("timestamp_refused") => Self::WarnOfClock,
            Some(_) => Self::KeepToken,
        }
    }
}

/// `name="value"`, split at commas: an encoded value holds neither comma nor quote.
fn pairs(fields: &str) -> Vec<(String, String)> {
    fields
        .split(',')
        .filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            (name != "realm").then(|| (form::decode(name), form::decode(value)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn answer(status: u16, challenges: &[&'static str]) -> Exchange {
        let mut headers = HeaderMap::new();
        for challenge in challenges {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        Exchange {
            sent: String::new(),
            base_string: None,
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            received_head: String::new(),
            body: String::new(),
        }
    }

    #[test]
    fn a_redirect_counts_as_success() {
        assert_eq!(Refusal::read(&answer(302, &[])), None);
        assert_eq!(Reaction::to(&answer(399, &[])), Reaction::Succeeded);
    }

    #[test]
    fn three_problems_cost_the_token_whatever_the_status() {
        for problem in [
            r#"OAuth realm="r", oauth_problem="token_expired""#,
            r#"OAuth realm="r", oauth_problem="token_rejected""#,
            r#"OAuth realm="r", oauth_problem="token_revoked", oauth_problem_advice="Ask%20again.""#,
        ] {
            assert_eq!(Reaction::to(&answer(401, &[problem])), Reaction::DropToken);
            assert_eq!(Reaction::to(&answer(503, &[problem])), Reaction::DropToken);
        }
        let others = r#"OAuth realm="r", oauth_problem="signature_invalid""#;
        assert_eq!(Reaction::to(&answer(401, &[others])), Reaction::KeepToken);
        let clock = r#"OAuth oauth_problem="timestamp_refused""#;
        assert_eq!(Reaction::to(&answer(400, &[clock])), Reaction::WarnOfClock);
        assert_eq!(Reaction::to(&answer(500, &[])), Reaction::KeepToken);
    }

    #[test]
    fn of_several_challenges_the_last_one_counts() {
        let refusal = Refusal::read(&answer(
            401,
            &[
                r#"OAuth oauth_problem="token_revoked""#,
                r#"OAuth realm="http%3A%2F%2Fa", oauth_problem="nonce_used", oauth_problem_advice="Sign%20anew.""#,
            ],
        ))
        .unwrap();
        assert_eq!(refusal.problem(), "nonce_used");
        assert_eq!(refusal.advice(), "Sign anew.");
        assert_eq!(refusal.pairs.len(), 2);
    }
}

//! What an answer says about us: what was wrong with our call (OAuth Problem Reporting 1.0), and what time it is there.

use std::time::UNIX_EPOCH;

use http::HeaderMap;
use http::header::{DATE, WWW_AUTHENTICATE};

use crate::oauth::{Timestamp, encode, header};

/// What an answer says about us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OAuthReport {
    /// What was wrong.
    pub(super) told: Option<OAuthProblem>,
    /// By how many seconds their clock is ahead of ours.
    pub(super) clock_skew: Option<i64>,
}

/// A problem, as the other side names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthProblem {
    /// `oauth_problem`.
    pub problem: String,
    /// `oauth_problem_advice`, when there is one.
    pub advice: Option<String>,
}

impl OAuthReport {
    /// Reads the head of an answer, of whatever status.
    pub(super) fn of(headers: &HeaderMap, now: Timestamp) -> Self {
        // Of several the last counts, as it does for the libraries of Bitbucket.
        let fields = headers.get_all(WWW_AUTHENTICATE).iter();
        let told = fields
            .filter_map(|field| OAuthProblem::in_challenge(field.as_bytes()))
            .next_back();
        Self {
            told,
            clock_skew: clock_skew(headers, now),
        }
    }

    /// The same with what a token endpoint says in its body, which some say nowhere else.
    pub(super) fn with_body(mut self, body: &[u8]) -> Self {
        self.told = self.told.or_else(|| OAuthProblem::of(&pairs(body)));
        self
    }
}

impl OAuthProblem {
    /// Whether the token can never work again, so that it is to be dropped.
    pub(super) fn is_token_problem(&self) -> bool {
        matches!(
            self.problem.as_str(),
            "token_expired" | "token_rejected" | "token_revoked"
        )
    }

    /// For people.
    pub fn sentence(&self) -> String {
        match &self.advice {
            Some(advice) => format!("The other side says {}: {advice}", self.problem),
            None => format!("The other side says {}.", self.problem),
        }
    }

    fn in_challenge(field: &[u8]) -> Option<Self> {
        let credentials = header::credentials(&[field]).ok()??;
        let decoded = |raw: &[u8]| {
            let bytes = encode::decode(std::str::from_utf8(raw).ok()?).ok()?;
            String::from_utf8(bytes).ok()
        };
        let pairs = header::parameters(credentials).map_while(Result::ok);
        let pairs: Vec<_> = pairs
            .filter_map(|(name, value)| Some((decoded(name)?, decoded(value)?)))
            .collect();
        Self::of(&pairs)
    }

    fn of(pairs: &[(String, String)]) -> Option<Self> {
        let value = |name: &str| {
            let (_, value) = pairs.iter().find(|(given, _)| given == name)?;
            let value: String = value.chars().filter(|c| !c.is_control()).take(300).collect();
            Some(value).filter(|value| !value.is_empty())
        };
        Some(Self {
            problem: value("oauth_problem")?,
            advice: value("oauth_problem_advice"),
        })
    }
}

/// The pairs of a form-encoded answer (RFC 5849, section 2.1). What cannot be read is left out.
pub(super) fn pairs(body: &[u8]) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let bytes = encode::decode(&text.replace('+', " ")).ok()?;
        String::from_utf8(bytes).ok()
    };
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter_map(|(name, value)| Some((decoded(name)?, decoded(value)?)))
        .collect()
}

/// A second more or less is the way that the answer took.
fn clock_skew(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let since = httpdate::parse_http_date(date)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()?;
    let difference = i64::try_from(since.as_secs()).ok()? - now.seconds();
    Some(if difference.abs() <= 1 { 0 } else { difference })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(784_111_777);

    fn heard(fields: &[(&'static str, &'static str)]) -> OAuthReport {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        OAuthReport::of(&headers, NOW)
    }

    #[test]
    fn a_problem_is_read_from_the_challenge() {
        let told = heard(&[
            ("www-authenticate", "Basic realm=\"x\""),
            (
                "www-authenticate",
                "OAuth realm=\"https%3A%2F%2Fb\", oauth_problem=\"token_rejected\", oauth_problem_advice=\"Ask%20again%0A\"",
            ),
        ])
        .told
        .unwrap();
        assert_eq!(
            (told.problem.as_str(), told.advice.as_deref()),
            ("token_rejected", Some("Ask again"))
        );
        assert!(told.is_token_problem());
        assert_eq!(heard(&[("www-authenticate", "OAuth realm=\"x\"")]).told, None);
        assert_eq!(
            heard(&[("www-authenticate", "Basic oauth_problem=\"token_rejected\"")]).told,
            None
        );
    }

    #[test]
    fn a_problem_may_stand_in_the_body_of_a_token_endpoint() {
        let told = heard(&[])
            .with_body(b"oauth_problem=permission_denied&x=%zz\n")
            .told;
        assert_eq!(told.unwrap().problem, "permission_denied");
        assert_eq!(heard(&[]).with_body(b"<html>").told, None);
    }

    #[test]
    fn the_date_tells_how_far_the_clocks_are_apart() {
        let difference = |date| heard(&[("date", date)]).clock_skew;
        assert_eq!(difference("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(difference("Sun, 06 Nov 1994 08:49:38 GMT"), Some(0));
        assert_eq!(difference("Sun, 06 Nov 1994 08:59:37 GMT"), Some(600));
        assert_eq!(difference("Sun, 06 Nov 1994 08:39:37 GMT"), Some(-600));
        assert_eq!(difference("yesterday"), None);
    }
}

//! What a response reports about a signed request: the problem (OAuth Problem Reporting 1.0), and the server's clock.

use std::fmt;
use std::time::UNIX_EPOCH;

use http::HeaderMap;
use http::header::{DATE, WWW_AUTHENTICATE};

use crate::oauth::encoding::{self, Encoding};
use crate::oauth::{Timestamp, authorization_header};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OAuthReport {
    /// `None` if the request was accepted, or rejected by something other than OAuth.
    pub(super) problem: Option<OAuthProblem>,
    /// Seconds by which the remote clock is ahead; `None` without a readable `Date`.
    pub(super) clock_skew: Option<i64>,
}

/// A problem that the remote application reports. `Display` is a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OAuthProblem {
    pub(super) name: String,
    pub(super) advice: Option<String>,
}

impl OAuthReport {
    pub(super) fn from_headers(headers: &HeaderMap, now: Timestamp) -> Self {
        let fields = headers.get_all(WWW_AUTHENTICATE).iter();
        // Of several the last counts, as it does in Atlassian's own client library.
        let problem = fields
            .filter_map(|field| OAuthProblem::from_challenge(field.as_bytes()))
            .next_back();
        Self {
            problem,
            clock_skew: clock_skew(headers, now),
        }
    }

    /// Adds the problem in the body of a token endpoint; some providers report it nowhere else.
    pub(super) fn with_body(mut self, body: &[u8]) -> Self {
        let in_body = || OAuthProblem::from_pairs(&form_pairs(body));
        self.problem = self.problem.or_else(in_body);
        self
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.problem.as_ref().is_some_and(|problem| problem.name == name)
    }
}

impl OAuthProblem {
    /// Returns true if the token can never work again.
    pub(super) fn is_token_problem(&self) -> bool {
        ["token_expired", "token_rejected", "token_revoked"].contains(&self.name.as_str())
    }

    fn from_challenge(field: &[u8]) -> Option<Self> {
        let credentials = authorization_header::credentials(&[field]).ok()??;
        let pairs = authorization_header::parameters(credentials).map_while(Result::ok);
        let pairs = decode_pairs(pairs, Encoding::Percent);
        Self::from_pairs(&pairs)
    }

    fn from_pairs(pairs: &[(String, String)]) -> Option<Self> {
        let value = |name: &str| {
            let (_, value) = pairs.iter().find(|(given, _)| given == name)?;
            let printable = value.chars().filter(|c| !c.is_control());
            Some(printable.take(MAX_CHARS).collect::<String>()).filter(|value| !value.is_empty())
        };
        Some(Self {
            name: value("oauth_problem")?,
            advice: value("oauth_problem_advice"),
        })
    }
}

impl fmt::Display for OAuthProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The other side says {}", self.name)?;
        match &self.advice {
            Some(advice) => write!(f, ": {advice}"),
            None => f.write_str("."),
        }
    }
}

/// Parses the form-encoded body of a response (RFC 5849, section 2.1). Pairs that cannot be decoded are left out.
pub(super) fn form_pairs(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    decode_pairs(encoding::form_pairs(text.as_bytes()), Encoding::Form)
}

fn decode_pairs<T: AsRef<[u8]>>(
    pairs: impl Iterator<Item = (T, T)>,
    encoding: Encoding,
) -> Vec<(String, String)> {
    let decode = |raw: T| encoding::decode_utf8(raw.as_ref(), encoding);
    pairs
        .filter_map(|(name, value)| Some((decode(name)?, decode(value)?)))
        .collect()
}

fn clock_skew(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let seconds = date.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let skew = i64::try_from(seconds).ok()? - now.seconds();
    // One second may be the time that the response was on its way.
    Some(if skew.abs() <= 1 { 0 } else { skew })
}

/// The longest value that is logged, kept and shown, in characters.
const MAX_CHARS: usize = 300;

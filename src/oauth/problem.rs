//! Every refusal, in the words of the problem-reporting extension (OAuth Problem Reporting 1.0).

use std::ops::RangeInclusive;

use http::StatusCode;

use super::encode;

/// A refusal told to the peer: one variant for each `oauth_problem`.
///
/// A `why` is one sentence for the human at the other end (`oauth_problem_advice`). It never holds a secret, nor a
/// value that the peer sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.name())]
pub enum Problem {
    /// `oauth_version` is neither absent nor `1.0`.
    VersionRejected,
    /// A required parameter is missing.
    ParameterAbsent(Vec<&'static str>),
    /// A parameter came twice, in two places, or with a value that cannot be read.
    ParameterRejected {
        /// The parameters' names.
        names: Vec<String>,
        /// What is wrong with them.
        why: &'static str,
    },
    /// The consumer's clock is too far from ours.
    TimestampRefused {
        /// The timestamps that would be admitted at this moment, in seconds since 1970.
        acceptable: RangeInclusive<i64>,
        /// Our time, in seconds since 1970.
        now: i64,
    },
    /// The consumer may not sign with this method.
    SignatureMethodRejected(&'static str),
    /// This nonce was used before with this timestamp, consumer and token.
    NonceUsed,
    /// The request token was exchanged before.
    TokenUsed,
    /// The token's time is over.
    TokenExpired,
    /// The user or an administrator revoked the token.
    TokenRevoked,
    /// The token is unknown, of another consumer, or of a user who is gone: it can never work again.
    TokenRejected(&'static str),
    /// The signature does not match the request.
    SignatureInvalid(&'static str),
    /// No consumer has this key.
    ConsumerKeyUnknown,
    /// The consumer is disabled, or calls from an address that it may not use.
    ConsumerKeyRejected(&'static str),
    /// The consumer is throttled: later, the same request may be admitted.
    ConsumerKeyRefused(&'static str),
    /// The user must approve once more.
    AdditionalAuthorizationRequired,
    /// The user has not decided yet.
    PermissionUnknown,
    /// The user, or a rule of the administrator, said no.
    PermissionDenied(&'static str),
    /// The user is refused for now.
    UserRefused(&'static str),
}

impl Problem {
    /// Refuses one parameter by name.
    pub fn parameter_rejected(name: impl Into<String>, why: &'static str) -> Self {
        Self::ParameterRejected {
            names: vec![name.into()],
            why,
        }
    }

    /// The value of `oauth_problem`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::VersionRejected => "version_rejected",
            Self::ParameterAbsent(_) => "parameter_absent",
            Self::ParameterRejected { .. } => "parameter_rejected",
            Self::TimestampRefused { .. } => "timestamp_refused",
            Self::SignatureMethodRejected(_) => "signature_method_rejected",
            Self::NonceUsed => "nonce_used",
            Self::TokenUsed => "token_used",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::TokenRejected(_) => "token_rejected",
            Self::SignatureInvalid(_) => "signature_invalid",
            Self::ConsumerKeyUnknown => "consumer_key_unknown",
            Self::ConsumerKeyRejected(_) => "consumer_key_rejected",
            Self::ConsumerKeyRefused(_) => "consumer_key_refused",
            Self::AdditionalAuthorizationRequired => "additional_authorization_required",
            Self::PermissionUnknown => "permission_unknown",
            Self::PermissionDenied(_) => "permission_denied",
            Self::UserRefused(_) => "user_refused",
        }
    }

    /// The status that the consumers' libraries expect with this problem. Never below 400: they take that for success.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::VersionRejected
            | Self::ParameterAbsent(_)
            | Self::ParameterRejected { .. }
            | Self::TimestampRefused { .. }
            | Self::SignatureMethodRejected(_) => StatusCode::BAD_REQUEST,
            Self::UserRefused(_) | Self::ConsumerKeyRefused(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// What the extension wants back, in order: `oauth_problem` first, decoded values.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("oauth_problem", self.name().to_owned())];
        match self {
            Self::VersionRejected => pairs.push(("oauth_acceptable_versions", "1.0-1.0".to_owned())),
            Self::ParameterAbsent(names) => {
                pairs.push(("oauth_parameters_absent", joined(names.iter().copied())));
            }
            Self::ParameterRejected { names, .. } if !names.is_empty() => {
                pairs.push((
                    "oauth_parameters_rejected",
                    joined(names.iter().map(String::as_str)),
                ));
            }
            Self::TimestampRefused { acceptable, .. } => pairs.push((
                "oauth_acceptable_timestamps",
                format!("{}-{}", acceptable.start(), acceptable.end()),
            )),
            _ => {}
        }
        pairs.push(("oauth_problem_advice", self.advice()));
        pairs
    }

    /// One helpful sentence for whoever looks at the refusal.
    pub fn advice(&self) -> String {
        match self {
            Self::VersionRejected => "Leave oauth_version out, or send 1.0.".to_owned(),
            Self::ParameterAbsent(names) => format!("Send {}.", names.join(", ")),
            Self::TimestampRefused { now, .. } => {
                format!("Set the consumer's clock: here it is {now} seconds since 1970.")
            }
            Self::NonceUsed => "This request was received before: sign each request anew.".to_owned(),
            Self::TokenUsed => {
                "This request token was exchanged before: start again with a new one.".to_owned()
            }
            Self::TokenExpired => "This token has expired: ask the user to connect again.".to_owned(),
            Self::TokenRevoked => "This access was revoked: ask the user to connect again.".to_owned(),
            Self::ConsumerKeyUnknown => {
                "No consumer has this key: register it in linkgate's configuration.".to_owned()
            }
            Self::AdditionalAuthorizationRequired => "Ask the user to connect again.".to_owned(),
            Self::PermissionUnknown => "The user has not decided yet.".to_owned(),
            Self::ParameterRejected { why, .. }
            | Self::SignatureMethodRejected(why)
            | Self::TokenRejected(why)
            | Self::SignatureInvalid(why)
            | Self::ConsumerKeyRejected(why)
            | Self::ConsumerKeyRefused(why)
            | Self::PermissionDenied(why)
            | Self::UserRefused(why) => (*why).to_owned(),
        }
    }
}

/// Names are encoded, joined by `&`, and then encoded once more with the pair.
fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(encode::encode).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statuses_are_those_that_consumers_expect() {
        for (problem, status) in [
            (Problem::VersionRejected, 400),
            (Problem::ParameterAbsent(Vec::new()), 400),
            (Problem::parameter_rejected("a", ""), 400),
            (Problem::SignatureMethodRejected(""), 400),
            (Problem::NonceUsed, 401),
            (Problem::TokenRejected(""), 401),
            (Problem::SignatureInvalid(""), 401),
            (Problem::PermissionDenied(""), 401),
            (Problem::ConsumerKeyRefused(""), 503),
            (Problem::UserRefused(""), 503),
        ] {
            assert_eq!(problem.status().as_u16(), status, "{problem}");
        }
    }

    #[test]
    fn names_are_encoded_before_they_are_joined() {
        let names = vec!["oauth_token".to_owned(), "a&b".to_owned()];
        let problem = Problem::ParameterRejected { names, why: "Why." };
        assert_eq!(
            problem.pairs(),
            [
                ("oauth_problem", "parameter_rejected".to_owned()),
                ("oauth_parameters_rejected", "oauth_token&a%26b".to_owned()),
                ("oauth_problem_advice", "Why.".to_owned()),
            ]
        );
    }

    #[test]
    fn a_refusal_of_no_parameter_names_none() {
        let problem = Problem::ParameterRejected {
            names: Vec::new(),
            why: "Why.",
        };
        assert_eq!(problem.pairs()[1].0, "oauth_problem_advice");
    }
}

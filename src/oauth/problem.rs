//! The problems that a consumer is told about (OAuth Problem Reporting 1.0).

use std::ops::RangeInclusive;

use http::StatusCode;
use strum::{IntoStaticStr, VariantNames};

use super::encoding::{self, EncodingError};

/// Why a request is rejected: one variant for each `oauth_problem`. A text in it is the `oauth_problem_advice`: one sentence
/// for the administrator of the consumer, without a secret and without a value of the request.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr, VariantNames, thiserror::Error)]
#[strum(serialize_all = "snake_case")]
#[error("{}", self.name())]
#[expect(missing_docs, reason = "the names say it")]
pub enum Problem {
    VersionRejected,
    ParameterAbsent(Vec<&'static str>),
    /// A parameter is sent twice or in two parts of the request, or its value is malformed.
    ParameterRejected {
        names: Vec<String>,
        why: &'static str,
    },
    TimestampRefused {
        /// The timestamps that are accepted now, in seconds since 1970.
        acceptable: RangeInclusive<i64>,
        now: i64,
    },
    SignatureMethodRejected {
        used: String,
        why: &'static str,
    },
    NonceUsed,
    TokenUsed,
    TokenExpired,
    TokenRevoked,
    /// The token is unknown, of another consumer, or of a user who does not exist any more: it can never work again.
    TokenRejected(&'static str),
    SignatureInvalid(&'static str),
    ConsumerKeyUnknown,
    /// The consumer is disabled, or calls from an address that is not allowed.
    ConsumerKeyRejected(&'static str),
    /// The rate limit of the consumer is reached: the same request may be accepted later.
    ConsumerKeyRefused(&'static str),
    PermissionUnknown,
    PermissionDenied(&'static str),
}

impl Problem {
    /// Rejects a parameter.
    pub fn parameter_rejected(name: &'static str, why: &'static str) -> Self {
        Self::parameters_rejected(&[name], why)
    }

    /// Rejects parameters whose names come from the request: lists at most 16 names of 1 to 64 bytes.
    pub(super) fn parameters_rejected(names: &[&str], why: &'static str) -> Self {
        let names = names.iter().filter(|name| (1..=64).contains(&name.len()));
        Self::ParameterRejected {
            names: names.take(16).map(|&name| name.to_owned()).collect(),
            why,
        }
    }

    /// Rejects a parameter whose percent-encoding is invalid, by its raw name.
    pub(super) fn invalid_encoding(name: &[u8], _: EncodingError) -> Self {
        let name = std::str::from_utf8(name).unwrap_or_default();
        Self::parameters_rejected(
            &[name],
            "A percent sign must be followed by two hexadecimal digits.",
        )
    }

    /// The value of `oauth_problem`.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// The status of the response. Consumers take a status below 400 for success.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::VersionRejected
            | Self::ParameterAbsent(_)
            | Self::ParameterRejected { .. }
            | Self::TimestampRefused { .. }
            | Self::SignatureMethodRejected { .. } => StatusCode::BAD_REQUEST,
            Self::ConsumerKeyRefused(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// The parameters of the report in their order, not encoded. `oauth_problem` is the first.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("oauth_problem", self.name().to_owned())];
        match self {
            Self::VersionRejected => pairs.push(("oauth_acceptable_versions", "1.0-1.0".to_owned())),
            Self::ParameterAbsent(names) => pairs.push(("oauth_parameters_absent", joined(names))),
            Self::ParameterRejected { names, .. } if !names.is_empty() => {
                pairs.push(("oauth_parameters_rejected", joined(names)));
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

    /// `oauth_problem_advice`: one sentence for the administrator of the consumer.
    pub fn advice(&self) -> String {
        let advice = match self {
            Self::VersionRejected => "Leave oauth_version out, or send 1.0.",
            Self::ParameterAbsent(names) => {
                let is_fresh = |name: &&str| ["oauth_timestamp", "oauth_nonce"].contains(name);
                let always = if names.iter().any(is_fresh) {
                    " Every signature method needs a timestamp and a nonce here, PLAINTEXT too."
                } else {
                    ""
                };
                return format!("Send {}.{always}", names.join(", "));
            }
            Self::TimestampRefused { now, .. } => {
                return format!("Set the consumer's clock: here it is {now} seconds since 1970.");
            }
            Self::NonceUsed => "This request was received before: sign each request anew.",
            Self::TokenUsed => "This request token was exchanged before: start again with a new one.",
            Self::TokenExpired => "This token has expired: ask the user to connect again.",
            Self::TokenRevoked => "This access was revoked: ask the user to connect again.",
            Self::ConsumerKeyUnknown => "No consumer has this key: register it in linkgate's configuration.",
            Self::PermissionUnknown => "The user has not decided yet.",
            Self::ParameterRejected { why, .. }
            | Self::SignatureMethodRejected { why, .. }
            | Self::TokenRejected(why)
            | Self::SignatureInvalid(why)
            | Self::ConsumerKeyRejected(why)
            | Self::ConsumerKeyRefused(why)
            | Self::PermissionDenied(why) => why,
        };
        advice.to_owned()
    }
}

/// Joins names, each of them encoded, by `&`. The value is encoded again when it is written.
fn joined(names: &[impl AsRef<str>]) -> String {
    let names = names.iter().map(|name| encoding::encode(name.as_ref()));
    names.collect::<Vec<_>>().join("&")
}

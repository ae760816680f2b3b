//! Reads names out of claims.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use crate::login::is_name;

use super::OidcConfig;

/// What claims say about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// The user's name for the application.
    pub(super) subject: Option<String>,
    /// The user's name for people.
    pub(super) display_name: Option<String>,
    /// The names of all claims that are there, for the administrator who named another one.
    pub(super) known: String,
}

impl Names {
    /// Looks for the configured claims.
    pub(super) fn of(claims: &Json, config: &OidcConfig) -> Self {
        let text = |claim: &str| {
            let text = claims.get(claim).and_then(Json::as_str);
            text.filter(|text| is_name(text)).map(str::to_owned)
        };
        Self {
            subject: text(&config.user_claim),
            display_name: text(&config.display_claim),
            known: keys([claims]),
        }
    }

    /// Takes from `other` what is missing.
    pub(super) fn or(self, other: Self, said: &Json, more: &Json) -> Self {
        Self {
            subject: self.subject.or(other.subject),
            display_name: self.display_name.or(other.display_name),
            known: keys([said, more]),
        }
    }
}

/// The claims of a token whose signature was verified: the crate keeps only those that it has types for.
pub(super) fn of_verified(token: &str) -> Option<Json> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn keys<const N: usize>(claims: [&Json; N]) -> String {
    let objects = claims.into_iter().filter_map(Json::as_object);
    let mut names: Vec<_> = objects
        .flat_map(|object| object.keys())
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

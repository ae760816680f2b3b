//! `[tokens]` and `[impersonation]`.

use serde::{Deserialize, Deserializer};

use crate::model::NamePattern;
use crate::oauth::TimestampWindow;
use crate::setting::{whole_seconds, yes};

/// Lifetimes, in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// From the request of a consumer to the exchange of its request token.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<600>", deserialize_with = "whole_seconds")]
    pub request_token_lifetime: i64,
    /// Of an access token.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<{ 5 * YEAR }>", deserialize_with = "whole_seconds")]
    pub access_token_lifetime: i64,
    /// The time during which a consumer can renew an access token.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default, deserialize_with = "whole_seconds")]
    pub session_lifetime: i64,
    /// How far a consumer's clock may differ.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "five_minutes", deserialize_with = "window")]
    pub timestamp_window: TimestampWindow,
}

/// Whom a consumer with `impersonation = true` may impersonate.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ImpersonationConfig {
    /// Never these users, beside the administrators.
    #[serde(default)]
    pub except: Vec<String>,
    /// These users, where the login method cannot say who exists.
    #[serde(default)]
    pub users: Vec<NamePattern>,
    /// Every user who has signed in before, where the login method cannot say who exists.
    #[serde(default = "yes")]
    pub signed_in_before: bool,
}

impl TokenConfig {
    /// A session lasts 30 days longer than its access token, unless something else is written.
    pub(super) fn fill_in(&mut self) {
        if self.session_lifetime == 0 {
            self.session_lifetime = self.access_token_lifetime.saturating_add(30 * DAY);
        }
    }
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self {
            request_token_lifetime: 600,
            access_token_lifetime: 5 * YEAR,
            session_lifetime: 0,
            timestamp_window: five_minutes(),
        }
    }
}

impl Default for ImpersonationConfig {
    fn default() -> Self {
        Self {
            except: Vec::new(),
            users: Vec::new(),
            signed_in_before: true,
        }
    }
}

fn window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimestampWindow, D::Error> {
    let seconds = whole_seconds(deserializer)?;
    Ok(TimestampWindow {
        past: seconds,
        future: seconds,
    })
}

const fn five_minutes() -> TimestampWindow {
    TimestampWindow {
        past: 300,
        future: 300,
    }
}

const fn seconds<const N: i64>() -> i64 {
    N
}

const DAY: i64 = 24 * 60 * 60;
const YEAR: i64 = 365 * DAY;

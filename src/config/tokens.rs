//! `[tokens]` and `[impersonation]`.

use serde::{Deserialize, Deserializer};

use crate::model::NamePattern;
use crate::oauth::TimestampWindow;
use crate::setting::whole_seconds;

/// Lifetimes, in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct TokenConfig {
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "whole_seconds")]
    pub request_token_lifetime: i64,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "whole_seconds")]
    pub access_token_lifetime: i64,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "whole_seconds")]
    pub session_lifetime: i64,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "window")]
    pub timestamp_window: TimestampWindow,
}

/// Whom a consumer with `impersonation = true` may impersonate.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct ImpersonationConfig {
    pub except: Vec<String>,
    pub users: Vec<NamePattern>,
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
            timestamp_window: TimestampWindow {
                past: 300,
                future: 300,
            },
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

const DAY: i64 = 24 * 60 * 60;
const YEAR: i64 = 365 * DAY;

//! `[tokens]`: how long tokens live.

use serde::{Deserialize, Deserializer};

use crate::oauth::TimestampWindow;
use crate::setting::whole_seconds;

/// `[tokens]`: lifetimes, in seconds. The defaults fit Bitbucket, which never renews.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct TokenConfig {
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "whole_seconds")]
    pub request_token_lifetime: i64,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "whole_seconds")]
    pub access_token_lifetime: i64,
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    #[serde(deserialize_with = "whole_seconds")]
    pub(crate) session_lifetime: Option<i64>,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "window")]
    pub timestamp_window: TimestampWindow,
}

impl TokenConfig {
    /// Seconds after issue within which an access token can be renewed: 30 days more than it lives, unless something else is
    /// written.
    pub fn session_lifetime(&self) -> i64 {
        let usual = self.access_token_lifetime.saturating_add(30 * DAY);
        self.session_lifetime.unwrap_or(usual)
    }
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self {
            request_token_lifetime: 600,
            access_token_lifetime: 5 * 365 * DAY,
            session_lifetime: None,
            timestamp_window: TimestampWindow::default(),
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

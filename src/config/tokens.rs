//! `[tokens]`: how long things live.

use std::time::Duration;

use crate::oauth::TimestampWindow;

use super::section::Section;

/// How long things live, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// A question put to a user.
    pub request_token_lifetime: i64,
    /// A standing answer.
    pub access_token_lifetime: i64,
    /// The time within which a consumer can renew its access token.
    pub session_lifetime: i64,
    /// How far a consumer's clock may be from ours.
    pub timestamp_window: TimestampWindow,
}

impl Tokens {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let seconds = |key, default: u64| {
            let lifetime = section.or(key, Duration::from_secs(default));
            if lifetime < Duration::from_secs(1) {
                section.wrong(key, "it is less than a second", "write whole seconds: \"90s\"");
            }
            i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)
        };
        let request_token_lifetime = seconds("request_token_lifetime", 600);
        let access_token_lifetime = seconds("access_token_lifetime", 5 * YEAR);
        let longer = u64::try_from(access_token_lifetime).map_or(u64::MAX, |access| access + 30 * DAY);
        let session_lifetime = seconds("session_lifetime", longer);
        if session_lifetime < access_token_lifetime {
            section.wrong(
                "session_lifetime",
                "it is shorter than access_token_lifetime, so no token could be renewed at its end",
                "write a longer one, or leave it out: access_token_lifetime and 30 days",
            );
        }
        let window = seconds("timestamp_window", 300);
        if window > 3600 {
            let wrong = "it is more than an hour, and as long as this every nonce is remembered";
            section.wrong(
                "timestamp_window",
                wrong,
                "write \"5m\", and set the clocks by NTP",
            );
        }
        Self {
            request_token_lifetime,
            access_token_lifetime,
            session_lifetime,
            timestamp_window: TimestampWindow {
                past: window,
                future: window,
            },
        }
    }
}

const DAY: u64 = 24 * 60 * 60;
const YEAR: u64 = 365 * DAY;

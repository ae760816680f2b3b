//! Nonce and timestamp (RFC 5849, section 3.3): together they make a request valid once.

use std::fmt;

use super::credentials::is_name;
use super::problem::Problem;

/// Whole seconds since 1970-01-01T00:00:00Z, the unit of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Takes seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Parses `oauth_timestamp`: 1 to 15 decimal digits, positive, without a leading zero.
    ///
    /// # Errors
    ///
    /// `parameter_rejected` for any other text.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        const WHY: &str = "oauth_timestamp must be whole seconds since 1970, in digits.";
        let is_digits = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_canonical = is_digits && !text.starts_with('0');
        let seconds = is_canonical.then(|| text.parse().ok()).flatten();
        seconds
            .map(Self)
            .ok_or_else(|| Problem::parameter_rejected("oauth_timestamp", WHY))
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This time plus some seconds, which may be negative.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The minute of this time, since the epoch.
    pub const fn minute(self) -> i64 {
        self.0.div_euclid(60)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A text that the consumer uses once for each timestamp (RFC 5849, section 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(Box<str>);

impl Nonce {
    /// Parses `oauth_nonce`: 1 to 255 characters, none of them a control character.
    ///
    /// # Errors
    ///
    /// `parameter_rejected` for any other text.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        const WHY: &str = "oauth_nonce must have 1 to 255 characters, none of them a control character.";
        let rejected = || Problem::parameter_rejected("oauth_nonce", WHY);
        is_name(text).then(|| Self(text.into())).ok_or_else(rejected)
    }

    /// The value of `oauth_nonce`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The seconds by which the clock of a consumer may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampWindow {
    /// The greatest age of a request, inclusive.
    pub past: i64,
    /// The most that a consumer's clock may be ahead, inclusive.
    pub future: i64,
}

impl TimestampWindow {
    /// Checks that a timestamp is in the window.
    ///
    /// # Errors
    ///
    /// `timestamp_refused`, with the timestamps that are accepted.
    pub fn check(self, timestamp: Timestamp, now: Timestamp) -> Result<(), Problem> {
        let acceptable = now.plus(-self.past).seconds()..=now.plus(self.future).seconds();
        if acceptable.contains(&timestamp.seconds()) {
            return Ok(());
        }
        Err(Problem::TimestampRefused {
            acceptable,
            now: now.seconds(),
        })
    }
}

impl Default for TimestampWindow {
    /// Five minutes either way, the window of the consumers' own libraries.
    fn default() -> Self {
        Self {
            past: 300,
            future: 300,
        }
    }
}

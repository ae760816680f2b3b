//! What makes a signature good once: a time, a nonce, and the window they live in (RFC 5849, section 3.3).

use std::fmt;

use super::credentials::has_control;
use super::problem::Problem;

/// Whole seconds since 1970-01-01T00:00:00Z, the protocol's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Takes seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Reads `oauth_timestamp`: decimal digits, positive, one spelling for each value (no leading zero).
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let canonical = (1..=15).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && !text.starts_with('0');
        canonical
            .then(|| text.parse().ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| {
                Problem::parameter_rejected(
                    "oauth_timestamp",
                    "oauth_timestamp must be whole seconds since 1970, in digits.",
                )
            })
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This time moved by some seconds, which may be negative.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The minute in which a nonce of this time is kept and forgotten.
    pub const fn minute(self) -> i64 {
        self.0.div_euclid(60)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A string that the consumer uses once for each timestamp (RFC 5849, section 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(Box<str>);

impl Nonce {
    /// Reads `oauth_nonce`: 1 to 255 characters, none of them a control character.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let fits = !text.is_empty() && text.len() <= 255 && !has_control(text);
        fits.then(|| Self(text.into())).ok_or_else(|| {
            Problem::parameter_rejected("oauth_nonce", "oauth_nonce must have 1 to 255 characters.")
        })
    }

    /// The nonce as it was sent, decoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How far a consumer's clock may be from ours, in seconds either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampWindow {
    /// How old a request may be.
    pub past: i64,
    /// How far ahead of us a consumer may be.
    pub future: i64,
}

impl TimestampWindow {
    /// Admits a timestamp near enough to now.
    pub fn check(self, timestamp: Timestamp, now: Timestamp) -> Result<(), Problem> {
        let acceptable = now.plus(-self.past)..=now.plus(self.future);
        if acceptable.contains(&timestamp) {
            Ok(())
        } else {
            Err(Problem::TimestampRefused {
                acceptable: acceptable.start().seconds()..=acceptable.end().seconds(),
                now: now.seconds(),
            })
        }
    }
}

impl Default for TimestampWindow {
    /// Five minutes either way, as the consumers' own libraries have it.
    fn default() -> Self {
        Self {
            past: 300,
            future: 300,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    #[test]
    fn a_timestamp_has_one_spelling() {
        assert_eq!(Timestamp::parse("1700000000"), Ok(NOW));
        for text in [
            "",
            "abc",
            "-1",
            "0",
            "1.5",
            "1e9",
            "+1",
            " 1",
            "1 ",
            "01",
            "\u{661}",
            "17000000001700000000",
        ] {
            assert_eq!(
                Timestamp::parse(text).unwrap_err().name(),
                "parameter_rejected",
                "{text}"
            );
        }
    }

    #[test]
    fn the_window_includes_both_ends() {
        let window = TimestampWindow::default();
        for (seconds, admitted) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
            assert_eq!(
                window.check(NOW.plus(seconds), NOW).is_ok(),
                admitted,
                "{seconds}"
            );
        }
    }

    #[test]
    fn milliseconds_are_outside_of_every_window() {
        let timestamp = Timestamp::parse("1700000000000").unwrap();
        let problem = TimestampWindow::default().check(timestamp, NOW).unwrap_err();
        assert_eq!(problem.name(), "timestamp_refused");
        assert_eq!(
            problem.pairs()[1],
            ("oauth_acceptable_timestamps", "1699999700-1700000300".to_owned())
        );
        assert!(problem.advice().contains("1700000000 seconds"));
    }

    #[test]
    fn a_nonce_is_short_text() {
        assert!(Nonce::parse("Zdx4Lo7").is_ok());
        assert!(Nonce::parse(&"n".repeat(255)).is_ok());
        for text in ["", "a\nb", "\0", &"n".repeat(256)] {
            assert!(Nonce::parse(text).is_err(), "{text}");
        }
    }
}

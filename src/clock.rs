//! Time is an argument: [`Clock`] is where it comes from, [`utc`] and [`rfc3339`] are how it is shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::oauth::Timestamp;

/// The system's clock, or one that a test moves by hand.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The time of the machine.
    #[default]
    System,
    /// A time that changes only when a test moves it: seconds since 1970.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that shows one time until it is moved.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.seconds())))
    }

    /// Now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where time comes from"
    )]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                Timestamp::from_seconds(since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX)))
            }
            Self::Fixed(seconds) => Timestamp::from_seconds(seconds.load(Ordering::Relaxed)),
        }
    }

    /// Moves a fixed clock; the system's stays as it is.
    pub fn advance(&self, seconds: i64) {
        if let Self::Fixed(now) = self {
            now.fetch_add(seconds, Ordering::Relaxed);
        }
    }
}

/// The moment of a timestamp in the calendar. One that is out of the calendar's range is 1970-01-01.
pub fn utc(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp(at.seconds(), 0).unwrap_or_default()
}

/// `2026-11-23T21:36:00Z` (RFC 3339).
pub fn rfc3339(at: Timestamp) -> String {
    utc(at).to_rfc3339_opts(SecondsFormat::Secs, true)
}

//! Time is an argument: [`Clock`] is where it comes from, [`Civil`] how people count it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::oauth::Timestamp;

/// The system's clock, or one that a test moves by hand.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The time of the machine.
    #[default]
    System,
    /// A time that stands still until it is moved: seconds since 1970.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at a time.
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

/// A moment in the Gregorian calendar and in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i64,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The hour, to 23.
    pub hour: u8,
    /// The minute, to 59.
    pub minute: u8,
    /// The second, to 59.
    pub second: u8,
}

impl Civil {
    /// The moment of a timestamp.
    pub fn of(at: Timestamp) -> Self {
        let (days, seconds) = (at.seconds().div_euclid(86_400), at.seconds().rem_euclid(86_400));
        let (year, month, day) = date(days);
        Self {
            year,
            month: small(month),
            day: small(day),
            hour: small(seconds / 3600),
            minute: small(seconds / 60 % 60),
            second: small(seconds % 60),
        }
    }

    /// `2026-11-23T21:36:00Z` (RFC 3339).
    pub fn rfc3339(self) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Year, month and day of a number of days since 1970.
fn date(days: i64) -> (i64, i64, i64) {
    // Count from 0000-03-01: then the leap day is the last of its year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn small(number: i64) -> u8 {
    u8::try_from(number).expect("months, days, hours, minutes and seconds are small")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_473_360, "2026-11-23T22:36:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Civil::of(Timestamp::from_seconds(seconds)).rfc3339(), text);
        }
    }
}

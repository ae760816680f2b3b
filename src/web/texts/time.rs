//! A moment, as people of a language write it, and how long something takes.

use std::time::Duration;

use chrono::{Datelike as _, Timelike as _};

use crate::clock::utc;
use crate::oauth::Timestamp;

use super::Texts;

impl Texts {
    /// A moment to the minute, in UTC, which it says: the server does not know where its reader is.
    /// A line ends before the time of day, and not within it.
    pub(in crate::web) fn moment(&self, at: Timestamp) -> String {
        let at = utc(at);
        let (month, hour, minute) = (at.month0() as usize, at.hour(), at.minute());
        self.dates
            .moment
            .replace("{year}", &at.year().to_string())
            .replace("{month}", self.dates.months[month])
            .replace("{day}", &at.day().to_string())
            .replace("{hour}", &format!("{hour:02}"))
            .replace("{minute}", &format!("{minute:02}"))
    }

    /// How long something takes, rounded up: seconds up to a minute and a half, then minutes.
    pub(in crate::web) fn duration(&self, duration: Duration) -> String {
        match duration.as_secs() + u64::from(duration.subsec_nanos() > 0) {
            seconds @ ..=90 => self.seconds.of(seconds),
            seconds => self.minutes.of(seconds.div_ceil(60)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Language;
    use super::*;

    #[test]
    fn moments_are_written_as_each_language_writes_them() {
        let at = Timestamp::from_seconds(1_795_473_360);
        let written = Language::ALL.map(|language| language.texts().moment(at));
        assert_eq!(
            written,
            [
                "23 November 2026, 22:36\u{a0}UTC",
                "2026年11月23日 22:36\u{2060}（UTC）",
                "23. November 2026, 22:36\u{a0}Uhr\u{a0}UTC",
            ]
        );
    }

    #[test]
    fn durations_are_rounded_up_and_have_their_plurals() {
        let written = |millis| {
            let duration = Duration::from_millis(millis);
            Language::ALL
                .map(|language| language.texts().duration(duration))
                .join("|")
        };
        assert_eq!(written(1_000), "1 second|1 秒|1 Sekunde");
        assert_eq!(written(1_001), "2 seconds|2 秒|2 Sekunden");
        assert_eq!(written(90_000), "90 seconds|90 秒|90 Sekunden");
        assert_eq!(written(91_000), "2 minutes|2 分|2 Minuten");
        assert_eq!(written(3_600_000), "60 minutes|60 分|60 Minuten");
    }
}

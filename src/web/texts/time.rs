//! How long something takes, as people of a language write it.

use std::time::Duration;

use super::Texts;

impl Texts {
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

//! Durations as people write them: `10m`, `5y30d`, `1h30m`, `500ms`.

use std::time::Duration;

use super::remark::Wrong;

/// What to write instead of something that is not a duration.
pub(super) const REMEDY: &str = "write numbers with units, largest first: \"90s\", \"10m\", \"1h30m\", \"5y30d\" (y is 365 days; w, d, h, m, s, ms)";

/// Reads a duration as people write them in the configuration. The error says what to write.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    parse(text).map_err(|_| REMEDY)
}

/// Reads a duration longer than nothing.
pub(super) fn parse(text: &str) -> Result<Duration, Wrong> {
    let total = milliseconds(text).filter(|total| *total > 0);
    total
        .map(Duration::from_millis)
        .ok_or_else(|| Wrong::new(format!("{text:?} is not a duration"), REMEDY))
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut previous = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == &rest[..letters])?;
        if unit >= previous {
            return None;
        }
        previous = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[letters..];
    }
    Some(total)
}

const SECOND: u64 = 1000;
const DAY: u64 = 24 * 60 * 60 * SECOND;

const UNITS: [(&str, u64); 7] = [
    ("y", 365 * DAY),
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", 60 * 60 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("1h30m", 5400),
            ("2w", 1_209_600),
            ("5y", 157_680_000),
            ("5y30d", 160_272_000),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        assert_eq!(parse("500ms").unwrap(), Duration::from_millis(500));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "10",
            "m",
            "10 m",
            "-1s",
            "1.5h",
            "30d5y",
            "1m1m",
            "0s",
            "10M",
            "99999999999999999999s",
            "9999999999y",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

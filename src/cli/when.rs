//! Times for people: `2026-11-23 21:36 UTC`, `2026-11-23 21:36:59 UTC`.

use crate::clock::utc;
use crate::oauth::Timestamp;

/// Writes a time to the second.
pub(super) fn when_exactly(at: Timestamp) -> String {
    utc(at).format("%F %T UTC").to_string()
}

/// Writes a time to the minute.
pub(super) fn when(at: Timestamp) -> String {
    utc(at).format("%F %R UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_to_the_minute_or_the_second() {
        let at = Timestamp::from_seconds(1_795_473_419);
        assert_eq!(when(at), "2026-11-23 22:36 UTC");
        assert_eq!(when_exactly(at), "2026-11-23 22:36:59 UTC");
    }
}

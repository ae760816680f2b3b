//! The time of an answer (RFC 9110, section 6.6.1).

use std::time::{Duration, UNIX_EPOCH};

use crate::oauth::Timestamp;

/// A `Date` field's value, written anew once a second.
#[derive(Debug, Default)]
pub(super) struct Date {
    /// The second that the text is about.
    second: Option<Timestamp>,
    text: String,
}

impl Date {
    /// The text of a second.
    pub(super) fn at(&mut self, now: Timestamp) -> &str {
        if self.second.replace(now) != Some(now) {
            let since = Duration::from_secs(now.seconds().try_into().unwrap_or_default());
            self.text = httpdate::fmt_http_date(UNIX_EPOCH + since);
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_changes_with_the_second() {
        let mut date = Date::default();
        for (second, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_778, "Sun, 06 Nov 1994 08:49:38 GMT"),
        ] {
            assert_eq!(date.at(Timestamp::from_seconds(second)), text);
        }
    }
}

//! The keys of `[login]` beside the method: how long a session lasts, and how often somebody may try.

use std::time::Duration;

use crate::config::section::Section;

/// How long a browser stays signed in, and how often somebody may try.
#[derive(Clone, Copy, Debug)]
pub struct Sessions {
    /// Seconds without a visit after which a session is over.
    pub idle: i64,
    /// Seconds after which a session is over in any case.
    pub longest: i64,
    /// Seconds after which a user signs in anew before approving.
    pub recheck_after: i64,
    /// Attempts in a minute for one name, from wherever.
    pub attempts_per_account: u32,
    /// Attempts in a minute from one address, for whichever name.
    pub attempts_per_address: u32,
}

impl Sessions {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let longest = section.or("session_lifetime", Duration::from_hours(7 * 24));
        let idle = section.or("session_idle", Duration::from_hours(12));
        if idle > longest {
            section.wrong(
                "session_idle",
                "it is longer than login.session_lifetime, after which a session is over in any case",
                "write a shorter one: session_idle = \"12h\"",
            );
        }
        let recheck_after = section.or("recheck_after", Duration::from_hours(12));
        Self {
            idle: seconds(idle),
            longest: seconds(longest),
            recheck_after: seconds(recheck_after),
            attempts_per_account: section.or("attempts_per_account", 10),
            attempts_per_address: section.or("attempts_per_address", 30),
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs().max(1)).unwrap_or(i64::MAX)
}

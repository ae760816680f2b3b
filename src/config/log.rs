//! `[log]`: what is written to standard error, and how.

use super::choice::choice;
use super::section::Section;

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// The shape of a line.
    pub format: LogFormat,
    /// The least important level that is written.
    pub level: LogLevel,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object, for machines.
    Json,
}

/// The least important level that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What may fail soon, too.
    Warn,
    /// One line per request, too.
    Info,
    /// Refusals with their reason, too.
    Debug,
    /// Everything.
    Trace,
}

impl Log {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let format = choice(
            section,
            "format",
            &[("text", LogFormat::Text), ("json", LogFormat::Json)],
        );
        let level = choice(
            section,
            "level",
            &[
                ("error", LogLevel::Error),
                ("warn", LogLevel::Warn),
                ("info", LogLevel::Info),
                ("debug", LogLevel::Debug),
                ("trace", LogLevel::Trace),
            ],
        );
        Self {
            format: format.unwrap_or(LogFormat::Text),
            level: level.unwrap_or(LogLevel::Info),
        }
    }
}

impl LogLevel {
    /// The name in the configuration, which is that of `RUST_LOG` too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

//! The tracing subscriber: what is logged goes to standard error, as text for people or as JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people; coloured on a terminal.
    Text,
    /// One JSON object.
    Json,
}

/// Starts to log at a level (`error`, `warn`, `info`, `debug`, `trace`).
///
/// The level is ours: libraries are heard from `warn` on. `RUST_LOG` decides instead when it is set. A second call changes
/// nothing.
pub fn start(format: Format, level: &str) {
    let subscriber = fmt().with_env_filter(filter(level)).with_writer(std::io::stderr);
    // It fails only when a subscriber is there already, as in tests that start several servers.
    let _ = match format {
        Format::Text => subscriber.with_ansi(std::io::stderr().is_terminal()).try_init(),
        Format::Json => subscriber
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    };
}

fn filter(level: &str) -> EnvFilter {
    let libraries = if level == "error" { "error" } else { "warn" };
    let ours = || EnvFilter::new(format!("{libraries},linkgate={level}"));
    EnvFilter::try_from_default_env().unwrap_or_else(|_| ours())
}

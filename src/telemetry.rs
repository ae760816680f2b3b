//! Signals: what is logged goes to standard error, as text for people or as JSON for machines; what is counted goes to
//! whoever asks for the metrics.

use std::io::IsTerminal;
use std::sync::OnceLock;

use metrics::describe_counter;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
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
        Format::Text => subscriber.with_ansi(is_colourful()).try_init(),
        Format::Json => subscriber
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    };
}

/// Starts to count, once for the process, and returns what writes the counters down for Prometheus.
pub fn metrics() -> impl Fn() -> String + Clone + Send + Sync + 'static {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    let handle = RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // It fails only when somebody who uses linkgate as a library counts already.
        let _ = metrics::set_global_recorder(recorder);
        describe_counter!(REQUESTS, "Requests answered, by status.");
        describe_counter!(REFUSALS, "Signed requests refused, by oauth_problem.");
        describe_counter!(
            REJECTED_CONNECTIONS,
            "Connections rejected because of what they sent, by reason."
        );
        handle
    });
    move || handle.render()
}

/// Requests answered; label `status`.
pub const REQUESTS: &str = "linkgate_requests_total";

/// Connections rejected because of what they sent; label `reason`.
pub const REJECTED_CONNECTIONS: &str = "linkgate_connections_rejected_total";

/// Signed requests refused; label `problem`.
pub const REFUSALS: &str = "linkgate_refusals_total";

/// Colours are for a terminal whose user did not decline them (<https://no-color.org>).
fn is_colourful() -> bool {
    let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !declined && std::io::stderr().is_terminal()
}

fn filter(level: &str) -> EnvFilter {
    let libraries = if level == "error" { "error" } else { "warn" };
    let ours = || EnvFilter::new(format!("{libraries},linkgate={level}"));
    EnvFilter::try_from_default_env().unwrap_or_else(|_| ours())
}

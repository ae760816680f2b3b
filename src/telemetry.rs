//! The log, on standard error, as text or as JSON; and counters in the text format of Prometheus.

use std::io::IsTerminal;
use std::sync::LazyLock;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// `[log]`: what is logged, and how.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct LogConfig {
    pub format: Format,
    pub level: Level,
}

/// The shape of a log line.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// A level of the log, as `RUST_LOG` names it too.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are the levels of the tracing crate")]
pub enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// Starts to log.
///
/// The level is that of linkgate; libraries log from `warn` on. `RUST_LOG` replaces both if it is set. A second call changes
/// nothing.
pub fn start(config: LogConfig) {
    let subscriber = fmt()
        .with_env_filter(filter(config.level.into()))
        .with_writer(std::io::stderr);
    // It fails only when a subscriber is there already, as in tests that start several servers.
    let _ = match config.format {
        Format::Text => subscriber.with_ansi(is_colourful()).try_init(),
        Format::Json => subscriber
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    };
}

/// What is counted, once for the process.
#[derive(Default)]
struct Metrics {
    registry: Registry,
    requests: Family<[(&'static str, u16); 1], Counter>,
    refusals: Counters,
    rejected_connections: Counters,
    clock_offset: Gauge,
}

/// A counter for each value of one label.
type Counters = Family<[(&'static str, &'static str); 1], Counter>;

static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let mut metrics = Metrics::default();
    let registry = &mut metrics.registry;
    let help = "Requests answered, by status";
    registry.register("linkgate_requests", help, metrics.requests.clone());
    let help = "Seconds by which the clock of PostgreSQL is ahead of this server's";
    let offset = metrics.clock_offset.clone();
    registry.register("linkgate_database_clock_offset_seconds", help, offset);
    let help = "Signed requests refused, by oauth_problem";
    registry.register("linkgate_refusals", help, metrics.refusals.clone());
    let help = "Connections rejected because of what they sent, by reason";
    let rejected = metrics.rejected_connections.clone();
    registry.register("linkgate_connections_rejected", help, rejected);
    metrics
});

/// Counts a request: `linkgate_requests_total{status}`.
pub fn count_request(status: u16) {
    METRICS.requests.get_or_create(&[("status", status)]).inc();
}

/// Counts a signed request that was refused: `linkgate_refusals_total{problem}`.
pub fn count_refusal(problem: &'static str) {
    METRICS.refusals.get_or_create(&[("problem", problem)]).inc();
}

/// Counts a connection that was rejected because of what it sent: `linkgate_connections_rejected_total{reason}`.
pub fn count_rejected_connection(reason: &'static str) {
    let rejected = &METRICS.rejected_connections;
    rejected.get_or_create(&[("reason", reason)]).inc();
}

/// The counters in the text format that Prometheus reads. `clock_offset`: seconds by which the database's clock is ahead.
pub fn metrics(clock_offset: i64) -> String {
    METRICS.clock_offset.set(clock_offset);
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = encode(&mut text, &METRICS.registry);
    text
}

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

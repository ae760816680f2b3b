//! `linkgate serve`.

use clap::Args;

use crate::config::{Config, LogFormat};
use crate::telemetry;

use super::config::ConfigFile;

/// Run the provider and the gateway
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFile,
}

const EXAMPLES: &str = "\
Examples:
  linkgate serve                                          ./linkgate.toml, or the file that LINKGATE_CONFIG names
  linkgate serve --config sidecar.toml
  LINKGATE__LOG__FORMAT=json linkgate serve
  RUST_LOG=linkgate=debug linkgate serve                  refusals with their reason, too

SIGTERM stops it: it finishes the requests that it has, for at most 30 seconds.";

impl Serve {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let format = match config.log.format {
            LogFormat::Text => telemetry::Format::Text,
            LogFormat::Json => telemetry::Format::Json,
        };
        telemetry::start(format, config.log.level.name());
        for warning in &config.warnings {
            tracing::warn!(key = warning.key, "{warning}");
        }
        super::block_on(run(config))
    }
}

/// Builds the parts, binds the sockets, and serves until it is told to stop.
pub async fn run(_config: Config) -> anyhow::Result<()> {
    anyhow::bail!("serving is not wired yet")
}

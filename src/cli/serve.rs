//! `linkgate serve`.

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::config::Config;
use crate::telemetry;

use super::config::ConfigFile;
use crate::server::{Migrations, Server};

/// Run the provider and the gateway
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// Refuse to start on a database that is missing or has the tables of an earlier version
    #[arg(long)]
    no_migrate: bool,
    #[command(flatten)]
    config: ConfigFile,
}

const EXAMPLES: &str = "\
Examples:
  linkgate serve                         ./linkgate.toml, or what LINKGATE_CONFIG names
  linkgate serve --config sidecar.toml
  LINKGATE__LOG__FORMAT=json linkgate serve
  RUST_LOG=linkgate=debug linkgate serve what happens inside, too

SIGTERM stops it: it finishes the requests that it has, for at most 30 seconds.
SIGHUP reads the consumers, the users, the branding and the certificate again.";

impl Serve {
    /// Runs the command.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        telemetry::start(config.log);
        warn(&config);
        let migrations = if self.no_migrate {
            Migrations::Refuse
        } else {
            Migrations::Apply
        };
        Box::pin(serve(config, &self.config, migrations)).await
    }
}

/// Builds the parts, binds the sockets, and serves until a signal stops it.
async fn serve(config: Config, file: &ConfigFile, migrations: Migrations) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be waited for")?;
    let mut hang_up = signal(SignalKind::hangup()).context("SIGHUP cannot be waited for")?;
    let server = Server::start_with(config, Clock::System, migrations).await?;
    tracing::info!(
        public = %server.public_address(),
        admin = %server.admin_address(),
        "linkgate {} serves",
        env!("CARGO_PKG_VERSION"),
    );
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => match file.load() {
                Ok(config) => {
                    warn(&config);
                    server.reload(&config).await;
                }
                Err(error) => tracing::error!("the configuration stays as it was: {error:#}"),
            },
        }
    }
    tracing::info!("stopping: requests under way may end");
    if !server.stop().await {
        tracing::warn!("some requests took too long, and were cut off");
    }
    tracing::info!("stopped");
    Ok(())
}

fn warn(config: &Config) {
    for warning in &config.warnings {
        tracing::warn!(
            "{}: {}: {}; {}",
            warning.location,
            warning.key,
            warning.wrong,
            warning.remedy
        );
    }
}

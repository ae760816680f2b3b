//! `linkgate serve`.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::interval;

use crate::clock::Clock;
use crate::config::{Config, ConfigProblem};
use crate::telemetry;

use super::config::ConfigFile;
use crate::server::{Migrations, Server};

/// Run the provider and the gateway
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate serve                         ./linkgate.toml, or what LINKGATE_CONFIG names
  linkgate serve --config sidecar.toml
  LINKGATE__LOG__FORMAT=json linkgate serve
  RUST_LOG=linkgate=debug linkgate serve what happens inside, too

SIGTERM stops it: it finishes the requests that it has, for at most 30 seconds. Event streams and WebSockets do not delay it.
SIGHUP reads the consumers, the users, the branding and the certificate again.")]
pub(super) struct Serve {
    /// Refuse to start on a database that is missing or has the tables of an earlier version
    #[arg(long)]
    no_migrate: bool,
    #[command(flatten)]
    config: ConfigFile,
}

impl Serve {
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

/// Builds the parts, opens the sockets, and serves until a signal stops it. systemd is told what happens.
async fn serve(config: Config, file: &ConfigFile, migrations: Migrations) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be waited for")?;
    let mut hang_up = signal(SignalKind::hangup()).context("SIGHUP cannot be waited for")?;
    let opened = ListenFd::from_env();
    let server = Box::pin(Server::start_with(config, Clock::System, opened, migrations)).await?;
    // Three in the time after which systemd counts the server as dead.
    let mut alive = interval(sd_notify::watchdog_enabled().unwrap_or(Duration::MAX) / 3);
    tracing::info!(
        public = %server.public_address,
        admin = %server.admin_address,
        "linkgate {} serves",
        env!("CARGO_PKG_VERSION"),
    );
    notify(&[NotifyState::Ready]);
    loop {
        tokio::select! {
            _ = alive.tick() => {
                server.workers.check_alive().await;
                notify(&[NotifyState::Watchdog]);
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => reload(&server, file).await,
        }
    }
    notify(&[NotifyState::Stopping]);
    tracing::info!("stopping: requests under way may end");
    if !server.stop().await {
        tracing::warn!("some requests took too long, and were cut off");
    }
    tracing::info!("stopped");
    Ok(())
}

async fn reload(server: &Server, file: &ConfigFile) {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd is not told of the reload"),
    }
    match file.load() {
        Ok(config) => {
            warn(&config);
            server.reload(&config).await;
        }
        Err(error) => tracing::error!("the configuration stays as it was: {error:#}"),
    }
    notify(&[NotifyState::Ready]);
}

/// Tells the service manager, if there is one (`NOTIFY_SOCKET`, `sd_notify(3)`).
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd cannot be told what happens");
    }
}

fn warn(config: &Config) {
    for ConfigProblem { location, key, text } in &config.warnings {
        tracing::warn!("{location}: {key}: {}", text.replace('\n', "; "));
    }
}

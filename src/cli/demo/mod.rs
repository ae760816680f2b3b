//! `linkgate demo`: the real server between a simulated Bitbucket and a small application, in one process.
//!
//! [`workplace`] is the directory that it lives in, [`sockets`] the addresses, [`linkgate`] the real server, started,
//! stopped and asked as an administrator would.

mod linkgate;
mod sockets;
mod workplace;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use clap::Args;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::demo::bitbucket::provider::Incoming;
use crate::demo::bitbucket::{self, Settings};
use crate::demo::buildboard::Calls;
use crate::demo::config::{Files, LINKGATE_KEY};
use crate::demo::{Bitbucket, Buildboard, Operator, headless};
use crate::oauth::{ConsumerKey, PrivateKey, Secret, Token};
use crate::store::Keyring;
use crate::telemetry;

use linkgate::Linkgate;
use sockets::Sockets;
use workplace::Workplace;

/// Try it: linkgate between a simulated Bitbucket and a small application, all in this process
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Demo {
    /// Run every step without a browser, print a line for each, and exit 0 only if all answers were right
    #[arg(long)]
    headless: bool,
    /// The port of the page to open; linkgate, the application, the health checks and the application's calls take the next four. 0: free ones
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Keep configuration and database in this directory instead of a temporary one
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Store in this database instead of SQLite
    #[arg(long, value_name = "postgres://...")]
    store: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  linkgate demo                    prints the URL to open
  linkgate demo --headless         the whole dance, and everything that must be refused, step by step
  linkgate demo --port 9070 --keep demo

It listens on this machine only. Keys, passwords and tokens are throwaways.";

impl Demo {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<()> {
        telemetry::start(telemetry::LogConfig {
            level: telemetry::Level::Warn,
            ..telemetry::LogConfig::default()
        });
        super::block_on(self.play())
    }

    async fn play(self) -> anyhow::Result<()> {
        let workplace = Workplace::make(self.keep.clone())?;
        let sockets = Sockets::bind(self.port).await?;
        let (config, settings, calls) = self.set_up(&workplace, &sockets)?;
        let linkgate = Arc::new(Linkgate::new(config));
        let bitbucket = Bitbucket::new(settings(operator(&linkgate)));

        let stop = CancellationToken::new();
        let Sockets {
            bitbucket: page,
            buildboard,
            bitbucket_url,
            linkgate_url,
            ..
        } = sockets;
        let peers = [
            serve(buildboard, Buildboard::calling(calls).router(), &stop),
            serve(page, bitbucket::router(bitbucket.clone()), &stop),
        ];
        linkgate.start().await?;

        let outcome = if self.headless {
            unattended(&bitbucket).await
        } else {
            super::print(&welcome(
                bitbucket_url.as_str(),
                linkgate_url.as_str(),
                &workplace,
            ))?;
            told_to_stop().await
        };

        stop.cancel();
        linkgate.stop().await;
        for peer in peers {
            // Whatever a browser still holds open is not worth waiting for.
            let _ = tokio::time::timeout(PATIENCE, peer).await;
        }
        outcome
    }

    /// Writes the configuration; what the simulated Bitbucket knows of it, but for the administrator.
    fn set_up(
        &self,
        workplace: &Workplace,
        sockets: &Sockets,
    ) -> anyhow::Result<(PathBuf, impl FnOnce(Operator) -> Settings + use<>, Calls)> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the command line is where randomness comes from"
        )]
        let mut rng = rand::rng();
        let own_private_key = PrivateKey::generate(KEY_BITS, &mut rng).context("no key could be made")?;
        let link_key = PrivateKey::generate(KEY_BITS, &mut rng).context("no key could be made")?;
        let calls = Calls {
            authority: sockets.calls.clone(),
            token: Secret::new(Token::generate("", &mut rng).as_str()),
        };
        let form_secret = Secret::new(Token::generate("", &mut rng).as_str());
        let form_key = ConsumerKey::parse("bitbucket-form").context("the generic link's key")?;
        let own_key = ConsumerKey::parse("Stash:8277239845").context("the own-key link's key")?;
        let files = Files {
            linkgate: &sockets.linkgate_url,
            admin: &sockets.admin,
            buildboard: &sockets.buildboard_url,
            bitbucket: &sockets.bitbucket_url,
            store: self.store.as_deref().unwrap_or("sqlite://linkgate.db"),
            form_key: &form_key,
            form_secret: &form_secret,
            own_key: &own_key,
            own_public_key: &own_private_key.public_key(),
            calls: &calls.authority,
            calls_token: &calls.token,
            link_key: &link_key,
            secret_key: self.store.as_ref().map(|_| Keyring::generate(&mut rng).to_text()),
        };
        let config = files
            .write(workplace.path())
            .context("the demo's configuration cannot be written")?;
        let (base, linkgate) = (sockets.bitbucket_url.clone(), sockets.linkgate_url.clone());
        let linkgate_key = ConsumerKey::parse(LINKGATE_KEY).context("linkgate's key")?;
        let incoming = Incoming::new(linkgate_key, link_key.public_key());
        let settings = move |operator| Settings {
            incoming,
            base,
            linkgate,
            form_key,
            form_secret,
            own_key,
            own_private_key,
            clock: Clock::System,
            operator,
        };
        Ok((config, settings, calls))
    }
}

async fn unattended(bitbucket: &Bitbucket) -> anyhow::Result<()> {
    let summary = headless::run(bitbucket, &mut std::io::stdout()).await?;
    if summary.failed > 0 {
        bail!(
            "{} of {} steps did not go as expected",
            summary.failed,
            summary.steps
        );
    }
    Ok(())
}

/// The administrator, who has this process at hand.
fn operator(linkgate: &Arc<Linkgate>) -> Operator {
    let (revoking, restarting) = (Arc::clone(linkgate), Arc::clone(linkgate));
    Operator::new(
        move |token| {
            let linkgate = Arc::clone(&revoking);
            Box::pin(async move { linkgate.revoke(&token).await.map_err(linkgate::told) })
        },
        move || {
            let linkgate = Arc::clone(&restarting);
            Box::pin(async move { linkgate.restart().await.map_err(linkgate::told) })
        },
    )
}

fn serve(socket: TcpListener, router: Router, stop: &CancellationToken) -> JoinHandle<std::io::Result<()>> {
    let stop = stop.clone().cancelled_owned();
    tokio::spawn(
        axum::serve(socket, router)
            .with_graceful_shutdown(stop)
            .into_future(),
    )
}

fn welcome(bitbucket: &str, linkgate: &str, workplace: &Workplace) -> String {
    format!(
        "
  Open  {bitbucket}/

  It is a simulated Bitbucket. Connect a link, sign in, and call the application behind linkgate.
  Accounts: alice with alice-password, bob with bob-password.
  To see what linkgate's administrator sees, sign in as alice and open {linkgate}/oauth/admin

  linkgate: {linkgate}
  Files:    {files}

  Only this machine can reach it. Ctrl-C stops it.

",
        files = workplace.describe(),
    )
}

async fn told_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("signals cannot be received"),
        _ = terminate.recv() => Ok(()),
    }
}

const KEY_BITS: usize = 2048;
const PATIENCE: Duration = Duration::from_secs(2);

//! `linkgate demo`: the real server between a simulated Bitbucket and a small application, in one process.
//!
//! The peers reach linkgate over HTTP only. In reading order:
//!
//! 1. `config`: the files that the real server starts with;
//! 2. `http`: a request with its response, and a browser without scripts;
//! 3. `buildboard`: the application, which knows nothing of OAuth;
//! 4. `bitbucket`: the consumer, with a page to click on;
//! 5. `headless`: the same steps without a browser.

mod bitbucket;
mod buildboard;
mod config;
mod headless;
mod http;

use std::fs::{DirBuilder, Permissions};
use std::future::IntoFuture;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::Router;
use clap::Args;
use rand::rngs::ThreadRng;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::oauth::{PublicUrl, Token};
use crate::server::Server;
use crate::server::store::with_store;
use crate::store::{Actor, Revoke};
use crate::telemetry;

use self::config::Settings;
use bitbucket::Bitbucket;
use buildboard::Buildboard;

/// Try it: linkgate between a simulated Bitbucket and a small application, all in this process
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Demo {
    /// Run every step without a browser, print a line for each, and exit 0 only if all responses were right
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
  linkgate demo --headless         connect, call, and everything that must be rejected, step by step
  linkgate demo --port 9070 --keep demo

It listens on this machine only. Keys, passwords and tokens are throwaways.";

impl Demo {
    /// Runs the command. An error: the demo cannot be set up, or a step of the headless run failed.
    pub async fn run(self) -> anyhow::Result<()> {
        telemetry::start(telemetry::LogConfig {
            level: telemetry::Level::Warn,
            ..telemetry::LogConfig::default()
        });
        // A temporary directory is removed when this goes out of scope.
        let (directory, _temporary) = if let Some(kept) = self.keep.clone() {
            let made = DirBuilder::new().mode(0o700).recursive(true).create(&kept);
            made.with_context(|| format!("the directory {} cannot be made", kept.display()))?;
            (kept, None)
        } else {
            let private = Permissions::from_mode(0o700);
            let mut temporary = tempfile::Builder::new();
            let temporary = temporary.prefix("linkgate-demo-").permissions(private).tempdir();
            let temporary = temporary.context("no temporary directory can be made")?;
            (temporary.path().to_owned(), Some(temporary))
        };
        let (settings, page, application) = self.bind().await?;
        let config = settings.write(&directory);
        let server = Arc::new(Linkgate {
            config: config.context("the configuration cannot be written")?,
            server: Mutex::default(),
        });
        let calls_token = settings.calls_token.expose().to_owned();
        let buildboard = Buildboard::new((settings.calls.clone(), calls_token));
        let bitbucket = Arc::new(Bitbucket::new(settings, Arc::clone(&server))?);

        let stop = CancellationToken::new();
        let peers = [
            serve(application, buildboard.router(), &stop),
            serve(page, bitbucket::router(Arc::clone(&bitbucket)), &stop),
        ];
        server.start().await?;
        let outcome = if self.headless {
            headless::run(&bitbucket, &mut std::io::stdout()).await
        } else {
            let kept = self.keep.map_or("removed at the end", |_| "kept");
            let files = format!("{} ({kept})", directory.display());
            let text = welcome(bitbucket.base.as_str(), bitbucket.linkgate.as_str(), &files);
            std::io::stdout().write_all(text.as_bytes())?;
            wait_for_signal().await
        };
        stop.cancel();
        server.stop().await;
        for peer in peers {
            // Connections that a browser keeps open are not waited for.
            let _ = timeout(DRAIN, peer).await;
        }
        outcome
    }

    /// Takes five ports from the given one on, or free ones. Returns the listeners of Bitbucket's page and of the application.
    async fn bind(&self) -> anyhow::Result<(Settings, TcpListener, TcpListener)> {
        let listen = async |step: u16| {
            let port = self.port.checked_add(step);
            let port = port.context("--port leaves no room for four more ports")?;
            let port = if self.port == 0 { 0 } else { port };
            let listener = TcpListener::bind((LOOPBACK, port)).await;
            let failed = || format!("port {port} of {LOOPBACK} cannot be used; choose another with --port");
            listener.with_context(failed)
        };
        let url = |listener: &TcpListener| {
            let address = listener.local_addr()?;
            PublicUrl::parse(&format!("http://{address}")).map_err(|why| anyhow!(why))
        };
        // linkgate binds its own three listeners again when it starts: it has to know its public URL before that.
        let (page, linkgate, application) = (listen(0).await?, listen(1).await?, listen(2).await?);
        let (admin, calls) = (listen(3).await?, listen(4).await?);
        let settings = Settings::generate(
            [url(&page)?, url(&linkgate)?, url(&application)?],
            [admin.local_addr()?.to_string(), calls.local_addr()?.to_string()],
            self.store.as_deref(),
        )?;
        Ok((settings, page, application))
    }
}

struct Linkgate {
    config: PathBuf,
    server: Mutex<Option<Server>>,
}

impl Linkgate {
    async fn start(&self) -> anyhow::Result<()> {
        let server = Server::start(self.load()?, Clock::System).await;
        *self.server.lock().await = Some(server.context("linkgate does not start")?);
        Ok(())
    }

    async fn stop(&self) {
        if let Some(server) = self.server.lock().await.take() {
            server.stop().await;
        }
    }

    /// Revokes an access token, as `linkgate token revoke` does: in the store, beside the server.
    async fn revoke(&self, token: &Token) -> anyhow::Result<()> {
        let by = Actor {
            name: "command",
            address: None,
        };
        with_store(&self.load()?, async |store| {
            let found = store.access_token(token).await?;
            let found = found.context("linkgate has no such token")?;
            let which = Revoke::One { id: &found.id };
            store.revoke(which, by, Clock::System.now()).await?;
            Ok(())
        })
        .await
    }

    /// Reads the configuration file alone: the environment is that of an installation, not of a demo.
    fn load(&self) -> anyhow::Result<Config> {
        Ok(Config::load(&self.config, [], Clock::System.now())?)
    }
}

fn serve(listener: TcpListener, router: Router, stop: &CancellationToken) -> JoinHandle<std::io::Result<()>> {
    let server = axum::serve(listener, router);
    let server = server.with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::spawn(server.into_future())
}

fn random() -> String {
    Token::generate("", &mut rng()).as_str().to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command is where randomness comes from"
)]
fn rng() -> ThreadRng {
    rand::rng()
}

fn welcome(bitbucket: &str, linkgate: &str, files: &str) -> String {
    format!(
        "
  Open  {bitbucket}/

  It is a simulated Bitbucket. Connect a link, sign in, and call the application behind linkgate.
  Accounts: alice with alice-password, bob with bob-password.
  To see what linkgate's administrator sees, sign in as alice and open {linkgate}/oauth/admin

  linkgate: {linkgate}
  Files:    {files}

  Only this machine can reach it. Ctrl-C stops it.

"
    )
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.context("signals cannot be received"),
        _ = terminate.recv() => Ok(()),
    }
}

const LOOPBACK: &str = "127.0.0.1";
const DRAIN: Duration = Duration::from_secs(2);

//! A running linkgate: start, reload and stop.

pub(crate) mod links;
mod parts;
mod sockets;
pub mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use listenfd::ListenFd;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::util::BoxCloneSyncService;

use crate::clock::Clock;
use crate::config::Config;
use crate::http::listener::MAX_HALF_OPEN;
use crate::http::operators::operators;
use crate::http::{Listener, Workers};
use crate::links::listener;
use crate::login::Login;
use crate::provider::Provider;
use crate::store::{Store, StoreError};
use crate::tls::ServerTls;
use crate::web::App;
use crate::{telemetry, web};

pub use store::Migrations;

/// A linkgate that serves. Dropped, it stops accepting; [`Server::stop`] waits for requests in progress.
#[derive(Debug)]
pub struct Server {
    /// Where consumers, browsers and the guarded application's users come in.
    pub public_address: SocketAddr,
    /// Where operators come in.
    pub admin_address: SocketAddr,
    /// Where the application calls others through us, when that is an address.
    pub calls_address: Option<SocketAddr>,
    /// The threads that serve connections.
    pub workers: Workers,
    store: Store,
    app: Arc<App>,
    tls: Option<ServerTls>,
    stop: CancellationToken,
    listeners: Vec<JoinHandle<bool>>,
    sweeper: JoinHandle<()>,
}

impl Server {
    /// Binds the listeners, opens the store, synchronises the configured consumers, and serves.
    ///
    /// # Errors
    ///
    /// What the configuration names cannot be used: a file, the database, an address.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let starting = Self::start_with(config, clock, ListenFd::empty(), Migrations::Apply);
        Box::pin(starting).await
    }

    /// The same with sockets that systemd has opened, and a choice whether the tables may be changed. That is the last thing to
    /// happen: everything else was found good.
    pub async fn start_with(
        config: Config,
        clock: Clock,
        mut opened: ListenFd,
        migrations: Migrations,
    ) -> anyhow::Result<Self> {
        let max_files = raise_file_limit();
        let login = Login::new(&config.login, &config.server.trusted_proxies, &clock)?;
        let tls = config.server.tls.clone().map(ServerTls::read).transpose()?;
        let workers = Workers::start().context("the threads that serve cannot be started")?;
        let (listen, admin_listen) = (config.server.listen, config.server.admin_listen);
        let (public, public_address) = sockets::tcp(&mut opened, sockets::PUBLIC, listen)?;
        let (admin, admin_address) = sockets::tcp(&mut opened, sockets::OPERATORS, admin_listen)?;
        let private = links::socket(&config, &mut opened)?;
        let calls_address = private.as_ref().and_then(|(private, _)| private.address());
        let keyring = store::keyring(&config).await?;
        let store = store::open(&config, Arc::clone(&keyring), migrations).await?;
        synchronise(&store, &config, &clock).await?;
        let installation = links::installation(&config, &store).await?;
        let (app, gateway, verdicts) = parts::assemble(&config, installation, login, &store, keyring, clock)?;
        let app = Arc::new(app);
        let stop = CancellationToken::new();
        let listener = Listener {
            tls: tls.clone(),
            h2c: config.server.h2c,
            workers: workers.clone(),
            download_timeout: config.server.download_timeout,
            max_half_open: MAX_HALF_OPEN.min(max_files / 4),
            ..Listener::clear_text()
        };
        let service = web::public_service(Arc::clone(&app), &verdicts, gateway);
        let (ready, counted) = (Arc::clone(&app.provider), Arc::clone(&app.provider));
        let metrics = move || telemetry::metrics(counted.clock_offset());
        let operators = operators(move || is_ready(Arc::clone(&ready)), metrics);
        let in_clear_text = |socket, router| {
            let service = BoxCloneSyncService::new(router);
            tokio::spawn(Listener::clear_text().serve(socket, service, stop.clone(), DRAIN))
        };
        let mut listeners = vec![
            tokio::spawn(listener.serve(public, service, stop.clone(), DRAIN)),
            in_clear_text(admin, operators),
        ];
        listeners.extend(
            private.map(|(private, token)| {
                in_clear_text(private, listener::router(Arc::clone(&app.links), token))
            }),
        );
        if let Some(tls) = tls.clone() {
            tokio::spawn(stop.clone().run_until_cancelled_owned(tls.watch_files()));
        }
        let (provider, until) = (Arc::clone(&app.provider), stop.clone());
        let sweeper = tokio::spawn(async move { provider.sweep_until(until).await });
        Ok(Self {
            public_address,
            admin_address,
            calls_address,
            workers,
            store,
            app,
            tls,
            stop,
            listeners,
            sweeper,
        })
    }

    /// Takes consumers, users, branding and the certificate from a configuration that was read again. What fails stays as
    /// it was, and is logged.
    pub async fn reload(&self, config: &Config) {
        match synchronise(&self.store, config, &self.app.clock).await {
            Ok(()) => {
                let secret_files = config.secret_files.clone();
                self.app.administration.keep_secret_files(secret_files);
                tracing::info!("the consumers were read again");
            }
            Err(error) => tracing::error!("the consumers stay as they were: {error:#}"),
        }
        self.app.branding.replace(&config.branding);
        match self.app.login.reload() {
            Ok(()) => tracing::info!("the users were read again"),
            Err(error) => tracing::error!("the users stay as they were: {error}"),
        }
        match (&self.tls, config.server.tls.clone()) {
            (Some(tls), Some(files)) => match tls.reload(files) {
                Ok(certificate) => {
                    tracing::info!(not_after = %certificate.not_after, "the certificate was read again");
                }
                Err(error) => tracing::error!("the certificate stays as it was: {error}"),
            },
            (None, None) => {}
            _ => tracing::warn!("[server.tls] comes and goes with a restart only"),
        }
    }

    /// Stops accepting, waits for the requests under way, and closes the store. `false`: some took too long.
    pub async fn stop(self) -> bool {
        self.stop.cancel();
        let mut drained = true;
        for listener in self.listeners {
            drained &= listener.await.unwrap_or(false);
        }
        match self.sweeper.await {
            Ok(()) => self.app.provider.finish().await,
            Err(error) => tracing::warn!(%error, "the sweeper did not end by itself"),
        }
        self.store.close().await;
        // Database connections may have been opened on a worker.
        drop(self.workers);
        drained
    }
}

/// Each connection takes a descriptor or two, and a shell starts programs with 1024. Returns how many there may be now.
fn raise_file_limit() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files stays as it was");
        1024
    });
    usize::try_from(limit).unwrap_or(usize::MAX)
}

async fn is_ready(provider: Arc<Provider>) -> Result<(), String> {
    let ready = provider.check_ready().await;
    ready.map_err(|error| {
        tracing::error!(%error, "not ready");
        match error {
            StoreError::ClockOffset { .. } => error.to_string(),
            // A driver's words may be about more than a probe shall know.
            _ => "the store does not answer".to_owned(),
        }
    })
}

async fn synchronise(store: &Store, config: &Config, clock: &Clock) -> anyhow::Result<()> {
    let synchronising = store.synchronise_consumers(&config.consumers, clock.now());
    let done = synchronising.await?;
    tracing::info!(
        added = ?done.added,
        updated = ?done.updated,
        enabled = ?done.enabled,
        disabled = ?done.disabled,
        "the configured consumers are in the store"
    );
    Ok(())
}

/// How long requests under way may take when the server stops.
const DRAIN: Duration = Duration::from_secs(30);

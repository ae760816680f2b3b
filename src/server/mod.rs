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
use crate::web::{Administration, CurrentBranding};
use crate::{telemetry, web};

use parts::Parts;
pub use store::Migrations;

/// A linkgate that serves. Dropped, it stops accepting; [`Server::stop`] waits for requests in progress.
#[derive(Debug)]
pub struct Server {
    public: SocketAddr,
    admin: SocketAddr,
    calls: Option<SocketAddr>,
    store: Store,
    login: Arc<Login>,
    administration: Arc<Administration>,
    branding: Arc<CurrentBranding>,
    tls: Option<ServerTls>,
    clock: Clock,
    stop: CancellationToken,
    listeners: Vec<JoinHandle<bool>>,
    sweeper: JoinHandle<Arc<Provider>>,
    workers: Workers,
}

impl Server {
    /// Binds the listeners, opens the store, synchronises the configured consumers, and serves.
    ///
    /// # Errors
    ///
    /// What the configuration names cannot be used: a file, the database, an address.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        Box::pin(Self::start_with(
            config,
            clock,
            ListenFd::empty(),
            Migrations::Apply,
        ))
        .await
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
        let login = Arc::new(Login::new(&config.login, &config.server.trusted_proxies, &clock)?);
        let tls = config.server.tls.clone().map(ServerTls::read).transpose()?;
        let workers = Workers::start().context("the threads that serve cannot be started")?;
        let (listen, admin_listen) = (config.server.listen, config.server.admin_listen);
        let (public, public_address) = sockets::tcp(&mut opened, sockets::PUBLIC, listen)?;
        let (admin, admin_address) = sockets::tcp(&mut opened, sockets::OPERATORS, admin_listen)?;
        let private = links::socket(&config, &mut opened)?;
        let calls = private.as_ref().and_then(|(private, _)| private.address());
        let keyring = store::keyring(&config).await?;
        let store = store::open(&config, Arc::clone(&keyring), migrations).await?;
        synchronise(&store, &config, &clock).await?;
        let installation = links::installation(&config, &store).await?;
        let parts = Parts::new(&config, installation, &login, &store, keyring, &clock)?;
        let stop = CancellationToken::new();
        let public = Listener {
            tls: tls.clone(),
            h2c: config.server.h2c,
            workers: workers.clone(),
            download_timeout: config.server.download_timeout,
            max_half_open: MAX_HALF_OPEN.min(max_files / 4),
            ..Listener::clear_text(public)
        };
        let service = web::public_service(parts.app, &parts.verdicts, parts.gateway, parts.rejections);
        let (ready, counted) = (Arc::clone(&parts.provider), Arc::clone(&parts.provider));
        let metrics = move || telemetry::metrics(counted.clock_offset());
        let operators = operators(move || is_ready(Arc::clone(&ready)), metrics);
        let mut listeners = vec![
            tokio::spawn(public.serve(service, stop.clone(), DRAIN)),
            tokio::spawn(Listener::clear_text(admin).serve(operators, stop.clone(), DRAIN)),
        ];
        listeners.extend(private.map(|(private, token)| {
            let calls = listener::router(Arc::clone(&parts.links), token);
            tokio::spawn(Listener::clear_text(private).serve(calls, stop.clone(), DRAIN))
        }));
        if let Some(tls) = tls.clone() {
            tokio::spawn(stop.clone().run_until_cancelled_owned(tls.watch_files()));
        }
        let (provider, until) = (parts.provider, stop.clone());
        let sweeper = tokio::spawn(async move {
            provider.sweep_until(until).await;
            provider
        });
        Ok(Self {
            public: public_address,
            admin: admin_address,
            calls,
            store,
            login,
            administration: parts.administration,
            branding: parts.branding,
            tls,
            clock,
            stop,
            listeners,
            sweeper,
            workers,
        })
    }

    /// Where consumers, browsers and the guarded application's users come in.
    pub const fn public_address(&self) -> SocketAddr {
        self.public
    }

    /// Where operators come in.
    pub const fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// Where the application calls others through us, when that is an address.
    pub const fn calls_address(&self) -> Option<SocketAddr> {
        self.calls
    }

    /// Waits until each thread that serves connections has done something.
    pub async fn check_alive(&self) {
        self.workers.check_alive().await;
    }

    /// Takes consumers, users, branding and the certificate from a configuration that was read again. What fails stays as
    /// it was, and is logged.
    pub async fn reload(&self, config: &Config) {
        match synchronise(&self.store, config, &self.clock).await {
            Ok(()) => {
                self.administration.keep_secret_files(config.secret_files.clone());
                tracing::info!("the consumers were read again");
            }
            Err(error) => tracing::error!("the consumers stay as they were: {error:#}"),
        }
        self.branding.replace(&config.branding);
        match self.login.reload() {
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
            Ok(provider) => provider.finish().await,
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
        USUAL_FILE_LIMIT
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
    let done = store
        .synchronise_consumers(&config.consumers, clock.now())
        .await?;
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
/// Of a shell.
const USUAL_FILE_LIMIT: u64 = 1024;

const DRAIN: Duration = Duration::from_secs(30);

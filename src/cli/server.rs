//! A running linkgate: the parts, the sockets, and the tasks behind them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::links::listener;
use crate::login::Login;
use crate::store::Store;
use crate::tls::ServerTls;
use crate::web::{Administration, Lanes, Look};
use crate::{telemetry, web};

use super::login::login;
use super::parts::Parts;
use super::{links, store};

/// A linkgate that serves. Dropped, it stops accepting; [`Server::stop`] waits for what is under way.
#[derive(Debug)]
pub struct Server {
    public: SocketAddr,
    admin: SocketAddr,
    calls: Option<SocketAddr>,
    store: Store,
    login: Arc<Login>,
    administration: Arc<Administration>,
    look: Arc<Look>,
    tls: Option<ServerTls>,
    clock: Clock,
    stop: CancellationToken,
    listeners: Vec<JoinHandle<bool>>,
    sweeper: JoinHandle<()>,
    lanes: Lanes,
}

impl Server {
    /// Opens the store, synchronises the configured consumers, builds the parts, and binds the listeners.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let login = login(&config, &clock)?;
        let keyring = store::keyring(&config)?;
        let store = store::open_with(&config, Arc::clone(&keyring)).await?;
        synchronise(&store, &config, &clock).await?;
        let installation = links::installation(&config, &store).await?;
        let parts = Parts::new(&config, installation, &login, &store, keyring, &clock)?;
        let own = web::router(parts.app, parts.gateway.clone());
        let site = Arc::new(web::Site::new(own, parts.gateway, parts.verdicts, parts.refusals));
        let answer = move |request, peer| Arc::clone(&site).answer(request, peer);
        let tls = config.server.tls.clone().map(ServerTls::read).transpose()?;
        let operators = web::operators(store.clone(), telemetry::metrics());
        let (socket, admin_socket) = (bind(config.server.listen)?, bind(config.server.admin_listen)?);
        let (public, admin) = (socket.local_addr()?, admin_socket.local_addr()?);
        let private = links::socket(&config).await?;
        let calls = private.as_ref().and_then(|(private, _)| private.address());
        let stop = CancellationToken::new();
        let lanes = Lanes::start().context("the threads that serve cannot be started")?;
        let mut listeners = vec![
            tokio::spawn(web::serve(
                socket,
                tls.clone(),
                answer,
                lanes.clone(),
                stop.clone(),
                DRAIN,
            )),
            tokio::spawn(web::serve_router(admin_socket, operators, stop.clone(), DRAIN)),
        ];
        listeners.extend(private.map(|(private, token)| {
            let links = Arc::clone(&parts.links);
            tokio::spawn(listener::serve(private, links, token, stop.clone(), DRAIN))
        }));
        if let Some(tls) = tls.clone() {
            tokio::spawn(stop.clone().run_until_cancelled_owned(tls.watch_files()));
        }
        let (provider, until) = (parts.provider, stop.clone());
        let sweeper = tokio::spawn(async move { provider.sweep_until(until).await });
        Ok(Self {
            public,
            admin,
            calls,
            store,
            login,
            administration: parts.administration,
            look: parts.look,
            tls,
            clock,
            stop,
            listeners,
            sweeper,
            lanes,
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
        self.look.replace(&config.branding);
        match self.login.reload() {
            Ok(()) => tracing::info!("the users were read again"),
            Err(error) => tracing::error!("the users stay as they were: {error}"),
        }
        match (&self.tls, config.server.tls.clone()) {
            (Some(tls), Some(files)) => match tls.reload(files) {
                Ok(certificate) => {
                    tracing::info!(not_after = %certificate.not_after, "the certificate was read again")
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
        if let Err(error) = self.sweeper.await {
            tracing::warn!(%error, "the sweeper did not end by itself");
        }
        self.store.close().await;
        // The store may have connections that were made on one of them.
        drop(self.lanes);
        drained
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    listen(address).with_context(|| format!("{address} cannot be listened on"))
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // As the standard library does: a restart need not wait for the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
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

/// Connections that may wait to be accepted; the system has a limit of its own. Beyond it clients are silently put off for
/// a second or three.
const BACKLOG: u32 = 4096;

/// How long requests under way may take when the server stops.
const DRAIN: Duration = Duration::from_secs(30);

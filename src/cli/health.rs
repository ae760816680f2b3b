//! `linkgate health`: asks a running linkgate whether it is ready. Made for a container's health check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use http::{Request, StatusCode, Uri};

use super::config::ConfigFile;
use crate::http::client::{Connector, Reach};

/// Ask a running linkgate whether it is ready
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate health                        server.admin_listen of ./linkgate.toml
  linkgate health --config sidecar.toml
  linkgate health --url http://127.0.0.1:9081

Asks GET /readyz. Exit codes: 0 ready, 1 not ready.")]
pub(super) struct Health {
    /// The admin listener; without it, the one of the configuration
    #[arg(long, value_name = "URL")]
    url: Option<Uri>,
    #[command(flatten)]
    config: ConfigFile,
}

impl Health {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let url = match &self.url {
            Some(url) => with_path(url)?,
            None => format!(
                "http://{}/readyz",
                reachable(self.config.load()?.server.admin_listen)
            ),
        };
        let status = status(&url).await;
        let status = status.map_err(|error| anyhow!("{url} is not ready: {error:#}"))?;
        if status != StatusCode::OK {
            bail!("{url} is not ready: it answers {}", status.as_u16());
        }
        super::print(&format!("{url} is ready\n"))
    }
}

/// Returns the URL with the path `/readyz`, unless it has a path of its own.
fn with_path(url: &Uri) -> anyhow::Result<String> {
    let authority = url.authority().filter(|_| url.scheme_str() == Some("http"));
    let authority = authority.context("--url must be an http URL: http://127.0.0.1:9081")?;
    let path = if url.path() == "/" { "/readyz" } else { url.path() };
    Ok(format!("http://{authority}{path}"))
}

/// Returns an address to connect to for a listener that may listen on all interfaces.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

async fn status(url: &str) -> anyhow::Result<StatusCode> {
    let connector = Connector {
        tls: None,
        reach: Reach::Anywhere,
        timeout: TIMEOUT,
    };
    let request = Request::get(url).body(Bytes::new())?;
    Ok(connector.fetch(request, TIMEOUT, MAX_BODY_BYTES).await?.status())
}

const TIMEOUT: Duration = Duration::from_secs(3);
const MAX_BODY_BYTES: usize = 64 * 1024;

//! `linkgate health`: asks a running linkgate whether it is ready. Made for a container's health check.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use http::Uri;

use super::config::ConfigFile;

/// Ask a running linkgate whether it is ready
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Health {
    /// The admin listener; without it, the one of the configuration
    #[arg(long, value_name = "URL")]
    url: Option<Uri>,
    #[command(flatten)]
    config: ConfigFile,
}

const EXAMPLES: &str = "\
Examples:
  linkgate health                        server.admin_listen of ./linkgate.toml
  linkgate health --config sidecar.toml
  linkgate health --url http://127.0.0.1:9081

Asks GET /readyz. Exit codes: 0 ready, 1 not ready.";

const PATIENCE: Duration = Duration::from_secs(3);

impl Health {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (host, path) = if let Some(url) = &self.url {
            parts(url)?
        } else {
            let listener = self.config.load()?.server.admin_listen;
            (reachable(listener).to_string(), "/readyz".to_owned())
        };
        let status =
            ask(&host, &path).map_err(|error| anyhow!("http://{host}{path} is not ready: {error:#}"))?;
        if status != 200 {
            bail!("http://{host}{path} is not ready: it answers {status}");
        }
        super::print(&format!("http://{host}{path} is ready\n"))
    }
}

/// Host with port, and path.
fn parts(url: &Uri) -> anyhow::Result<(String, String)> {
    let authority = url.authority().filter(|_| url.scheme_str() == Some("http"));
    let authority = authority.context("--url must be an http URL: http://127.0.0.1:9081")?;
    let host = match authority.port() {
        Some(_) => authority.to_string(),
        None => format!("{authority}:80"),
    };
    let path = if url.path() == "/" { "/readyz" } else { url.path() };
    Ok((host, path.to_owned()))
}

/// An address to call for a listener that may listen on all interfaces.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

/// One request on a connection of its own, and the status of the answer.
fn ask(host: &str, path: &str) -> anyhow::Result<u16> {
    let address = host
        .to_socket_addrs()?
        .next()
        .context("the host has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut head = [0_u8; 12];
    stream
        .read_exact(&mut head)
        .context("it does not answer in HTTP")?;
    let status = std::str::from_utf8(&head)
        .ok()
        .and_then(|head| head.strip_prefix("HTTP/1.1 "));
    status
        .and_then(|status| status.parse().ok())
        .context("it does not answer in HTTP")
}

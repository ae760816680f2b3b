//! Addresses for everybody, all on the loopback interface.

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;

use crate::oauth::PublicUrl;

/// The listeners of both peers, and linkgate's three addresses.
///
/// linkgate binds its own, from its configuration: it must know its public URL before it listens.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) bitbucket: TcpListener,
    pub(super) buildboard: TcpListener,
    pub(super) bitbucket_url: PublicUrl,
    pub(super) buildboard_url: PublicUrl,
    pub(super) linkgate_url: PublicUrl,
    pub(super) admin: String,
    pub(super) calls: String,
}

impl Sockets {
    /// Takes five ports from this one on, or free ones.
    pub(super) async fn bind(first: u16) -> anyhow::Result<Self> {
        let port = |step: u16| match first {
            0 => Ok(0),
            first => first
                .checked_add(step)
                .context("--port leaves no room for four more ports"),
        };
        let bitbucket = bind(port(0)?).await?;
        let linkgate = bind(port(1)?).await?;
        let buildboard = bind(port(2)?).await?;
        let admin = bind(port(3)?).await?;
        let calls = bind(port(4)?).await?;
        // Three of them are free again from here on, until linkgate binds them a moment later.
        Ok(Self {
            bitbucket_url: url(&bitbucket)?,
            buildboard_url: url(&buildboard)?,
            linkgate_url: url(&linkgate)?,
            admin: admin.local_addr()?.to_string(),
            calls: calls.local_addr()?.to_string(),
            bitbucket,
            buildboard,
        })
    }
}

async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind((LOOPBACK, port)).await;
    listener.with_context(|| format!("port {port} of {LOOPBACK} cannot be used; choose another with --port"))
}

fn url(listener: &TcpListener) -> anyhow::Result<PublicUrl> {
    PublicUrl::parse(&format!("http://{}", listener.local_addr()?)).map_err(|why| anyhow!(why))
}

const LOOPBACK: &str = "127.0.0.1";

//! The sockets of a server. systemd may have opened them and keep them open during a restart (`LISTEN_FDS`,
//! `sd_listen_fds(3)`): that of `server.listen` first, then those of `server.admin_listen` and `applinks.listen`.
//! Others are bound at the start.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};

use crate::http::Socket;

pub(super) const PUBLIC: usize = 0;
pub(super) const OPERATORS: usize = 1;
pub(super) const LINKS: usize = 2;

/// The TCP socket with this number, or one that is bound to the address; and its address.
pub(super) fn tcp(
    opened: &mut ListenFd,
    number: usize,
    address: SocketAddr,
) -> anyhow::Result<(Socket, SocketAddr)> {
    let failed = || format!("{address} cannot be listened on");
    let Some(listener) = opened.take_tcp_listener(number).with_context(failed)? else {
        let socket = Socket::tcp(address).with_context(failed)?;
        let address = socket.address().unwrap_or(address);
        return Ok((socket, address));
    };
    let opened = listener.local_addr()?;
    if opened != address {
        tracing::warn!(%opened, configured = %address, "systemd has opened another address, which is used");
    }
    listener.set_nonblocking(true)?;
    Ok((Socket::Tcp(TcpListener::from_std(listener)?), opened))
}

/// The Unix socket with this number, or one that is bound to the path.
pub(super) fn unix(opened: &mut ListenFd, number: usize, path: &Path) -> anyhow::Result<Socket> {
    let failed = || format!("{} cannot be listened on", path.display());
    let Some(listener) = opened.take_unix_listener(number).with_context(failed)? else {
        return Socket::unix(path).with_context(failed);
    };
    listener.set_nonblocking(true)?;
    Ok(Socket::Unix(UnixListener::from_std(listener)?, None))
}

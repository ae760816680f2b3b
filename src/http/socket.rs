//! Bound sockets: where a listener accepts connections.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpSocket, UnixListener};

/// A bound socket.
#[derive(Debug)]
pub enum Socket {
    /// A TCP port.
    Tcp(TcpListener),
    /// A Unix socket, and its path if it is removed when the listener stops.
    Unix(UnixListener, Option<PathBuf>),
}

impl Socket {
    /// Binds a TCP port.
    ///
    /// # Errors
    ///
    /// The operating system's, such as an address that is in use.
    pub fn tcp(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // A restart does not wait for connections of the previous process that are in TIME_WAIT.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self::Tcp(socket.listen(BACKLOG)?))
    }

    /// Binds a Unix socket for owner and group. One that a previous process left behind is replaced, unless another listens there.
    ///
    /// # Errors
    ///
    /// The operating system's, also if another process listens there.
    pub fn unix(path: &Path) -> io::Result<Self> {
        let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
        if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Self::Unix(listener, Some(path.to_owned())))
    }

    /// The address of a TCP port; `None` for a Unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    /// Waits for a connection. It is not registered with a runtime yet, so that another thread can take it.
    pub(super) async fn accept(&self) -> io::Result<(Accepted, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Accepted::Tcp(stream.into_std()?), Some(peer)))
            }
            Self::Unix(listener, _) => Ok((Accepted::Unix(listener.accept().await?.0.into_std()?), None)),
        }
    }
}

/// A connection that no runtime has yet.
pub(super) enum Accepted {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// Connections that wait to be accepted; the operating system has a limit of its own. Beyond it, clients retry after one
/// to three seconds.
const BACKLOG: u32 = 4096;

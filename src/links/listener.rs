//! The internal listener, where the application calls remote applications through linkgate.
//!
//! Only this machine can reach it. A bearer token is required besides, because other programs run here too, and any web
//! page can make a browser send requests to a loopback address.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

use crate::oauth::Secret;

use super::Links;
use super::error::LinkError;

/// A socket that only this machine can reach.
#[derive(Debug)]
pub enum Socket {
    /// A loopback address.
    Tcp(TcpListener),
    /// A Unix socket and its path.
    Unix(UnixListener, PathBuf),
}

impl Socket {
    /// Binds a loopback address.
    pub async fn tcp(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::Tcp(TcpListener::bind(address).await?))
    }

    /// Binds a Unix socket for owner and group. Replaces a socket to which no process listens any more, and no other file.
    pub fn unix(path: &Path) -> io::Result<Self> {
        let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
        if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Self::Unix(listener, path.to_owned()))
    }

    /// The bound address; `None` for a Unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }
}

/// What every request needs.
#[derive(Debug)]
struct ListenerState {
    links: Arc<Links>,
    token: Secret,
}

/// Serves the application's calls until `stop` is cancelled, and then those in progress for `drain` at the most.
/// Returns false if a call was cut off.
pub async fn serve(
    socket: Socket,
    links: Arc<Links>,
    token: Secret,
    stop: CancellationToken,
    drain: Duration,
) -> bool {
    let state = Arc::new(ListenerState { links, token });
    let router = Router::new().fallback(call).with_state(state);
    let stopped = stop.clone().cancelled_owned();
    let serving = async {
        match socket {
            Socket::Tcp(listener) => {
                axum::serve(listener, router)
                    .with_graceful_shutdown(stopped)
                    .await
            }
            Socket::Unix(listener, path) => {
                let served = axum::serve(listener, router)
                    .with_graceful_shutdown(stopped)
                    .await;
                let _ = std::fs::remove_file(path);
                served
            }
        }
    };
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        served = serving => served.is_ok(),
        () = drained => false,
    }
}

/// Makes a call: `/{link}`, followed by the path and query below the link's URL.
async fn call(
    State(state): State<Arc<ListenerState>>,
    request: Request<Body>,
) -> Result<Response, LinkError> {
    if !has_bearer_token(&state.token, request.headers()) {
        return Err(LinkError::WrongToken);
    }
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    let target = target.strip_prefix('/').unwrap_or_default();
    let end = target.find(['/', '?']).unwrap_or(target.len());
    let (name, below) = target.split_at(end);
    let link = state.links.get(name).ok_or(LinkError::UnknownLink)?;
    let root = if below.starts_with('/') { "" } else { "/" };
    let below = format!("{root}{below}");
    state.links.call(link, &below, request).await
}

/// Returns true if the request carries the token, once, in the scheme `Bearer` (RFC 6750, section 2.1).
fn has_bearer_token(token: &Secret, headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return false;
    };
    let credentials = field.to_str().ok().and_then(|field| field.split_once(' '));
    // `Secret` compares in constant time.
    credentials.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case("Bearer") && Secret::new(given.trim()) == *token
    })
}

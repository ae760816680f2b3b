//! The private listener: where the application calls others through us.
//!
//! It is reached from this machine alone, and whoever calls shows a token besides: other programs run here too, and so
//! do browsers, which any page can send to a loopback address.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
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

    /// Binds a Unix socket for owner and group. One that a former process left behind is replaced.
    pub fn unix(path: &Path) -> io::Result<Self> {
        let left_behind = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
        if left_behind && std::os::unix::net::UnixStream::connect(path).is_err() {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Self::Unix(listener, path.to_owned()))
    }

    /// The loopback address, when it is one.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }
}

/// Serves the application's calls. Returns when `stop` was cancelled and every call is answered, or when `drain` is over;
/// `false`: something was cut off.
pub async fn serve(
    socket: Socket,
    links: Arc<Links>,
    token: Secret,
    stop: CancellationToken,
    drain: Duration,
) -> bool {
    let door = ListenerState { links, token };
    let router = Router::new().fallback(call).with_state(Arc::new(door));
    let until = stop.clone().cancelled_owned();
    let serving = async move {
        match socket {
            Socket::Tcp(listener) => axum::serve(listener, router).with_graceful_shutdown(until).await,
            Socket::Unix(listener, path) => {
                let served = axum::serve(listener, router).with_graceful_shutdown(until).await;
                // Nobody listens there any more.
                let _ = std::fs::remove_file(path);
                served
            }
        }
    };
    let too_late = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        served = serving => served.is_ok(),
        () = too_late => false,
    }
}

#[derive(Debug)]
struct ListenerState {
    links: Arc<Links>,
    token: Secret,
}

/// A call: `/{link}` and the raw path and query below it.
async fn call(State(door): State<Arc<ListenerState>>, request: Request<Body>) -> Response {
    match door.authenticate(request).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.into_response(),
    }
}

impl ListenerState {
    async fn authenticate(&self, request: Request<Body>) -> Result<Response, LinkError> {
        if !has_bearer_token(&self.token, request.headers()) {
            return Err(LinkError::WrongToken);
        }
        let whole = request
            .uri()
            .path_and_query()
            .map_or("", |target| target.as_str());
        let below = whole.strip_prefix('/').unwrap_or_default();
        let end = below.find(['/', '?']).unwrap_or(below.len());
        let (name, target) = below.split_at(end);
        let peer = self.links.get(name).ok_or(LinkError::UnknownLink)?;
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        self.links.call(peer, &target, request).await
    }
}

/// Whether a request shows the token: once, in the scheme `Bearer` (RFC 6750, section 2.1). Compared in constant time.
fn has_bearer_token(token: &Secret, headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return false;
    };
    let shown = field.to_str().ok().and_then(|field| field.split_once(' '));
    shown.is_some_and(|(scheme, shown)| {
        scheme.eq_ignore_ascii_case("Bearer") && Secret::new(shown.trim()) == *token
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_token_is_shown_once_and_whole() {
        let token = Secret::new("correct-horse-battery");
        let shown = |fields: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(AUTHORIZATION, HeaderValue::from_static(field));
            }
            has_bearer_token(&token, &headers)
        };
        assert!(shown(&["Bearer correct-horse-battery"]) && shown(&["bearer  correct-horse-battery"]));
        for wrong in [
            &[][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer correct-horse-batter"],
            &["Basic correct-horse-battery"],
            &["correct-horse-battery"],
            &["Bearer correct-horse-battery", "Bearer correct-horse-battery"],
        ] {
            assert!(!shown(wrong), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_replaced_and_no_other_file() {
        let folder = std::env::temp_dir().join(format!("linkgate-socket-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("s");
        drop(Socket::unix(&path).unwrap());
        let alive = Socket::unix(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        assert!(Socket::unix(&path).is_err(), "somebody listens there");
        drop(alive);
        let file = folder.join("f");
        std::fs::write(&file, "x").unwrap();
        assert!(Socket::unix(&file).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "x");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

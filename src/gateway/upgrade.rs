//! Web sockets: a connection that stops being HTTP.

use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;

use super::connection::Connection;

/// A client that asks for a web socket (RFC 6455, section 4.1).
///
/// No other protocol is tunnelled. `h2c` above all: it would carry further requests past the guard.
#[derive(Debug)]
pub(super) struct Upgrade(OnUpgrade);

impl Upgrade {
    /// Takes the upgrade out of a request that asks for one.
    pub(super) fn asked(request: &mut Parts) -> Option<Self> {
        let asked = request.method == Method::GET
            && request.version == Version::HTTP_11
            && names(&request.headers, &CONNECTION, "upgrade")
            && is_websocket(&request.headers);
        let client = request.extensions.remove::<OnUpgrade>();
        client.filter(|_| asked).map(Self)
    }

    /// Joins the two connections until either side is done.
    pub(super) fn join(self, application: Connection) {
        tokio::spawn(async move {
            let mut client = match self.0.await {
                Ok(client) => TokioIo::new(client),
                Err(error) => return tracing::debug!(%error, "a web socket did not come about"),
            };
            let (mut application, said) = application.into_stream();
            let joined = async {
                client.write_all(&said).await?;
                tokio::io::copy_bidirectional(&mut client, &mut application).await
            };
            if let Err(error) = joined.await {
                tracing::debug!(%error, "a web socket broke off");
            }
        });
    }
}

/// Whether a message changes to WebSocket, and to nothing else.
pub(super) fn is_websocket(headers: &HeaderMap) -> bool {
    let mut protocols = headers.get_all(UPGRADE).iter();
    let websocket = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket");
    protocols.next().is_some_and(websocket) && protocols.next().is_none()
}

/// Writes the two headers that change the protocol.
pub(super) fn write(mut write: impl FnMut(HeaderName, HeaderValue)) {
    write(CONNECTION, HeaderValue::from_static("Upgrade"));
    write(UPGRADE, HeaderValue::from_static("websocket"));
}

fn names(headers: &HeaderMap, field: &HeaderName, token: &str) -> bool {
    let values = headers
        .get_all(field)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|t| t.trim().eq_ignore_ascii_case(token))
}

//! WebSocket (RFC 6455), the only protocol that linkgate switches to.
//!
//! `h2c` above all is not: it would carry further requests past the signature check.

use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::http::negotiate::{at_most_one, list_values};

/// Takes the client's connection out of a request that asks for a WebSocket (RFC 6455, section 4.1).
pub(super) fn requested(request: &mut Parts) -> Option<OnUpgrade> {
    let mut options = list_values(&request.headers, &CONNECTION);
    let is_requested = request.method == Method::GET
        && request.version == Version::HTTP_11
        && options.any(|option| option.eq_ignore_ascii_case("upgrade"))
        && is_websocket(&request.headers);
    request.extensions.remove::<OnUpgrade>().filter(|_| is_requested)
}

/// Whether a message switches to WebSocket, and to nothing else.
pub(super) fn is_websocket(headers: &HeaderMap) -> bool {
    let is_websocket = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket");
    at_most_one(headers, UPGRADE).is_ok_and(|protocol| protocol.is_some_and(is_websocket))
}

/// Writes the two fields that switch the protocol.
pub(super) fn write(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Copies bytes in both directions once both sides have switched, until either closes.
pub(super) fn join<B>(client: OnUpgrade, response: &mut Response<B>) {
    let application = hyper::upgrade::on(response);
    tokio::spawn(async move {
        let joined = async {
            let (client, application) = tokio::try_join!(client, application)?;
            let (mut client, mut application) = (TokioIo::new(client), TokioIo::new(application));
            tokio::io::copy_bidirectional(&mut client, &mut application).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        };
        if let Err(error) = joined.await {
            tracing::debug!(error, "a WebSocket ended early");
        }
    });
}

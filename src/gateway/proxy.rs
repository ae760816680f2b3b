//! The reverse proxy: the same method, path and query byte for byte, bodies as streams.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, EXPECT, EXPIRES, PRAGMA};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body as _;

use super::assertion::{Assertion, X_LINKGATE_ASSERTION};
use super::body_limits::with_length;
use super::error::{ErrorFormat, GatewayError};
use super::identity_headers::IdentityHeaders;
use super::signature_check::CheckedRequest;
use super::upstream::UpstreamConfig;
use super::upstream_request::{remove_hop_by_hop, rewrite};
use super::websocket;
use crate::http::client::HttpClient;
use crate::tls::RootsError;

/// Sends requests to the application.
#[derive(Debug)]
pub struct Proxy {
    /// The URL of the application, for the log.
    upstream: String,
    client: HttpClient,
    response_timeout: Duration,
    identity: Arc<IdentityHeaders>,
    assertion: Option<Arc<Assertion>>,
}

impl Proxy {
    /// A proxy; nothing is connected yet. `assertion` signs who calls; `None`: no assertion is written.
    pub fn new(
        config: &UpstreamConfig,
        identity: Arc<IdentityHeaders>,
        assertion: Option<Arc<Assertion>>,
    ) -> Result<Self, RootsError> {
        Ok(Self {
            upstream: config.url.as_str().to_owned(),
            client: config.client()?,
            response_timeout: config.response_timeout,
            identity,
            assertion,
        })
    }

    /// Forwards a request that passed the signature check. The caller is in the extensions of the response.
    pub(super) async fn forward(&self, request: CheckedRequest) -> Response<Body> {
        let (format, caller) = (ErrorFormat::of(&request.head), request.caller.clone());
        let sent = self.send(request).await;
        let mut response = sent.unwrap_or_else(|error| {
            let span = tracing::error_span!("proxy", upstream = self.upstream);
            let mut response = span.in_scope(|| error.to_response(format));
            if let Some(page) = error.administrator_page(format, &self.upstream) {
                response.extensions_mut().insert(page);
            }
            response
        });
        if let Some(caller) = caller {
            let headers = response.headers_mut();
            // It is for the caller alone, and a shared cache may see neither signature nor user (RFC 9111, section 3.5).
            let mut fields = [CACHE_CONTROL, EXPIRES, PRAGMA].into_iter();
            if !fields.any(|name| headers.contains_key(name)) {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
            }
            response.extensions_mut().insert(caller);
        }
        response
    }

    async fn send(&self, request: CheckedRequest) -> Result<Response<Body>, GatewayError> {
        let (mut head, body, caller) = (request.head, request.body, request.caller);
        let upgrade = websocket::requested(&mut head);
        let had_length = head.headers.contains_key(CONTENT_LENGTH);
        let is_continue = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
        let expects_continue = !body.is_end_stream()
            && head.version > Version::HTTP_10
            && head.headers.get(EXPECT).is_some_and(is_continue);
        rewrite(&mut head, &request.origin, &self.identity, caller.is_some())?;
        if let Some(caller) = &caller {
            self.identity.write(caller, &mut head.headers);
            if let Some(assertion) = &self.assertion {
                let jwt = assertion.sign(caller, &head.method, head.uri.path())?;
                head.headers.insert(X_LINKGATE_ASSERTION, jwt);
            }
        }
        if upgrade.is_some() {
            websocket::write(&mut head.headers);
        }
        if had_length && body.is_end_stream() {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        if expects_continue {
            // The application decides from the head (RFC 9110, section 10.1.1).
            head.headers
                .insert(EXPECT, HeaderValue::from_static("100-continue"));
        }
        let body = if expects_continue {
            body
        } else {
            with_length(body).await?
        };
        let request = Request::from_parts(head, body);
        let mut response = self.client.send(request, self.response_timeout).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            remove_hop_by_hop(response.headers_mut());
            return Ok(response);
        }
        let client = upgrade.filter(|_| websocket::is_websocket(response.headers()));
        websocket::join(client.ok_or(GatewayError::UnexpectedUpgrade)?, &mut response);
        remove_hop_by_hop(response.headers_mut());
        websocket::write(response.headers_mut());
        Ok(response)
    }
}

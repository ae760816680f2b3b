//! The access log: one line for each request, with method, path, status and caller. No query, no header, no secret.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::{Method, Uri};

use super::recent_rejections::{RecentRejections, RejectedRequest};
use crate::gateway::{AskedAbout, RequestOrigin};
use crate::http::RequestId;
use crate::provider::{Caller, Refusal};
use crate::telemetry::{count_refusal, count_request};

/// A request of which the access log has a line, whatever becomes of it: with the response's status, or with 499 if the
/// client goes away before the response.
pub(super) struct LoggedRequest<'a> {
    method: Method,
    uri: Uri,
    peer: IpAddr,
    id: RequestId,
    began: Instant,
    rejections: &'a RecentRejections,
    is_complete: bool,
}

impl<'a> LoggedRequest<'a> {
    /// Takes from a request what its line needs; the handler will consume it.
    pub(super) fn new(request: &Request, rejections: &'a RecentRejections) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            peer: peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| {
                peer.0.ip().to_canonical()
            }),
            id: RequestId::of(request.extensions()),
            began: Instant::now(),
            rejections,
            is_complete: false,
        }
    }

    /// Counts the request, keeps a rejection for the administrators, and writes the line.
    pub(super) fn complete(mut self, response: &Response) {
        self.is_complete = true;
        count_request(response.status().as_u16());
        let refusal = response.extensions().get::<Refusal>();
        if let Some(refusal) = refusal {
            count_refusal(refusal.problem.name());
            self.rejections.add(self.rejection(refusal, response));
        }
        let caller = response.extensions().get::<Caller>();
        let consumer = caller.map(|caller| &caller.consumer.key);
        let consumer = consumer.or_else(|| refusal.and_then(|refusal| refusal.consumer.as_ref()));
        let user = caller.and_then(|caller| caller.user.as_ref());
        tracing::info!(
            target: TARGET,
            method = self.method.as_str(),
            path = self.path(),
            status = response.status().as_u16(),
            took_ms = self.took_ms(),
            peer = %self.peer,
            asked = response.extensions().get::<AskedAbout>().map(tracing::field::display),
            consumer.key = consumer.map(tracing::field::debug),
            user.subject = user.map(|user| tracing::field::debug(&user.subject)),
            problem = refusal.map(|refusal| refusal.problem.name()),
            advice = refusal.map(|refusal| refusal.problem.advice()),
            reference = %self.id,
            "request",
        );
    }

    /// A rejection as administrators see it: of the request that a front proxy asks about, not of the proxy's own.
    fn rejection(&self, refusal: &Refusal, response: &Response) -> RejectedRequest {
        let about = response.extensions().get::<AskedAbout>();
        let request = about.map_or_else(
            || format!("{} {}", self.method, self.uri.path()),
            ToString::to_string,
        );
        let origin = response.extensions().get::<RequestOrigin>();
        let client = origin.and_then(|origin| origin.client).unwrap_or(self.peer);
        RejectedRequest::new(refusal, self.id.to_string(), &request, client)
    }

    /// The path, or its beginning: a path may have 64 KiB.
    fn path(&self) -> &str {
        let path = self.uri.path();
        &path[..path.floor_char_boundary(MAX_PATH)]
    }

    fn took_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for LoggedRequest<'_> {
    /// The client has gone, or a stop has taken too long: the connection dropped the handler.
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        count_request(499);
        tracing::info!(
            target: TARGET,
            method = self.method.as_str(),
            path = self.path(),
            status = 499,
            took_ms = self.took_ms(),
            peer = %self.peer,
            reference = %self.id,
            "request: the connection closed before the response",
        );
    }
}

/// Bytes of a path in the log.
const MAX_PATH: usize = 1024;

/// The name by which a filter finds these lines.
const TARGET: &str = "linkgate::request";

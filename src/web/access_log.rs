//! The access log: one line for each request, with method, path, status and caller. No query, no header, no secret.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::{Extensions, Method, Uri};

use super::recent_rejections::RecentRejections;
use crate::gateway::{AskedAbout, RequestOrigin};
use crate::http::RequestId;
use crate::oauth::Problem;
use crate::provider::{Caller, Refusal};
use crate::telemetry::{count_refusal, count_request};

/// A request of which the access log has a line in any case: with the response's status, or with 499 if the
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
        self.write(response.status().as_u16(), response.extensions(), "request");
        let extensions = response.extensions();
        if let Some(refusal) = extensions.get::<Refusal>() {
            count_refusal(refusal.problem.name());
            // Of a front proxy's question, the request that it is about.
            let about = extensions.get::<AskedAbout>().map(ToString::to_string);
            let about = about.unwrap_or_else(|| format!("{} {}", self.method, self.uri.path()));
            let origin = extensions.get::<RequestOrigin>();
            let client = origin.and_then(|origin| origin.client).unwrap_or(self.peer);
            self.rejections.add(refusal, self.id, &about, client);
        }
    }

    fn write(&self, status: u16, extensions: &Extensions, message: &str) {
        count_request(status);
        let (refusal, caller) = (extensions.get::<Refusal>(), extensions.get::<Caller>());
        let consumer = caller.map(|caller| &caller.consumer.key);
        let consumer = consumer.or_else(|| refusal.and_then(|refusal| refusal.consumer.as_ref()));
        let user = caller.and_then(|caller| caller.user.as_ref());
        tracing::info!(
            target: TARGET,
            method = self.method.as_str(),
            path = self.path(),
            status,
            took_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            peer = %self.peer,
            asked = extensions.get::<AskedAbout>().map(tracing::field::display),
            consumer.key = consumer.map(tracing::field::debug),
            user.subject = user.map(|user| tracing::field::debug(&user.subject)),
            signature_method = refusal.and_then(|refusal| method_used(&refusal.problem)),
            problem = refusal.map(|refusal| refusal.problem.name()),
            advice = refusal.map(|refusal| refusal.problem.advice()),
            reference = %self.id,
            "{message}",
        );
    }

    /// The path, or its beginning: a path may have 64 KiB.
    fn path(&self) -> &str {
        let path = self.uri.path();
        &path[..path.floor_char_boundary(MAX_PATH)]
    }
}

/// The signature method that was rejected.
fn method_used(problem: &Problem) -> Option<tracing::field::DebugValue<&String>> {
    match problem {
        Problem::SignatureMethodRejected { used, .. } => Some(tracing::field::debug(used)),
        _ => None,
    }
}

impl Drop for LoggedRequest<'_> {
    /// The client has gone, or a stop has taken too long: the connection dropped the handler.
    fn drop(&mut self) {
        if !self.is_complete {
            let message = "request: the connection closed before the response";
            self.write(499, &Extensions::new(), message);
        }
    }
}

/// Bytes of a path in the log.
const MAX_PATH: usize = 1024;

/// The name by which a filter finds these lines.
const TARGET: &str = "linkgate::request";

//! One line for each request: what was asked, what was answered, and who asked. No query, no header, no secret.

use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use tracing::Level;

use crate::provider::{Caller, Refusal};

/// Passes a request on and logs its answer.
pub(super) async fn log(request: Request, next: Next) -> Response {
    if !tracing::enabled!(target: TARGET, Level::INFO) {
        return next.run(request).await;
    }
    let began = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let response = next.run(request).await;
    line(&method, &path, peer, began, &response);
    response
}

fn line(method: &Method, path: &str, peer: Option<std::net::IpAddr>, began: Instant, response: &Response) {
    let caller = response.extensions().get::<Caller>();
    let refusal = response.extensions().get::<Refusal>();
    let consumer = caller
        .map(|caller| &caller.consumer.key)
        .or_else(|| refusal.and_then(|refusal| refusal.consumer.as_ref()));
    let user = caller.and_then(|caller| caller.user.as_ref());
    tracing::info!(
        target: TARGET,
        method = method.as_str(),
        path,
        status = response.status().as_u16(),
        took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        peer = peer.map(tracing::field::display),
        consumer.key = consumer.map(tracing::field::debug),
        user.subject = user.map(|user| tracing::field::debug(&user.subject)),
        problem = refusal.map(|refusal| refusal.problem.name()),
        advice = refusal.map(|refusal| refusal.problem.advice()),
        "request",
    );
}

/// The name by which a filter finds these lines.
const TARGET: &str = "linkgate::request";

//! One line for each request: what was asked, what was answered, and who asked. No query, no header, no secret.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use metrics::counter;
use tracing::Level;

use crate::gateway::Asked;
use crate::provider::{Caller, Refusal};
use crate::telemetry::{REFUSALS, REQUESTS};

/// Passes a request on, counts its answer and logs it.
pub(super) async fn log(request: Request, next: Next) -> Response {
    if !tracing::enabled!(target: TARGET, Level::INFO) {
        let response = next.run(request).await;
        count(&response);
        return response;
    }
    let began = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip());
    let response = next.run(request).await;
    count(&response);
    line(&method, &path, peer, began, &response);
    response
}

fn count(response: &Response) {
    let status = response.status();
    counter!(REQUESTS, "status" => status.as_str().to_owned()).increment(1);
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        counter!(REFUSALS, "problem" => refusal.problem.name()).increment(1);
    }
}

fn line(method: &Method, path: &str, peer: Option<IpAddr>, began: Instant, response: &Response) {
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
        asked = response.extensions().get::<Asked>().map(Asked::as_str),
        consumer.key = consumer.map(tracing::field::debug),
        user.subject = user.map(|user| tracing::field::debug(&user.subject)),
        problem = refusal.map(|refusal| refusal.problem.name()),
        advice = refusal.map(|refusal| refusal.problem.advice()),
        "request",
    );
}

/// The name by which a filter finds these lines.
const TARGET: &str = "linkgate::request";

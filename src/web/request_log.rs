//! One line for each request: what was asked, what was answered, and who asked. No query, no header, no secret.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Instant;

use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use metrics::{Counter, counter};
use tracing::Level;

use crate::gateway;
use crate::provider::{Caller, Refusal};
use crate::telemetry::{REFUSALS, REQUESTS};

/// What a request's line needs of the request, which is gone when the answer is there.
pub(super) struct Asked {
    method: Method,
    path: String,
    peer: SocketAddr,
    began: Instant,
}

/// Notes what is asked; `None` when nobody reads the log.
pub(super) fn asked(request: &Request<Body>, peer: SocketAddr) -> Option<Asked> {
    tracing::enabled!(target: TARGET, Level::INFO).then(|| Asked {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        peer,
        began: Instant::now(),
    })
}

/// Counts an answer and writes the line.
pub(super) fn answered(asked: Option<Asked>, response: &Response<Body>) {
    count(response);
    if let Some(asked) = asked {
        line(&asked, response);
    }
}

fn count(response: &Response<Body>) {
    requests(response.status()).increment(1);
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        counter!(REFUSALS, "problem" => refusal.problem.name()).increment(1);
    }
}

/// The counter of a status, looked up once: every request needs one.
fn requests(status: StatusCode) -> Counter {
    static COUNTERS: [OnceLock<Counter>; 500] = [const { OnceLock::new() }; 500];
    let counter = || counter!(REQUESTS, "status" => status.as_str().to_owned());
    match COUNTERS.get(usize::from(status.as_u16()).wrapping_sub(100)) {
        Some(kept) => kept.get_or_init(counter).clone(),
        None => counter(),
    }
}

fn line(asked: &Asked, response: &Response<Body>) {
    let caller = response.extensions().get::<Caller>();
    let refusal = response.extensions().get::<Refusal>();
    let consumer = caller
        .map(|caller| &caller.consumer.key)
        .or_else(|| refusal.and_then(|refusal| refusal.consumer.as_ref()));
    let user = caller.and_then(|caller| caller.user.as_ref());
    tracing::info!(
        target: TARGET,
        method = asked.method.as_str(),
        path = asked.path,
        status = response.status().as_u16(),
        took_ms = u64::try_from(asked.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        peer = %asked.peer.ip(),
        asked = response.extensions().get::<gateway::Asked>().map(gateway::Asked::as_str),
        consumer.key = consumer.map(tracing::field::debug),
        user.subject = user.map(|user| tracing::field::debug(&user.subject)),
        problem = refusal.map(|refusal| refusal.problem.name()),
        advice = refusal.map(|refusal| refusal.problem.advice()),
        "request",
    );
}

/// The name by which a filter finds these lines.
const TARGET: &str = "linkgate::request";

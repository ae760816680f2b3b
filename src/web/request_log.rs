//! One line for each request: what was asked, what was answered, and who asked. No query, no header, no secret.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Instant;

use axum::body::Body;
use http::{Method, Request, Response, StatusCode, Uri};
use metrics::{Counter, counter};
use tracing::Level;

use crate::gateway::{self, RequestOrigin};
use crate::provider::{Caller, Refusal};
use crate::telemetry::{REFUSALS, REQUESTS};

use super::reference::new_reference;
use super::refusals::{Refusals, Refused};

/// What a request's line needs of the request, which is gone when the answer is there.
pub(super) struct Asked {
    method: Method,
    uri: Uri,
    peer: SocketAddr,
    /// `None`: nothing is logged.
    began: Option<Instant>,
}

/// Notes what is asked. Nothing is copied: who logs, or remembers a refusal, takes the words out later.
pub(super) fn asked(request: &Request<Body>, peer: SocketAddr) -> Asked {
    Asked {
        method: request.method().clone(),
        uri: request.uri().clone(),
        peer,
        began: tracing::enabled!(target: TARGET, Level::INFO).then(Instant::now),
    }
}

/// Counts an answer, remembers it if it is a refusal, and writes the line. Who called is told here by the gateway, for whose
/// answers an extension takes too long, or stands in the extensions.
pub(super) fn answered(
    asked: &Asked,
    response: &Response<Body>,
    caller: Option<&Caller>,
    refusals: &Refusals,
) {
    count(response);
    let refusal = response.extensions().get::<Refusal>();
    let reference = refusal.map(|refusal| {
        let reference = new_reference();
        refusals.add(asked.refused(refusal, response, &reference));
        reference
    });
    if let Some(began) = asked.began {
        let caller = caller.or_else(|| response.extensions().get());
        line(asked, began, response, caller, reference.as_deref());
    }
}

impl Asked {
    /// A refusal as administrators see it. A front proxy asks about another request than its own.
    fn refused(&self, refusal: &Refusal, response: &Response<Body>, reference: &str) -> Refused {
        let about = response.extensions().get::<gateway::AskedAbout>();
        let request = about.map_or_else(
            || format!("{} {}", self.method, self.uri.path()),
            ToString::to_string,
        );
        let arrival = response.extensions().get::<RequestOrigin>();
        let client = arrival.and_then(|arrival| arrival.client);
        let client = client.unwrap_or_else(|| self.peer.ip());
        Refused::new(refusal, reference.to_owned(), &request, client)
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

fn line(
    asked: &Asked,
    began: Instant,
    response: &Response<Body>,
    caller: Option<&Caller>,
    reference: Option<&str>,
) {
    let refusal = response.extensions().get::<Refusal>();
    let consumer = caller
        .map(|caller| &caller.consumer.key)
        .or_else(|| refusal.and_then(|refusal| refusal.consumer.as_ref()));
    let user = caller.and_then(|caller| caller.user.as_ref());
    tracing::info!(
        target: TARGET,
        method = asked.method.as_str(),
        path = asked.uri.path(),
        status = response.status().as_u16(),
        took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        peer = %asked.peer.ip(),
        asked = response.extensions().get::<gateway::AskedAbout>().map(tracing::field::display),
        consumer.key = consumer.map(tracing::field::debug),
        user.subject = user.map(|user| tracing::field::debug(&user.subject)),
        problem = refusal.map(|refusal| refusal.problem.name()),
        advice = refusal.map(|refusal| refusal.problem.advice()),
        reference,
        "request",
    );
}

/// The name by which a filter finds these lines.
const TARGET: &str = "linkgate::request";

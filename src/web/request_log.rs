//! One line for each request: what was asked, what was answered, and who asked. No query, no header, no secret.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, Uri};
use metrics::counter;
use tracing::Level;

use crate::gateway::Arrival;
use crate::provider::{Caller, Refusal};
use crate::telemetry::{REFUSALS, REQUESTS};

use super::reference::new_reference;
use super::refusals::Refused;
use super::{App, Shared};

/// Passes a request on, counts its answer, logs it, and remembers it when it was refused.
pub(super) async fn log(State(app): Shared, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let asked = Asked {
        method: request.method().clone(),
        uri: request.uri().clone(),
        peer: request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map(|peer| peer.0.ip()),
    };
    let response = next.run(request).await;
    count(&response);
    let reference = response.extensions().get::<Refusal>().map(|refusal| {
        let reference = new_reference();
        app.refusals
            .add(asked.refused(refusal, &response, &app, &reference));
        reference
    });
    if tracing::enabled!(target: TARGET, Level::INFO) {
        asked.line(began, &response, reference.as_deref());
    }
    response
}

/// What is kept of a request while it is answered.
struct Asked {
    method: Method,
    uri: Uri,
    peer: Option<IpAddr>,
}

fn count(response: &Response) {
    let status = response.status();
    counter!(REQUESTS, "status" => status.as_str().to_owned()).increment(1);
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        counter!(REFUSALS, "problem" => refusal.problem.name()).increment(1);
    }
}

impl Asked {
    fn refused(&self, refusal: &Refusal, response: &Response, app: &App, reference: &str) -> Refused {
        let arrival = response.extensions().get::<Arrival>();
        let client = arrival.and_then(|arrival| arrival.client).or(self.peer);
        let (method, path) = (self.method.as_str(), self.uri.path());
        Refused {
            client,
            ..Refused::new(refusal, app.clock.now(), reference.to_owned(), method, path)
        }
    }

    fn line(&self, began: Instant, response: &Response, reference: Option<&str>) {
        let caller = response.extensions().get::<Caller>();
        let refusal = response.extensions().get::<Refusal>();
        let consumer = caller
            .map(|caller| &caller.consumer.key)
            .or_else(|| refusal.and_then(|refusal| refusal.consumer.as_ref()));
        let user = caller.and_then(|caller| caller.user.as_ref());
        tracing::info!(
            target: TARGET,
            method = self.method.as_str(),
            path = self.uri.path(),
            status = response.status().as_u16(),
            took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            peer = self.peer.map(tracing::field::display),
            consumer.key = consumer.map(tracing::field::debug),
            user.subject = user.map(|user| tracing::field::debug(&user.subject)),
            problem = refusal.map(|refusal| refusal.problem.name()),
            advice = refusal.map(|refusal| refusal.problem.advice()),
            reference,
            "request",
        );
    }
}

/// The name by which a filter finds these lines.
const TARGET: &str = "linkgate::request";

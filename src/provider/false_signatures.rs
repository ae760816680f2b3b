//! What a signature costs that does not match: an explanation, within a budget.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ipnet::IpNet;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::{Provider, ProviderError};
use crate::blocking::DIAGNOSES;
use crate::model::{Consumer, UNKNOWN_TOKEN};
use crate::network::network;
use crate::oauth::diagnose::{OTHER_BODY, diagnose, is_small};
use crate::oauth::{ConsumerKey, Problem, RequestView, Secret, Timestamp, Token};

/// Counts the false signatures of each minute by the network of the client and by the consumer. Every request is verified; the
/// budget limits what a false signature costs beyond that: the explanation and the read of a foreign token.
#[derive(Debug)]
pub(super) struct FalseSignatures(Cache<(Option<IpNet>, ConsumerKey, i64), Arc<AtomicU32>>);

impl FalseSignatures {
    pub(super) fn new() -> Self {
        let counts = Cache::builder().max_capacity(MAX_COUNTS);
        let counts = counts.eviction_policy(EvictionPolicy::lru());
        Self(counts.time_to_live(Duration::from_mins(2)).build())
    }

    /// Counts one. Returns whether it is within the budget.
    fn count(&self, client: Option<IpAddr>, consumer: &ConsumerKey, now: Timestamp) -> bool {
        let key = (client.map(network), consumer.clone(), now.minute());
        let before = self.0.get_with(key, Arc::default).fetch_add(1, Ordering::Relaxed);
        if before == BUDGET {
            let client = client.map(tracing::field::display);
            tracing::warn!(
                client,
                consumer.key = ?consumer,
                "more than {BUDGET} false signatures in a minute: further ones are answered 503 without an explanation"
            );
        }
        before < BUDGET
    }
}

impl Provider {
    /// The error for a request whose signature did not match. `secret` is that of its token, if a key of this process made it.
    pub(super) async fn explain(
        &self,
        problem: Problem,
        view: &RequestView<'_>,
        consumer: &Arc<Consumer>,
        (token, secret): (Option<&Token>, Option<&Secret>),
        client: Option<IpAddr>,
    ) -> ProviderError {
        if !matches!(problem, Problem::SignatureInvalid(_)) {
            return problem.into();
        }
        let now = self.clock.now();
        if !self.false_signatures.count(client, &consumer.key, now) {
            return Problem::ConsumerKeyRefused(TOO_MANY).into();
        }
        let (owner, used) = (Arc::clone(consumer), secret.cloned());
        let diagnose = move |view: &RequestView<'_>| diagnose(view, &owner.keys, used.as_ref());
        let found = if is_small(view) {
            DIAGNOSES.run(on_copy(view, diagnose)).await.unwrap_or_default()
        } else {
            None
        };
        let other_body = view.has_other_body.then_some(OTHER_BODY);
        if let Some(advice) = found.or(other_body) {
            return Problem::SignatureInvalid(advice).into();
        }
        let (Some(token), None) = (token, secret) else {
            return problem.into();
        };
        // The consumer's secret can never match.
        match self.cache.check_foreign_token(token.as_str()).await {
            Ok(()) => Problem::TokenRejected(UNKNOWN_TOKEN).into(),
            Err(error) => error.into(),
        }
    }
}

/// Work on a copy of a request, for another thread.
fn on_copy<T, W: FnOnce(&RequestView<'_>) -> T>(
    view: &RequestView<'_>,
    work: W,
) -> impl FnOnce() -> T + use<T, W> {
    let (method, url, path) = (view.method.to_owned(), view.url.clone(), view.path.to_owned());
    let (query, form) = (view.query.map(str::to_owned), view.form.map(<[u8]>::to_vec));
    let authorization: Vec<_> = view.authorization.iter().map(|field| field.to_vec()).collect();
    let (secure, has_other_body) = (view.secure, view.has_other_body);
    move || {
        let authorization: Vec<_> = authorization.iter().map(Vec::as_slice).collect();
        work(&RequestView {
            method: &method,
            url: &url,
            secure,
            path: &path,
            query: query.as_deref(),
            authorization: &authorization,
            form: form.as_deref(),
            has_other_body,
        })
    }
}

/// False signatures in a minute that are explained, from one network and for one consumer.
const BUDGET: u32 = 200;
const MAX_COUNTS: u64 = 10_000;
const TOO_MANY: &str = "Too many signatures that do not match came from this address: try again in a minute.";

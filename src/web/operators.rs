//! Health, readiness and metrics, on the operators' own listener.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;

use crate::store::Store;

/// The operators' routes. Readiness asks the database, and not the application: linkgate can say no without it.
pub fn operators(store: Store, metrics: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(move || async move { metrics() }))
        .with_state(store)
}

async fn ready(State(store): State<Store>) -> (StatusCode, &'static str) {
    match store.ping().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "not ready: the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}

//! Health, readiness and metrics, on the operators' own listener.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use tokio::time::timeout;

/// The operators' routes. `is_ready` returns why signed requests cannot pass, if they cannot. Readiness does not depend on the
/// application: without it, linkgate still rejects requests.
pub fn operators<R, F, M>(is_ready: R, metrics: M) -> Router
where
    R: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send,
    M: Fn() -> String + Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route(
            "/readyz",
            get(async move || match timeout(READY_TIMEOUT, is_ready()).await {
                Ok(Ok(())) => (StatusCode::OK, "ready\n".to_owned()),
                Ok(Err(reason)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
                Err(_) => (StatusCode::SERVICE_UNAVAILABLE, SILENT.to_owned()),
            }),
        )
        .route("/metrics", get(async move || metrics()))
}

/// How long the question of readiness may take: a probe asks every few seconds.
const READY_TIMEOUT: Duration = Duration::from_secs(1);

const SILENT: &str = "the store does not answer in time\n";

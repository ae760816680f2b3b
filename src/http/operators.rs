//! Health, readiness and metrics, on the operators' own listener.

use axum::Router;
use axum::routing::get;
use http::StatusCode;

/// The operators' routes. Readiness does not depend on the application: without it, linkgate still refuses requests.
pub fn operators<R, F, M>(is_ready: R, metrics: M) -> Router
where
    R: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = bool> + Send,
    M: Fn() -> String + Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route(
            "/readyz",
            get(async move || {
                if is_ready().await {
                    (StatusCode::OK, "ready\n")
                } else {
                    NOT_READY
                }
            }),
        )
        .route("/metrics", get(async move || metrics()))
}

const NOT_READY: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n");

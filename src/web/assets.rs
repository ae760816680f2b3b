//! Documents of ours. The stylesheet is part of the program and named by its content, so that a browser may keep it for
//! ever.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use sha2::{Digest, Sha256};

use super::Shared;

/// The path of the stylesheet.
pub(super) fn stylesheet() -> String {
    format!("/oauth/assets/{}", *NAME)
}

/// Serves the stylesheet. An older one's name is not found, so that no cache keeps the new one under it.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    if name != *NAME {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLE).into_response()
}

/// Serves the public keys of the identity assertion (RFC 7517), where one is written.
pub(super) async fn jwks(State(app): Shared) -> Response {
    let Some(keys) = app.jwks.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, "application/jwk-set+json"),
        (CACHE_CONTROL, "public, max-age=300"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, keys).into_response()
}

static NAME: LazyLock<String> = LazyLock::new(|| {
    let mut name = "style-".to_owned();
    for byte in &Sha256::digest(STYLE)[..8] {
        write!(name, "{byte:02x}").expect("a string takes any text");
    }
    name + ".css"
});

const STYLE: &str = include_str!("../../templates/style.css");

//! Documents of ours. The stylesheet and the icon are part of the program and named by their content, so that a browser
//! may keep them for ever.

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
    STYLE.path()
}

/// The path of the icon. Without one of ours, every page would ask the application for its `/favicon.ico`.
pub fn icon() -> String {
    ICON.path()
}

/// The path of the script that copies values, which only pages for administrators load.
pub(super) fn copy_script() -> String {
    COPY.path()
}

/// Serves a file. An older one's name is not found, so that no cache keeps the new one under it.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let Some(asset) = [&STYLE, &ICON, &COPY]
        .into_iter()
        .find(|asset| asset.name == name)
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, asset.kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.text).into_response()
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

/// A file that is part of the program.
struct Asset {
    name: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, text: &'static str) -> Self {
        let mut name = format!("{stem}-");
        for byte in &Sha256::digest(text)[..8] {
            write!(name, "{byte:02x}").expect("a string takes any text");
        }
        name.push_str(ending);
        Self { name, kind, text }
    }

    fn path(&self) -> String {
        format!("/oauth/assets/{}", self.name)
    }
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/style.css");
    Asset::new("style", ".css", "text/css; charset=utf-8", text)
});

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/icon.svg");
    Asset::new("icon", ".svg", "image/svg+xml", text)
});

static COPY: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/copy.js");
    Asset::new("copy", ".js", "text/javascript; charset=utf-8", text)
});

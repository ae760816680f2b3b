//! Documents of ours. The files that pages load are named by their content, so that a browser may keep them for ever.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use super::Shared;

/// The path of the icon. Without one of ours, every page would ask the application for its `/favicon.ico`.
pub fn icon() -> String {
    ICON.path()
}

/// The path of the script that copies values, which only pages for administrators load.
pub(super) fn copy_script() -> String {
    COPY.path()
}

/// Serves a file. An older one's name is not found, so that no cache keeps the new one under it.
pub(super) async fn serve(State(app): Shared, Path(name): Path<String>) -> Response {
    let look = app.look.now();
    let mut assets = [&*ICON, &*COPY].into_iter().chain(look.assets());
    match assets.find(|asset| asset.name == name) {
        Some(asset) => asset.response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
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

/// A file that pages load.
#[derive(Debug)]
pub(super) struct Asset {
    name: String,
    kind: &'static str,
    content: Bytes,
    policy: Option<&'static str>,
}

impl Asset {
    pub(super) fn new(stem: &str, ending: &str, kind: &'static str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let mut name = format!("{stem}-");
        for byte in &Sha256::digest(&content)[..8] {
            write!(name, "{byte:02x}").expect("a string takes any text");
        }
        name.push_str(ending);
        Self {
            name,
            kind,
            content,
            policy: None,
        }
    }

    /// Gives it a policy of its own, for browsers that open it by itself.
    pub(super) fn under(self, policy: &'static str) -> Self {
        Self {
            policy: Some(policy),
            ..self
        }
    }

    /// Where it is served.
    pub(super) fn path(&self) -> String {
        format!("/oauth/assets/{}", self.name)
    }

    /// What is served there.
    #[cfg(test)]
    pub(super) fn content(&self) -> &[u8] {
        &self.content
    }

    fn response(&self) -> Response {
        let headers = [
            (CONTENT_TYPE, self.kind),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        let mut response = (headers, self.content.clone()).into_response();
        if let Some(policy) = self.policy {
            let policy = HeaderValue::from_static(policy);
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

/// The policy of a picture that is opened by itself: an SVG is a document, and may be no more than a picture.
pub(super) const IMAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/icon.svg");
    Asset::new("icon", ".svg", "image/svg+xml", text).under(IMAGE_POLICY)
});

static COPY: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/copy.js");
    Asset::new("copy", ".js", "text/javascript; charset=utf-8", text)
});

//! The files that pages load, and the public keys. A file is named by its content, so a browser may cache it for ever.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use sha2::{Digest, Sha256};

use crate::branding::{Branding, Palette};
use parking_lot::RwLock;

use super::text::{MAX_NAME, sanitize};
use super::{App, Shared};

/// The path of the icon. Without one, browsers would request `/favicon.ico` of the application with every page.
pub fn icon() -> String {
    ICON.path()
}

/// What every page shows around its content: the name of the application, and the paths of its files.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) application: String,
    pub(super) stylesheet: String,
    pub(super) icon: String,
    /// The script of pages with values to copy or access to revoke.
    pub(super) script: String,
    /// An image that is shown instead of the application's name.
    pub(super) logo: Option<String>,
}

impl Layout {
    /// The layout of new pages.
    pub(super) fn new(app: &App) -> Self {
        let branding = app.branding.current();
        Self {
            application: sanitize(&branding.name, MAX_NAME),
            stylesheet: app.path(&branding.stylesheet.path()),
            icon: app.path(&ICON.path()),
            script: app.path(&SCRIPT.path()),
            logo: branding.logo.as_ref().map(|logo| app.path(&logo.path())),
        }
    }
}

/// Serves a file. The name of an older one is not found, so that no cache keeps the new content under it.
pub(super) async fn serve(State(app): Shared, Path(name): Path<String>) -> Response {
    let branding = app.branding.current();
    let mut assets = [&*ICON, &*SCRIPT].into_iter().chain(branding.assets());
    match assets.find(|asset| asset.name == name) {
        Some(asset) => asset.response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Serves the public keys of the identity assertion (RFC 7517); 404 if there is none.
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
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let hash = base16ct::lower::encode_string(&Sha256::digest(&content)[..8]);
        let name = format!("{stem}-{hash}{ending}");
        Self { name, kind, content }
    }

    /// The path under which it is served.
    pub(super) fn path(&self) -> String {
        format!("/oauth/assets/{}", self.name)
    }

    fn response(&self) -> Response {
        let headers = [
            (CONTENT_TYPE, self.kind),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        let is_image = self.kind.starts_with("image/");
        let policy = is_image.then_some([(CONTENT_SECURITY_POLICY, IMAGE_POLICY)]);
        (headers, policy, self.content.clone()).into_response()
    }
}

/// The name, the logo and the stylesheet of this installation. A reload replaces them.
#[derive(Debug)]
pub struct CurrentBranding(RwLock<Arc<BrandingAssets>>);

/// One branding, with its files.
#[derive(Debug)]
pub(super) struct BrandingAssets {
    pub(super) name: String,
    pub(super) stylesheet: Asset,
    /// The image above every page.
    pub(super) logo: Option<Asset>,
}

impl CurrentBranding {
    /// Takes the branding of a configuration.
    pub fn new(branding: &Branding) -> Self {
        Self(RwLock::new(Arc::new(BrandingAssets::new(branding))))
    }

    /// Replaces it by the branding of a reloaded configuration.
    pub fn replace(&self, branding: &Branding) {
        *self.0.write() = Arc::new(BrandingAssets::new(branding));
    }

    /// The branding of new pages.
    pub(super) fn current(&self) -> Arc<BrandingAssets> {
        Arc::clone(&self.0.read())
    }
}

impl BrandingAssets {
    fn new(branding: &Branding) -> Self {
        let style = include_str!("../../templates/style.css");
        let style = match branding.accent {
            Some(accent) => format!("{style}\n{}", colours(accent.light(), accent.dark())),
            None => style.to_owned(),
        };
        Self {
            name: branding.name.clone(),
            stylesheet: Asset::new("style", ".css", "text/css; charset=utf-8", style),
            logo: branding.logo.as_ref().map(|logo| {
                let (media_type, extension) = logo.kind();
                Asset::new("logo", extension, media_type, logo.bytes().clone())
            }),
        }
    }

    /// The files of the branding.
    pub(super) fn assets(&self) -> impl Iterator<Item = &Asset> {
        [&self.stylesheet].into_iter().chain(&self.logo)
    }
}

/// Appended to the stylesheet, so that it overrides the defaults.
fn colours(light: Palette, dark: Palette) -> String {
    let root = |palette: Palette| {
        let (accent, on_accent, hover) = (palette.accent, palette.on_accent, palette.hover);
        format!(":root {{ --accent: {accent}; --on-accent: {on_accent}; --hover: {hover}; }}\n")
    };
    let (light, dark) = (root(light), root(dark));
    format!("{light}@media (prefers-color-scheme: dark) {{\n  {dark}}}\n")
}

/// The policy of an image that is opened by itself: an SVG is a document, which must not run scripts.
const IMAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/icon.svg");
    Asset::new("icon", ".svg", "image/svg+xml", text)
});

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../templates/pages.js");
    Asset::new("pages", ".js", "text/javascript; charset=utf-8", text)
});

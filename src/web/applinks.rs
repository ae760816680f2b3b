//! What remote applications request of Application Links: manifest, public key, current user, and the reciprocal link.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts as _, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::applinks::{ApplicationId, ConsumerInfo, DocumentFormat, Manifest};
use crate::gateway::{RequestOrigin, authorization};
use crate::http::negotiate::weighted_values;
use crate::oauth::{PublicUrl, encoding};
use crate::provider::Caller;

use super::error::{ErrorKind, PageError};
use super::render::see_other;
use super::session::Session;
use super::{App, Shared};

/// The identity of this installation towards remote applications.
#[derive(Clone, Debug)]
pub struct AppLinksIdentity {
    /// The manifest, without the name of the branding.
    pub manifest: Manifest,
    /// The key with which linkgate signs; `None` if it is not published, so that Bitbucket asks for a shared secret.
    pub consumer_info: Option<ConsumerInfo>,
}

/// The documents, under the paths that remote applications assume.
pub(super) fn documents() -> Router<Arc<App>> {
    let key = Router::new().route("/plugins/servlet/oauth/consumer-info", get(consumer_info));
    MANIFEST
        .into_iter()
        .fold(key, |router, path| router.route(path, get(manifest)))
}

/// `GET /rest/applinks/{version}/manifest`
async fn manifest(State(app): Shared, headers: HeaderMap) -> Response {
    let format = preferred_format(&headers);
    let headers = [
        (CONTENT_TYPE, format.content_type()),
        (VARY, "accept"),
        (CACHE_CONTROL, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let mut manifest = app.identity.manifest.clone();
    manifest.name.clone_from(&app.branding.current().name);
    (headers, manifest.to_text(format)).into_response()
}

/// Chooses XML if `Accept` prefers it to JSON, and otherwise JSON, also if neither is acceptable (RFC 9110, section 12.5.1).
///
/// Of two formats with the same weight a client prefers the one that it names, and then the one that it names first.
fn preferred_format(headers: &HeaderMap) -> DocumentFormat {
    let preference = |kind: &str| {
        let matching = weighted_values(headers, &ACCEPT)
            .enumerate()
            .filter_map(|(at, (range, weight))| {
                let subtypes = range.strip_suffix("/*");
                let specificity = match subtypes {
                    None if range.eq_ignore_ascii_case(kind) => 3,
                    Some(_) if subtypes == kind.split('/').next() => 2,
                    Some("*") => 1,
                    _ => return None,
                };
                Some((specificity, Reverse(at), weight))
            });
        let (specificity, at, weight) = matching.max().unwrap_or((0, Reverse(usize::MAX), 0));
        (weight, specificity == 3 && weight > 0, at)
    };
    let xml = preference("application/xml").max(preference("text/xml"));
    if xml > preference("application/json") {
        DocumentFormat::Xml
    } else {
        DocumentFormat::Json
    }
}

/// `GET /plugins/servlet/oauth/consumer-info`
async fn consumer_info(State(app): Shared) -> Response {
    let Some(info) = app.identity.consumer_info.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let info = ConsumerInfo {
        name: app.branding.current().name.clone(),
        ..info
    };
    let headers = [
        (CONTENT_TYPE, DocumentFormat::Xml.content_type()),
        (CACHE_CONTROL, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, info.to_xml()).into_response()
}

/// `GET /plugins/servlet/applinks/whoami`: the user of a signed request, or of the browser; otherwise empty.
pub(super) async fn whoami(
    State(app): Shared,
    Extension(origin): Extension<RequestOrigin>,
    mut parts: Parts,
) -> Result<Response, Response> {
    let user = match signed_by(&app, &origin, &parts).await? {
        Some(caller) => caller.user.map(|user| user.subject),
        None => Option::<Session>::from_request_parts(&mut parts, &app)
            .await
            .map_err(PageError::into_response)?
            .map(|session| session.user.subject),
    };
    let headers = [
        (CONTENT_TYPE, "text/plain;charset=UTF-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, user.unwrap_or_default()).into_response())
}

/// The caller, if the request is signed.
async fn signed_by(app: &App, origin: &RequestOrigin, parts: &Parts) -> Result<Option<Caller>, Response> {
    let authorization = authorization(&parts.headers);
    let view = origin.view(parts, &authorization, None);
    let admitted = async {
        match app.provider.authenticate_call(&view, origin.client).await? {
            Some(judged) => app.provider.accept_call(judged).await.map(Some),
            None => Ok(None),
        }
    };
    admitted
        .await
        .map_err(|error| error.to_response(app.provider.realm()).map(Body::from))
}

/// The query of the reciprocal link: values in quotes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReciprocalQuery {
    applink_starting_url: Option<String>,
    applink_original_created_id: Option<String>,
}

/// `GET /plugins/servlet/applinks/listApplicationLinks`: an administrator of a remote application has created a link to
/// linkgate, and returns there to create the reciprocal one. Redirects only to links of the configuration.
pub(super) async fn reciprocal(
    State(app): Shared,
    query: Result<Query<ReciprocalQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let unknown = || ErrorKind::LinkReturnUnknown.page();
    let Query(query) = query.map_err(|_| unknown())?;
    let url = query.applink_starting_url.as_deref().map(unquoted);
    let url = url.and_then(|url| PublicUrl::parse(url).ok());
    let id = query.applink_original_created_id.as_deref().map(unquoted);
    let (Some(url), Some(id)) = (url, id.and_then(ApplicationId::parse)) else {
        return Err(unknown());
    };
    let link = app.links.all.iter().find(|link| url == link.config.url);
    let remote = link.ok_or_else(unknown)?.config.url.as_str();
    let own = encoding::encode(app.public_url.as_str());
    Ok(see_other(&format!(
        "{remote}/plugins/servlet/applinks/auth/conf/oauth/add-consumer-by-url/{id}/INBOUND\
         ?oauth-incoming-enabled=true&hostUrl={own}&enable-oauth=true&success=true"
    )))
}

/// A value without its quotes.
fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
}

/// The paths of the manifest: remote applications request the version that they support.
const MANIFEST: [&str; 4] = [
    "/rest/applinks/1.0/manifest",
    "/rest/applinks/2.0/manifest",
    "/rest/applinks/3.0/manifest",
    "/rest/applinks/latest/manifest",
];
pub(super) const WHOAMI: &str = "/plugins/servlet/applinks/whoami";
pub(super) const RECIPROCAL: &str = "/plugins/servlet/applinks/listApplicationLinks";

//! What the peers of Application Links ask for: who we are, which key is ours, who is asking, and the way back.

use std::cmp::Reverse;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use serde::Deserialize;

use crate::applinks::{ApplicationId, ConsumerInfo, DocumentFormat, Manifest};
use crate::gateway::error::ErrorFormat;
use crate::http::negotiate::weighted_values;
use crate::oauth::{PublicUrl, encoding};
use crate::provider::Caller;

use super::links::trouble;
use super::pages::LinkTrouble;
use super::{App, Shared, Visit, session};

/// What peers see of us.
#[derive(Clone, Debug)]
pub struct Ourselves {
    /// Who we are.
    pub manifest: Manifest,
    /// Our key as a consumer; `None`: it is not shown, and Bitbucket keeps to the form with a shared secret.
    pub consumer_info: Option<ConsumerInfo>,
}

/// The documents, under the paths that peers know.
pub(super) fn documents() -> Router<Arc<App>> {
    let others = Router::new()
        .route("/plugins/servlet/oauth/consumer-info", get(consumer_info))
        .route("/plugins/servlet/applinks/whoami", get(whoami));
    MANIFEST
        .into_iter()
        .fold(others, |router, path| router.route(path, get(manifest)))
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
    let mut manifest = app.peer.manifest.clone();
    manifest.name.clone_from(&app.look.now().name);
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
    let Some(info) = app.peer.consumer_info.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let info = ConsumerInfo {
        name: app.look.now().name.clone(),
        ..info
    };
    let headers = [
        (CONTENT_TYPE, DocumentFormat::Xml.content_type()),
        (CACHE_CONTROL, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, info.to_xml()).into_response()
}

/// `GET /plugins/servlet/applinks/whoami`: the user of a signed call, or of the browser; nothing for nobody.
async fn whoami(visit: Visit, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let signed = match signed_by(&visit, &parts).await {
        Ok(signed) => signed,
        Err(refusal) => return refusal,
    };
    let subject = match signed {
        Some(caller) => caller.user.map(|user| user.subject).unwrap_or_default(),
        None => match session::current(&visit, &parts.headers).await {
            Ok(session) => session.map(|session| session.user.subject).unwrap_or_default(),
            Err(notice) => return visit.refuse(notice),
        },
    };
    let headers = [
        (CONTENT_TYPE, "text/plain;charset=UTF-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, subject).into_response()
}

/// Who signed, when the request is signed.
async fn signed_by(app: &App, parts: &Parts) -> Result<Option<Caller>, Response> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|peer| peer.0.ip().to_canonical());
    let arrival = app
        .front
        .origin(parts, peer)
        .map_err(|fault| fault.to_response(ErrorFormat::of(parts)))?;
    let authorization = parts.headers.get_all(AUTHORIZATION).iter();
    let authorization: Vec<&[u8]> = authorization.map(HeaderValue::as_bytes).collect();
    let view = arrival.view(parts, &authorization, None);
    let admitted = async {
        match app.provider.judge(&view, arrival.client).await? {
            Some(judged) => app.provider.admit(judged).await.map(Some),
            None => Ok(None),
        }
    };
    admitted
        .await
        .map_err(|error| error.to_response(app.provider.realm()).map(Body::from))
}

/// What the browser of an administrator brings along, in quotes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reciprocal {
    applink_starting_url: Option<String>,
    applink_original_created_id: Option<String>,
}

/// `GET /plugins/servlet/applinks/listApplicationLinks`: the administrator of the other side made a link to us, and goes
/// back there to make the way back. Nobody is sent anywhere but to a link of the configuration.
pub(super) async fn reciprocal(visit: Visit, query: Result<Query<Reciprocal>, QueryRejection>) -> Response {
    let Ok(Query(query)) = query else {
        return visit.refuse(trouble(LinkTrouble::NoWayBack));
    };
    let starting = query
        .applink_starting_url
        .as_deref()
        .map(unquoted)
        .unwrap_or_default();
    let starting = PublicUrl::parse(starting).ok();
    let known = visit
        .links
        .all()
        .iter()
        .find(|link| starting.as_ref() == Some(link.url()));
    let id = query.applink_original_created_id.as_deref().map(unquoted);
    let id = id.and_then(ApplicationId::parse);
    let (Some(link), Some(id)) = (known, id) else {
        return visit.refuse(trouble(LinkTrouble::NoWayBack));
    };
    let (url, us) = (link.url().as_str(), encoding::encode(visit.public_url.as_str()));
    super::headers::see_other(&format!(
        "{url}/plugins/servlet/applinks/auth/conf/oauth/add-consumer-by-url/{id}/INBOUND\
         ?oauth-incoming-enabled=true&hostUrl={us}&enable-oauth=true&success=true"
    ))
}

/// A value without the quotes that it comes in.
fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
}

/// The manifest's paths: peers ask for the version that they know.
const MANIFEST: [&str; 4] = [
    "/rest/applinks/1.0/manifest",
    "/rest/applinks/2.0/manifest",
    "/rest/applinks/3.0/manifest",
    "/rest/applinks/latest/manifest",
];
pub(super) const RECIPROCAL: &str = "/plugins/servlet/applinks/listApplicationLinks";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_if_it_is_preferred() {
        for (accept, format) in [
            ("*/*", DocumentFormat::Json),
            ("", DocumentFormat::Json),
            ("application/json", DocumentFormat::Json),
            ("application/xml", DocumentFormat::Xml),
            ("text/xml", DocumentFormat::Xml),
            ("application/xml, */*", DocumentFormat::Xml),
            ("*/*, application/xml;q=0.1", DocumentFormat::Json),
            ("application/json, application/xml", DocumentFormat::Json),
            ("application/xml, application/json", DocumentFormat::Xml),
            (
                "application/xml;q=0.5, application/json;q=0.4",
                DocumentFormat::Xml,
            ),
            (
                "Application/XML ; Q=0.3, application/json;q=0.4",
                DocumentFormat::Json,
            ),
            (
                "application/xml;q=0, application/json;q=0.001",
                DocumentFormat::Json,
            ),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                DocumentFormat::Xml,
            ),
            (
                "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
                DocumentFormat::Json,
            ),
            ("image/png", DocumentFormat::Json),
            (";;;,q=1,/", DocumentFormat::Json),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(preferred_format(&headers), format, "{accept:?}");
        }
        assert_eq!(preferred_format(&HeaderMap::new()), DocumentFormat::Json);
    }
}

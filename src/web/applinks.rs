//! What the peers of Application Links ask for: who we are, which key is ours, who is asking, and the way back.

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

use crate::applinks::{ConsumerInfo, Form, Manifest, PeerId};
use crate::gateway::error::ErrorFormat;
use crate::oauth::{PublicUrl, encode};
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
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let form = Form::by_accept(accept);
    let headers = [
        (CONTENT_TYPE, form.content_type()),
        (VARY, "accept"),
        (CACHE_CONTROL, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let manifest = Manifest {
        name: app.look.now().name.clone(),
        ..app.peer.manifest.clone()
    };
    (headers, manifest.to_text(form)).into_response()
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
        (CONTENT_TYPE, Form::Xml.content_type()),
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
        match app.provider.authenticate_call(&view, arrival.client).await? {
            Some(judged) => app.provider.accept_call(judged).await.map(Some),
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
    let id = id.and_then(PeerId::parse);
    let (Some(link), Some(id)) = (known, id) else {
        return visit.refuse(trouble(LinkTrouble::NoWayBack));
    };
    let (url, us) = (link.url().as_str(), encode::encode(visit.public_url.as_str()));
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

//! Bitbucket for the browser: the page with both links, the start and the end of connecting, and what was sent and received.

use std::fmt::Write;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::demo::http::{BaseString, Exchange, Pairs, render, value};

use super::client::{ACCESS, AUTHORIZE, TokenError, problem_of};
use super::{Bitbucket, DemoLink, Event};

type App = State<Arc<Bitbucket>>;

pub(crate) fn routes() -> Router<Arc<Bitbucket>> {
    let file = |media_type: &'static str, text: &'static str| {
        get(async move || ([(header::CONTENT_TYPE, media_type)], text))
    };
    Router::new()
        .route("/", get(home))
        .route("/links/{link}/{action}", post(press))
        .route(AUTHORIZE, get(connect))
        .route(ACCESS, get(return_here))
        .route("/plugins/servlet/oauth/consumer-info", get(consumer_info))
        .route("/rest/applinks/1.0/manifest", get(manifest))
        .route("/static/bitbucket.css", file("text/css; charset=utf-8", STYLE))
        .route("/static/popup.js", file(SCRIPT, POPUP))
        .route("/static/callback.js", file(SCRIPT, CALLBACK))
}

async fn home(State(bitbucket): App) -> Response {
    let (bitbucket, events) = (&*bitbucket, bitbucket.events());
    render(StatusCode::OK, &Home { bitbucket, events }, "")
}

async fn press(
    State(bitbucket): App,
    Path((slug, action)): Path<(String, String)>,
    Form(fields): Form<Pairs>,
) -> Response {
    let Some(link) = bitbucket.links.iter().find(|link| link.slug == slug) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match bitbucket.act(link, &action, &fields).await {
        Some(event) => Redirect::to(&format!("/#event-{}", event.number)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn connect(State(bitbucket): App, Query(query): Query<Pairs>) -> Response {
    let Some(link) = link_of(&bitbucket, &query) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match bitbucket.authorize_url(link).await {
        Ok(url) => Redirect::to(&url).into_response(),
        Err(error) => token_error(&error),
    }
}

async fn return_here(State(bitbucket): App, Query(query): Query<Pairs>) -> Response {
    let field = |name| value(&query, name).unwrap_or_default();
    let Some(link) = link_of(&bitbucket, &query) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(requested) = link.requested(field("oauth_token")) else {
        return unknown_token();
    };
    match bitbucket.exchange(link, requested, field("oauth_verifier")).await {
        Ok(()) => end(StatusCode::OK, CONNECTED, TOKEN, &[]),
        Err(error) => token_error(&error),
    }
}

fn link_of<'a>(bitbucket: &'a Bitbucket, query: &Pairs) -> Option<&'a DemoLink> {
    let id = value(query, "applicationLinkID")?;
    bitbucket.links.iter().find(|link| link.id == id)
}

fn token_error(TokenError { text, pairs }: &TokenError) -> Response {
    match problem_of(pairs) {
        "permission_denied" => end(StatusCode::OK, "Access denied", DENIED, &[]),
        _ => end(StatusCode::OK, "Buildboard could not be connected", text, pairs),
    }
}

pub(crate) fn unknown_token() -> Response {
    let text = "Bitbucket did not ask for this token, or was restarted since. Start again.";
    end(StatusCode::BAD_REQUEST, "This request is not known", text, &[])
}

fn end(status: StatusCode, title: &str, text: &str, pairs: &[(String, String)]) -> Response {
    let page = Callback { title, text, pairs };
    render(status, &page, "")
}

/// Asks whether linkgate may read here. The answer leads to linkgate, which the policy must allow.
pub(crate) fn question(bitbucket: &Bitbucket, token: &str) -> Response {
    render(StatusCode::OK, &Question { token }, bitbucket.linkgate.origin())
}

async fn consumer_info(State(bitbucket): App) -> impl IntoResponse {
    let key = &bitbucket.own_key_link().signer.consumer_key;
    let (public_key, url) = (bitbucket.key.public_key().to_base64(), bitbucket.base.as_str());
    let xml = format!(
        "<consumer><key>{key}</key><name>Bitbucket</name><publicKey>{public_key}</publicKey>\
         <description>A simulated Bitbucket</description><callback>{url}</callback></consumer>"
    );
    ([(header::CONTENT_TYPE, "application/xml")], xml)
}

async fn manifest(State(bitbucket): App) -> impl IntoResponse {
    let url = bitbucket.base.as_str();
    let xml = format!(
        "<manifest><id>3c1f0a52-5c0f-3b0e-9d6a-1e0a7f0f6d11</id><name>Bitbucket</name><typeId>stash</typeId>\
         <version>8.19.0</version><publicSignup>false</publicSignup><url>{url}</url></manifest>"
    );
    ([(header::CONTENT_TYPE, "application/xml")], xml)
}

#[derive(Template)]
#[template(path = "demo/bitbucket.html")]
struct Home<'a> {
    bitbucket: &'a Bitbucket,
    events: Vec<Event>,
}

#[derive(Template)]
#[template(path = "demo/callback.html")]
struct Callback<'a> {
    title: &'a str,
    text: &'a str,
    pairs: &'a [(String, String)],
}

#[derive(Template)]
#[template(path = "demo/question.html")]
struct Question<'a> {
    token: &'a str,
}

/// For a reader: the same text, with line breaks where they help.
impl Exchange {
    fn request_text(&self) -> String {
        let (request, uri) = (&self.request, self.request.uri());
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let start = format!("{} {target} HTTP/1.1", request.method());
        message(start, request.headers(), &one_pair_a_line(request.body()))
    }

    fn response_text(&self) -> String {
        let body = self.response.body();
        let json = serde_json::from_str::<Value>(body).ok();
        let body = match json.and_then(|value| serde_json::to_string_pretty(&value).ok()) {
            Some(json) => json,
            None if body.starts_with("oauth_") => one_pair_a_line(body),
            None => body.clone(),
        };
        let start = format!("HTTP/1.1 {}", self.response.status());
        message(start, self.response.headers(), &body)
    }

    fn base_string_text(&self) -> Option<String> {
        let BaseString(text) = self.request.extensions().get()?;
        Some(text.replace('&', "\n&").replace("%26", "\n  %26"))
    }
}

fn message(mut text: String, headers: &HeaderMap, body: &str) -> String {
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = value.replace("OAuth ", "OAuth\n    ");
        let value = value.replace("\", oauth_", "\",\n    oauth_");
        let _ = write!(text, "\n{name}: {value}");
    }
    if !body.is_empty() {
        let _ = write!(text, "\n\n{body}");
    }
    text
}

fn one_pair_a_line(form: &str) -> String {
    form.replace('&', "\n&")
}

const DENIED: &str = "Bitbucket has no access to Buildboard on your behalf. You can connect at any time.";
const TOKEN: &str = "Bitbucket now has an access token for Buildboard.";
const CONNECTED: &str = "Connected";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = include_str!("../../../templates/demo/bitbucket.css");
const POPUP: &str = include_str!("../../../templates/demo/popup.js");
const CALLBACK: &str = include_str!("../../../templates/demo/callback.js");

//! Buildboard, a small application that knows nothing of OAuth. It trusts `Remote-User` and `X-Linkgate-Consumer`, because
//! only linkgate can reach it.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, FromRequestParts, RawQuery, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::request::Parts;
use http::{Request, StatusCode, header};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};

use super::http::{Pairs, parse_form, render, send, value};

pub(crate) struct Buildboard {
    builds: Mutex<Vec<Build>>,
    /// `host:port` where it calls Bitbucket through linkgate, and the token to send there.
    calls: (String, String),
}

#[derive(Clone, Serialize)]
struct Build {
    number: usize,
    project: String,
    branch: String,
    note: String,
    state: &'static str,
    #[serde(rename = "startedBy")]
    owner: String,
}

impl Buildboard {
    pub(crate) fn new(calls: (String, String)) -> Self {
        let builds = PAST.map(|(number, owner, project, branch, note, state)| Build {
            number,
            project: project.to_owned(),
            branch: branch.to_owned(),
            note: note.to_owned(),
            state,
            owner: owner.to_owned(),
        });
        let builds = Mutex::new(builds.to_vec());
        Self { builds, calls }
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/session", post(sign_in))
            .route("/session/end", post(sign_out))
            .route("/builds", post(press_build))
            .route("/pulls", get(pull_requests))
            .route("/static/buildboard.css", get(async || (STYLE_TYPE, STYLE)))
            .route("/api/me", get(async |visitor: Visitor| Json(visitor.to_json())))
            .route("/api/builds", get(list_builds).post(start_build))
            .route("/api/search", get(list_builds))
            .with_state(Arc::new(self))
    }

    fn builds_of(&self, visitor: &Visitor) -> Vec<Build> {
        let is_own = |build: &&Build| Some(&build.owner) == visitor.user.as_ref();
        self.builds.lock().iter().filter(is_own).cloned().collect()
    }

    fn start(&self, visitor: &Visitor, fields: &Pairs) -> Result<Build, (StatusCode, &'static str)> {
        const NO_USER: (StatusCode, &str) = (StatusCode::FORBIDDEN, "Only a user can start a build.");
        let owner = visitor.user.clone().ok_or(NO_USER)?;
        let field = |name| value(fields, name).unwrap_or_default().to_owned();
        if !visitor.projects().contains(&&*field("project")) {
            return Err((StatusCode::NOT_FOUND, "You have no such project."));
        }
        let mut builds = self.builds.lock();
        let build = Build {
            number: builds.first().map_or(1, |newest| newest.number + 1),
            project: field("project"),
            branch: field("branch"),
            note: field("note"),
            state: "running",
            owner,
        };
        builds.insert(0, build.clone());
        builds.truncate(MAX_BUILDS);
        Ok(build)
    }
}

struct Visitor {
    user: Option<String>,
    consumer: Option<String>,
    /// Whether the user is that of a session of Buildboard's own.
    has_session: bool,
}

impl Visitor {
    fn projects(&self) -> &'static [&'static str] {
        match self.user.as_deref() {
            Some("alice") => &["rocket", "observatory"],
            Some("bob") => &["bakery", "bicycle"],
            _ => &[],
        }
    }

    fn to_json(&self) -> Value {
        json!({ "user": self.user, "consumer": self.consumer })
    }
}

impl FromRequestParts<Arc<Buildboard>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Buildboard>) -> Result<Self, Infallible> {
        let field = |name: &str| {
            let value = parts.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned()).filter(|text| !text.is_empty())
        };
        let (user, consumer) = (field("remote-user"), field("x-linkgate-consumer"));
        let cookies = field("cookie").unwrap_or_default();
        let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        let session = pairs.find(|(name, _)| *name == COOKIE);
        let session = session.filter(|_| user.is_none() && consumer.is_none());
        let session_user = session.map(|(_, user)| user.to_owned());
        Ok(Self {
            consumer,
            has_session: session_user.is_some(),
            user: user.or(session_user),
        })
    }
}

type App = State<Arc<Buildboard>>;

async fn home(State(app): App, visitor: Visitor) -> Response {
    let builds = app.builds_of(&visitor);
    render(StatusCode::OK, &Home { visitor, builds }, "")
}

/// Buildboard's own sign-in. It asks for no password, so the session is no more than a name.
async fn sign_in(Form(fields): Form<Pairs>) -> Response {
    let user = value(&fields, "user").filter(|user| ["alice", "bob"].contains(user));
    match user {
        Some(user) => home_with_cookie(&format!("{COOKIE}={user}; Path=/; HttpOnly; SameSite=Lax")),
        None => (StatusCode::NOT_FOUND, "There is no such user.").into_response(),
    }
}

async fn sign_out() -> Response {
    home_with_cookie(&format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
}

fn home_with_cookie(cookie: &str) -> Response {
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/")).into_response()
}

async fn press_build(State(app): App, visitor: Visitor, Form(fields): Form<Pairs>) -> Response {
    let started = app.start(&visitor, &fields).map(|_| Redirect::to("/"));
    started.into_response()
}

/// Lists the visitor's builds, by branch if the query has `q`. The response repeats the query as it arrived.
async fn list_builds(State(app): App, visitor: Visitor, RawQuery(query): RawQuery) -> Json<Value> {
    let pairs = parse_form(query.as_deref().unwrap_or_default());
    let branch = value(&pairs, "q").unwrap_or_default();
    let mut builds = app.builds_of(&visitor);
    builds.retain(|build| build.branch.contains(branch));
    let mut value = visitor.to_json();
    value["query"] = json!(query);
    value["projects"] = json!(visitor.projects());
    value["builds"] = json!(builds);
    Json(value)
}

async fn start_build(State(app): App, visitor: Visitor, Form(fields): Form<Pairs>) -> Response {
    match app.start(&visitor, &fields) {
        Ok(build) => (StatusCode::CREATED, Json(build)).into_response(),
        Err((status, why)) => {
            let mut value = visitor.to_json();
            value["error"] = json!(why);
            (status, Json(value)).into_response()
        }
    }
}

/// Shows the visitor's pull requests in Bitbucket, or sends the visitor there to allow it.
async fn pull_requests(State(app): App, visitor: Visitor) -> Response {
    let Some(user) = &visitor.user else {
        return Redirect::to("/").into_response();
    };
    let (authority, token) = &app.calls;
    let url =
        format!("http://{authority}/bitbucket/rest/api/1.0/dashboard/pull-requests?state=OPEN&limit=25");
    let request = Request::get(url)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header("x-linkgate-user", user)
        .header(header::ACCEPT, "application/json");
    let sent = match request.body(String::new()) {
        Ok(request) => send(request).await,
        Err(error) => Err(error.into()),
    };
    let response = match sent {
        Ok(exchange) => exchange.response,
        Err(error) => return (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    };
    let body: Value = serde_json::from_str(response.body()).unwrap_or_default();
    if let Some(connect) = body["connect_url"].as_str() {
        return Redirect::to(&format!("{connect}?return_to=%2Fpulls")).into_response();
    }
    if response.status() != StatusCode::OK {
        let advice = body["advice"].as_str().unwrap_or("Bitbucket rejected the call.");
        return (StatusCode::BAD_GATEWAY, advice.to_owned()).into_response();
    }
    let pulls = body["values"].as_array().into_iter().flatten();
    let titles = pulls
        .filter_map(|pull| Some((pull["id"].as_u64()?, pull["title"].as_str()?)))
        .collect();
    render(StatusCode::OK, &Pulls { user, titles }, "")
}

#[derive(Template)]
#[template(path = "demo/buildboard.html")]
struct Home {
    visitor: Visitor,
    builds: Vec<Build>,
}

#[derive(Template)]
#[template(path = "demo/pulls.html")]
struct Pulls<'a> {
    user: &'a str,
    titles: Vec<(u64, &'a str)>,
}

const PAST: [(usize, &str, &str, &str, &str, &str); 5] = [
    (5, "alice", "rocket", "feature/orbit", "Raise apogee", "passed"),
    (4, "bob", "bicycle", "release/2", "Second gear", "passed"),
    (3, "alice", "observatory", "main", "Polish the mirror", "failed"),
    (2, "bob", "bakery", "main", "More croissants", "passed"),
    (1, "alice", "rocket", "main", "Ignition sequence", "passed"),
];
const STYLE_TYPE: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
const STYLE: &str = include_str!("../../templates/demo/buildboard.css");
const MAX_BUILDS: usize = 200;
/// The name of the session cookie; cookies are shared between the ports of a host, so linkgate's names differ.
const COOKIE: &str = "buildboard";

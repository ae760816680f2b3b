//! Buildboard, a small application: projects and builds, which belong to users.
//!
//! It knows nothing of OAuth. `Remote-User` and `X-Linkgate-Consumer` name the user and the consumer; it believes them,
//! because only linkgate can reach it. A browser that comes without them may have a session of Buildboard's own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use askama::Template;
use axum::extract::{Form, FromRequestParts, Query, RawQuery, State};
use axum::response::{AppendHeaders, Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::request::Parts;
use http::{Request, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use super::http::{Pairs, send, value};
use super::random;

/// The application.
#[derive(Debug)]
pub struct Buildboard {
    builds: Mutex<Vec<Build>>,
    sessions: Mutex<BTreeMap<String, &'static str>>,
    /// `host:port` where it calls Bitbucket through linkgate, and the token to send there.
    calls: (String, String),
}

#[derive(Clone, Debug, Serialize)]
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
    /// With a few builds, and `host:port` and token for its calls of Bitbucket.
    pub fn new(calls: (String, String)) -> Self {
        let builds = PAST.into_iter().zip(1..);
        let builds = builds.map(|((owner, project, branch, note, state), number)| Build {
            number,
            project: project.to_owned(),
            branch: branch.to_owned(),
            note: note.to_owned(),
            state,
            owner: owner.to_owned(),
        });
        Self {
            builds: Mutex::new(builds.collect()),
            sessions: Mutex::default(),
            calls,
        }
    }

    /// All that it serves.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/session", post(sign_in))
            .route("/session/end", post(sign_out))
            .route("/builds", post(press_build))
            .route("/pulls", get(pull_requests))
            .route("/static/buildboard.css", get(style))
            .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
            .route("/api/me", get(async |visitor: Visitor| Json(visitor.to_json())))
            .route("/api/builds", get(list_builds).post(start_build))
            .route("/api/search", get(search))
            .with_state(Arc::new(self))
    }

    fn builds(&self) -> MutexGuard<'_, Vec<Build>> {
        self.builds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, &'static str>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The builds of a visitor, newest first.
    fn builds_of(&self, visitor: &Visitor) -> Vec<Build> {
        let builds = self.builds();
        let own = builds.iter().rev();
        own.filter(|build| Some(&build.owner) == visitor.user.as_ref())
            .cloned()
            .collect()
    }

    /// Starts a build as a form says.
    fn start(&self, visitor: &Visitor, fields: &Pairs) -> Result<Build, (StatusCode, &'static str)> {
        let Some(user) = &visitor.user else {
            return Err((StatusCode::FORBIDDEN, "Only a user can start a build."));
        };
        let field = |name| value(fields, name).unwrap_or_default().to_owned();
        let project = field("project");
        if !visitor.projects().contains(&project.as_str()) {
            return Err((StatusCode::NOT_FOUND, "You have no such project."));
        }
        let mut builds = self.builds();
        if builds.len() >= MAX_BUILDS {
            builds.remove(0);
        }
        let build = Build {
            number: builds.last().map_or(1, |build| build.number + 1),
            project,
            branch: field("branch"),
            note: field("note"),
            state: "running",
            owner: user.clone(),
        };
        builds.push(build.clone());
        Ok(build)
    }
}

/// A user, a consumer without a user, or an anonymous browser.
#[derive(Debug, Default)]
struct Visitor {
    user: Option<String>,
    consumer: Option<String>,
    /// The session of Buildboard's own that names the user.
    session: Option<String>,
}

impl Visitor {
    fn projects(&self) -> Vec<&'static str> {
        let own = PROJECTS
            .iter()
            .filter(|(_, owner)| Some(*owner) == self.user.as_deref());
        own.map(|(project, _)| *project).collect()
    }

    fn to_json(&self) -> Value {
        json!({ "user": self.user, "consumer": self.consumer })
    }
}

impl FromRequestParts<Arc<Buildboard>> for Visitor {
    type Rejection = Infallible;

    /// What the gateway says counts before a session.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<Buildboard>) -> Result<Self, Infallible> {
        let field = |name: &str| {
            let value = parts.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned()).filter(|text| !text.is_empty())
        };
        let (user, consumer) = (field("remote-user"), field("x-linkgate-consumer"));
        if user.is_some() || consumer.is_some() {
            return Ok(Self {
                user,
                consumer,
                session: None,
            });
        }
        let cookies = field("cookie").unwrap_or_default();
        let mut cookies = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        let session = cookies.find(|(name, _)| *name == COOKIE);
        let found = session.and_then(|(_, id)| Some((id, *app.sessions().get(id)?)));
        Ok(found.map_or_else(Self::default, |(id, user)| Self {
            user: Some(user.to_owned()),
            consumer: None,
            session: Some(id.to_owned()),
        }))
    }
}

type App = State<Arc<Buildboard>>;

async fn home(State(app): App, visitor: Visitor) -> Response {
    let builds = app.builds_of(&visitor);
    render(&Home {
        projects: visitor.projects(),
        visitor,
        builds,
    })
}

/// Buildboard's own sign-in, which asks for no password.
async fn sign_in(State(app): App, Form(fields): Form<Pairs>) -> Response {
    let name = value(&fields, "user");
    let Some((_, user)) = PROJECTS.iter().find(|(_, owner)| Some(*owner) == name) else {
        return (StatusCode::NOT_FOUND, "There is no such user.").into_response();
    };
    let session = random();
    app.sessions().insert(session.clone(), user);
    home_with_cookie(&format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax"))
}

async fn sign_out(State(app): App, visitor: Visitor) -> Response {
    if let Some(session) = &visitor.session {
        app.sessions().remove(session);
    }
    home_with_cookie(&format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
}

fn home_with_cookie(cookie: &str) -> Response {
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/")).into_response()
}

async fn press_build(State(app): App, visitor: Visitor, Form(fields): Form<Pairs>) -> Response {
    let started = app.start(&visitor, &fields);
    started.map_or_else(IntoResponse::into_response, |_| Redirect::to("/").into_response())
}

async fn list_builds(State(app): App, visitor: Visitor) -> Json<Value> {
    let mut value = visitor.to_json();
    value["projects"] = json!(visitor.projects());
    value["builds"] = json!(app.builds_of(&visitor));
    Json(value)
}

/// Finds builds by words. The response repeats the query as it arrived, so that a caller sees that nothing was changed.
async fn search(
    State(app): App,
    visitor: Visitor,
    RawQuery(query): RawQuery,
    Query(pairs): Query<Pairs>,
) -> Json<Value> {
    let mentions = |build: &Build, word: &str| {
        [&build.project, &build.branch, &build.note]
            .iter()
            .any(|text| text.contains(word))
    };
    let mut builds = app.builds_of(&visitor);
    builds.retain(|build| {
        let mut words = pairs.iter().filter(|(name, _)| name == "q");
        words.all(|(_, word)| mentions(build, word))
    });
    let mut value = visitor.to_json();
    value["query"] = json!(query);
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

/// Shows the visitor's pull requests in Bitbucket, or sends the visitor there to allow it. linkgate signs the call and keeps
/// the token.
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
    render(&Pulls { user, titles })
}

async fn style() -> impl IntoResponse {
    let css = include_str!("../../templates/demo/buildboard.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css)
}

fn render(page: &impl Template) -> Response {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let fields = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (fields, Html(html)).into_response()
}

#[derive(Template)]
#[template(path = "demo/buildboard.html")]
struct Home {
    visitor: Visitor,
    projects: Vec<&'static str>,
    builds: Vec<Build>,
}

#[derive(Template)]
#[template(path = "demo/pulls.html")]
struct Pulls<'a> {
    user: &'a str,
    titles: Vec<(u64, &'a str)>,
}

const PROJECTS: [(&str, &str); 4] = [
    ("rocket", "alice"),
    ("observatory", "alice"),
    ("bakery", "bob"),
    ("bicycle", "bob"),
];
const PAST: [(&str, &str, &str, &str, &str); 5] = [
    ("alice", "rocket", "main", "Ignition sequence", "passed"),
    ("bob", "bakery", "main", "More croissants", "passed"),
    (
        "alice",
        "observatory",
        "feature/mirror",
        "Polish the mirror",
        "failed",
    ),
    ("bob", "bicycle", "release/2", "Second gear", "passed"),
    ("alice", "rocket", "feature/orbit", "Raise the apogee", "passed"),
];
/// The oldest builds are forgotten beyond this.
const MAX_BUILDS: usize = 200;
/// The name of the session cookie; cookies are shared between the ports of a host, so linkgate's names differ.
const COOKIE: &str = "buildboard";
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

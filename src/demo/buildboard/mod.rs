//! Buildboard, a small application: projects and builds, each user's own.
//!
//! It knows nothing of OAuth. Who is there is what stands in `Remote-User` and `X-Linkgate-Consumer`, which it believes
//! because only linkgate can reach it.

mod board;
mod pages;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Form, FromRequestParts, Query, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use board::{Board, Build};

/// The application.
#[derive(Clone, Debug, Default)]
pub struct Buildboard(Arc<Mutex<Board>>);

impl Buildboard {
    /// All that it serves.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/builds", post(press_button))
            .route("/static/buildboard.css", get(style))
            .route("/api/me", get(me))
            .route("/api/builds", get(builds).post(start_build))
            .route("/api/search", get(search))
            .with_state(self)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is there, as the gateway says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Visitor {
    user: Option<String>,
    consumer: Option<String>,
}

impl Visitor {
    fn read(headers: &HeaderMap) -> Self {
        let field = |name: &str| {
            let value = headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned()).filter(|text| !text.is_empty())
        };
        Self {
            user: field("remote-user"),
            consumer: field("x-linkgate-consumer"),
        }
    }

    fn to_json(&self) -> Value {
        json!({ "user": self.user, "consumer": self.consumer })
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers))
    }
}

async fn home(State(app): State<Buildboard>, visitor: Visitor) -> Response {
    pages::home(&visitor, &app.board())
}

async fn press_button(
    State(app): State<Buildboard>,
    visitor: Visitor,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    match build_for(&app, &visitor, &form) {
        Ok(_) => Redirect::to("/").into_response(),
        Err((status, why)) => (status, why).into_response(),
    }
}

async fn style() -> impl IntoResponse {
    let css = include_str!("../../../templates/demo/buildboard.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css)
}

async fn me(visitor: Visitor) -> Response {
    answer(StatusCode::OK, &visitor.to_json())
}

async fn builds(State(app): State<Buildboard>, visitor: Visitor) -> Response {
    let board = app.board();
    let user = visitor.user.as_deref().unwrap_or_default();
    let mut value = visitor.to_json();
    value["projects"] = json!(Board::projects_of(user));
    value["builds"] = board.builds_of(user).map(Build::to_json).collect();
    answer(StatusCode::OK, &value)
}

/// Finds builds by any words; says what it was asked, so that a caller sees that nothing was lost on the way.
async fn search(
    State(app): State<Buildboard>,
    visitor: Visitor,
    RawQuery(raw): RawQuery,
    Query(asked): Query<Vec<(String, String)>>,
) -> Response {
    let board = app.board();
    let words: Vec<&str> = asked
        .iter()
        .filter(|(name, _)| name == "q")
        .map(|(_, word)| word.as_str())
        .collect();
    let user = visitor.user.as_deref().unwrap_or_default();
    let mut value = visitor.to_json();
    value["query"] = json!(raw);
    value["asked"] = json!(asked);
    value["builds"] = board
        .builds_of(user)
        .filter(|build| words.iter().all(|word| build.mentions(word)))
        .map(Build::to_json)
        .collect();
    answer(StatusCode::OK, &value)
}

async fn start_build(
    State(app): State<Buildboard>,
    visitor: Visitor,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    match build_for(&app, &visitor, &form) {
        Ok(build) => answer(StatusCode::CREATED, &build),
        Err((status, why)) => {
            let mut value = visitor.to_json();
            value["error"] = json!(why);
            answer(status, &value)
        }
    }
}

fn build_for(
    app: &Buildboard,
    visitor: &Visitor,
    form: &[(String, String)],
) -> Result<Value, (StatusCode, &'static str)> {
    let Some(user) = &visitor.user else {
        return Err((
            StatusCode::FORBIDDEN,
            "A build is started by a user; nobody is here.",
        ));
    };
    let field = |name: &str| {
        form.iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    };
    let project = field("project").unwrap_or_default();
    let branch = field("branch")
        .filter(|branch| !branch.is_empty())
        .unwrap_or("main");
    let labels = form
        .iter()
        .filter(|(name, _)| name == "label")
        .map(|(_, value)| value.clone())
        .collect();
    app.board()
        .start(user, project, branch, field("note").unwrap_or_default(), labels)
        .map(Build::to_json)
        .ok_or((StatusCode::NOT_FOUND, "You have no such project."))
}

fn answer(status: StatusCode, value: &Value) -> Response {
    let fields = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, fields, value.to_string()).into_response()
}

//! Buildboard, a small application: projects and builds, each user's own.
//!
//! It knows nothing of OAuth. Who is there is what stands in `Remote-User` and `X-Linkgate-Consumer`, which it believes
//! because only linkgate can reach it; or, for a browser that comes without them, a session of its own.
//!
//! `board` is what it keeps, `visitor` who is there, `api` its JSON side, `pages` its page, `pulls` what it reads elsewhere.

mod api;
mod board;
mod pages;
mod pulls;
mod visitor;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Form, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};

use super::{form, fresh};

use board::{Board, Build};
pub use pulls::Calls;
use visitor::{COOKIE, Visitor};

/// The application.
#[derive(Clone, Debug, Default)]
pub struct Buildboard(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    board: Mutex<Board>,
    sessions: Mutex<BTreeMap<String, String>>,
    calls: Option<Calls>,
}

impl Buildboard {
    /// One that reads elsewhere, too.
    pub fn calling(calls: Calls) -> Self {
        Self(Arc::new(Kept {
            calls: Some(calls),
            ..Kept::default()
        }))
    }

    /// All that it serves.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/session", post(sign_in))
            .route("/session/end", post(sign_out))
            .route("/builds", post(press_button))
            .route("/static/buildboard.css", get(style))
            .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
            .route("/pulls", get(pulls::pulls))
            .route("/api/me", get(api::me))
            .route("/api/builds", get(api::builds).post(api::start_build))
            .route("/api/search", get(api::search))
            .with_state(self)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session for a user that there is.
    fn open_session(&self, user: &str) -> Option<String> {
        if Board::projects_of(user).is_empty() {
            return None;
        }
        let session = fresh();
        self.sessions().insert(session.clone(), user.to_owned());
        Some(session)
    }

    fn user_of(&self, session: &str) -> Option<String> {
        self.sessions().get(session).cloned()
    }

    /// Starts a build as the form says; else a status and a sentence.
    fn start_build(
        &self,
        visitor: &Visitor,
        fields: &[(String, String)],
    ) -> Result<Build, (StatusCode, &'static str)> {
        let Some(user) = &visitor.user else {
            return Err((
                StatusCode::FORBIDDEN,
                "A build is started by a user; nobody is here.",
            ));
        };
        let field = |name: &str| form::value(fields, name);
        let project = field("project").unwrap_or_default();
        let branch = field("branch")
            .filter(|branch| !branch.is_empty())
            .unwrap_or("main");
        let labels = fields.iter().filter(|(name, _)| name == "label");
        let labels = labels.map(|(_, value)| value.clone()).collect();
        self.board()
            .start(user, project, branch, field("note").unwrap_or_default(), labels)
            .cloned()
            .ok_or((StatusCode::NOT_FOUND, "You have no such project."))
    }
}

async fn home(State(app): State<Buildboard>, visitor: Visitor) -> Response {
    pages::home(&visitor, &app.board())
}

/// Buildboard's own sign-in. It asks for no password: this is a demo, and not of that.
async fn sign_in(State(app): State<Buildboard>, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let session = form::value(&fields, "user").and_then(|user| app.open_session(user));
    let Some(session) = session else {
        return (StatusCode::NOT_FOUND, "There is no such user.").into_response();
    };
    home_with_cookie(&format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax"))
}

async fn sign_out(State(app): State<Buildboard>, visitor: Visitor) -> Response {
    if let Some(session) = &visitor.session {
        app.sessions().remove(session);
    }
    home_with_cookie(&format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
}

fn home_with_cookie(cookie: &str) -> Response {
    let cookie = AppendHeaders([(header::SET_COOKIE, cookie)]);
    (cookie, Redirect::to("/")).into_response()
}

async fn press_button(
    State(app): State<Buildboard>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    match app.start_build(&visitor, &fields) {
        Ok(_) => Redirect::to("/").into_response(),
        Err((status, why)) => (status, why).into_response(),
    }
}

async fn style() -> impl IntoResponse {
    let css = include_str!("../../../templates/demo/buildboard.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css)
}

//! Buildboard's JSON side, which its peers call.

use axum::extract::{Form, Query, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::Buildboard;
use super::board::{Board, Build};
use super::visitor::Visitor;

/// `GET /api/me`: who is there.
pub(super) async fn me(visitor: Visitor) -> Response {
    answer(StatusCode::OK, &visitor.to_json())
}

/// `GET /api/builds`: the visitor's projects and builds.
pub(super) async fn builds(State(app): State<Buildboard>, visitor: Visitor) -> Response {
    let board = app.board();
    let user = visitor.user.as_deref().unwrap_or_default();
    let mut value = visitor.to_json();
    value["projects"] = json!(Board::projects_of(user));
    value["builds"] = board.builds_of(user).map(Build::to_json).collect();
    answer(StatusCode::OK, &value)
}

/// `GET /api/search?q=...`: builds by any words. It says what it was asked, so that a caller sees that nothing was lost
/// on the way.
pub(super) async fn search(
    State(app): State<Buildboard>,
    visitor: Visitor,
    RawQuery(raw): RawQuery,
    Query(asked): Query<Vec<(String, String)>>,
) -> Response {
    let board = app.board();
    let words = asked.iter().filter(|(name, _)| name == "q");
    let words: Vec<_> = words.map(|(_, word)| word.as_str()).collect();
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

/// `POST /api/builds`: a form, as the button sends it.
pub(super) async fn start_build(
    State(app): State<Buildboard>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    match app.start_build(&visitor, &fields) {
        Ok(build) => answer(StatusCode::CREATED, &build.to_json()),
        Err((status, why)) => {
            let mut value = visitor.to_json();
            value["error"] = json!(why);
            answer(status, &value)
        }
    }
}

fn answer(status: StatusCode, value: &Value) -> Response {
    let fields = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, fields, value.to_string()).into_response()
}

//! Buildboard's one page.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};

use super::Visitor;
use super::board::{Board, Build};

/// What a visitor sees: their own projects and builds, or why there is nothing to see.
pub(super) fn home(visitor: &Visitor, board: &Board) -> Response {
    let user = visitor.user.as_deref().unwrap_or_default();
    let page = Home {
        visitor,
        projects: Board::projects_of(user),
        builds: board.builds_of(user).collect(),
    };
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
struct Home<'a> {
    visitor: &'a Visitor,
    projects: Vec<&'static str>,
    builds: Vec<&'a Build>,
}

const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

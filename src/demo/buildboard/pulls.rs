//! Buildboard reads its users' pull requests in Bitbucket, through the gateway: it signs nothing and keeps no token.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{Method, StatusCode, header};
use serde_json::Value;

use crate::demo::wire::Call;
use crate::oauth::Secret;

use super::Buildboard;
use super::visitor::Visitor;

/// Where calls of other sides go, and what is shown there.
#[derive(Clone, Debug)]
pub struct Calls {
    /// `host:port` of the private listener.
    pub authority: String,
    /// What the application shows there.
    pub token: Secret,
}

/// `GET /pulls`: the visitor's pull requests; or the way to Bitbucket's question, when they have not connected yet.
pub(super) async fn pulls(State(app): State<Buildboard>, visitor: Visitor) -> Response {
    let (Some(user), Some(calls)) = (&visitor.user, &app.0.calls) else {
        return Redirect::to("/").into_response();
    };
    let call = Call {
        method: Method::GET,
        authority: calls.authority.clone(),
        target: "/bitbucket/rest/api/1.0/dashboard/pull-requests?state=OPEN&limit=25".to_owned(),
        headers: vec![
            ("authorization", format!("Bearer {}", calls.token.expose())),
            ("x-linkgate-user", user.clone()),
            ("accept", "application/json".to_owned()),
        ],
        body: String::new(),
        base_string: None,
    };
    let answer = match call.send().await {
        Ok(answer) => answer,
        Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    };
    let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if let Some(connect) = said["connect_url"].as_str() {
        return Redirect::to(&format!("{connect}?return_to=%2Fpulls")).into_response();
    }
    if answer.status != StatusCode::OK {
        let advice = said["advice"].as_str().unwrap_or("Bitbucket refuses.").to_owned();
        return (StatusCode::BAD_GATEWAY, advice).into_response();
    }
    let titles = said["values"].as_array().into_iter().flatten();
    let titles: Vec<_> = titles
        .filter_map(|pull| Some((pull["id"].as_u64()?, pull["title"].as_str()?)))
        .collect();
    let page = Pulls { user, titles };
    match page.render() {
        Ok(html) => ([(header::CACHE_CONTROL, "no-store")], Html(html)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Template)]
#[template(path = "demo/pulls.html")]
struct Pulls<'a> {
    user: &'a str,
    titles: Vec<(u64, &'a str)>,
}

//! An application that answers with what reached it, as JSON:
//! `{"method", "target", "query": [[name, value]], "form": [[name, value]], "headers": {name: [value]}, "body"}`.
//!
//! `/slow` answers after a second and a half, so that a shutdown can fall into it. `/script` is a page that says whether
//! scripts are on.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, Method, header};
use axum::response::{Html, IntoResponse};
use axum::routing::{any, get};
use serde_json::json;
use tokio::net::TcpListener;

/// Starts the application on a port of its own. It lives as long as the test.
pub(crate) async fn start() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new()
        .route("/slow", get(slow))
        .route("/script", get(async || Html(SCRIPT)))
        .fallback(any(echo));
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

async fn echo(method: Method, target: OriginalUri, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let mut seen = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in &headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        seen.entry(name.as_str()).or_default().push(value);
    }
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let form = if is_form { pairs(&body) } else { Vec::new() };
    let answer = json!({
        "method": method.as_str(),
        "target": target.path_and_query().unwrap().as_str(),
        "query": pairs(target.query().unwrap_or_default().as_bytes()),
        "form": form,
        "headers": seen,
        "body": String::from_utf8_lossy(&body),
    });
    ([(header::CONTENT_TYPE, "application/json")], answer.to_string())
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(1500)).await;
    "slow but sure"
}

/// Decoded by a parser that is not linkgate's.
fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

const SCRIPT: &str = r#"<!doctype html>
<p id="scripts">off</p>
<script>document.getElementById('scripts').textContent = 'on';</script>
"#;

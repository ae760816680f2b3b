//! The private listener: where the application calls others through us.
//!
//! It is reached from this machine alone, and whoever calls shows a token besides: other programs run here too, and so
//! do browsers, which any page can send to a loopback address.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};

use crate::oauth::Secret;

use super::Links;
use super::refusal::Refusal;

/// What the private listener serves: the application's calls.
pub fn router(links: Arc<Links>, token: Secret) -> Router {
    Router::new()
        .fallback(call)
        .with_state(Arc::new(Door { links, token }))
}

#[derive(Debug)]
struct Door {
    links: Arc<Links>,
    token: Secret,
}

/// A call: `/{link}` and the raw path and query below it.
async fn call(State(door): State<Arc<Door>>, request: Request<Body>) -> Response {
    match door.let_in(request).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.into_response(),
    }
}

impl Door {
    async fn let_in(&self, request: Request<Body>) -> Result<Response, Refusal> {
        if !shows(&self.token, request.headers()) {
            return Err(Refusal::WrongToken);
        }
        let whole = request
            .uri()
            .path_and_query()
            .map_or("", |target| target.as_str());
        let below = whole.strip_prefix('/').unwrap_or_default();
        let end = below.find(['/', '?']).unwrap_or(below.len());
        let (name, target) = below.split_at(end);
        let peer = self.links.peer(name).ok_or(Refusal::UnknownLink)?;
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        self.links.call(peer, &target, request).await
    }
}

/// Whether a request shows the token: once, in the scheme `Bearer` (RFC 6750, section 2.1). Compared in constant time.
fn shows(token: &Secret, headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return false;
    };
    let shown = field.to_str().ok().and_then(|field| field.split_once(' '));
    shown.is_some_and(|(scheme, shown)| {
        scheme.eq_ignore_ascii_case("Bearer") && Secret::new(shown.trim()) == *token
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_token_is_shown_once_and_whole() {
        let token = Secret::new("correct-horse-battery");
        let shown = |fields: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(AUTHORIZATION, HeaderValue::from_static(field));
            }
            shows(&token, &headers)
        };
        assert!(shown(&["Bearer correct-horse-battery"]) && shown(&["bearer  correct-horse-battery"]));
        for wrong in [
            &[][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer correct-horse-batter"],
            &["Basic correct-horse-battery"],
            &["correct-horse-battery"],
            &["Bearer correct-horse-battery", "Bearer correct-horse-battery"],
        ] {
            assert!(!shown(wrong), "{wrong:?}");
        }
    }
}

//! Bitbucket for the browser: the page, its buttons, and the two ends of a dance.

use axum::Router;
use axum::extract::{Form, Path, Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};

use crate::demo::form;

use super::actions::Action;
use super::calls::CallError;
use super::dance::{ACCESS, AUTHORIZE, Attempt, Trouble};
use super::journal::{Event, Mood};
use super::link::LinkKind;
use super::{Bitbucket, pages, provider};

/// All that the simulated Bitbucket serves.
pub fn router(bitbucket: Bitbucket) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/links/{link}/{action}", post(press))
        .route(AUTHORIZE, get(authorize))
        .route(ACCESS, get(access))
        .route("/plugins/servlet/oauth/consumer-info", get(consumer_info))
        .route(
            "/static/bitbucket.css",
            get(async || file("text/css; charset=utf-8", pages::STYLE)),
        )
        .route(
            "/static/popup.js",
            get(async || file("text/javascript; charset=utf-8", pages::POPUP)),
        )
        .route(
            "/static/callback.js",
            get(async || file("text/javascript; charset=utf-8", pages::CALLBACK)),
        )
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
        .merge(provider::router())
        .layer(middleware::from_fn(own_pages_only))
        .with_state(bitbucket)
}

/// Refuses forms that another site sends.
async fn own_pages_only(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    let foreign = site.is_some_and(|site| site != "same-origin" && site != "none");
    if request.method() == http::Method::POST && foreign {
        return (StatusCode::FORBIDDEN, "This form was sent by another site.").into_response();
    }
    next.run(request).await
}

async fn home(State(bitbucket): State<Bitbucket>) -> Response {
    pages::home(&bitbucket)
}

async fn press(
    State(bitbucket): State<Bitbucket>,
    Path((link, action)): Path<(String, String)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let link = LinkKind::ALL.into_iter().find(|kind| kind.slug() == link);
    let (Some(kind), Some(action)) = (link, Action::parse(&action, fields)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let number = bitbucket.act(kind, &action).await;
    Redirect::to(&format!("/#event-{number}")).into_response()
}

/// Starts a dance: asks for a request token, and sends the browser to linkgate.
async fn authorize(
    State(bitbucket): State<Bitbucket>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let Some(kind) = link_of(&query) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let attempt = bitbucket.ask_request_token(kind).await;
    match told(&bitbucket, kind, "Ask for a request token", attempt) {
        Ok(token) => Redirect::to(&bitbucket.authorize_url(kind, &token)).into_response(),
        Err(page) => *page,
    }
}

/// Ends a dance: exchanges the request token, and tells the page that opened this window.
async fn access(State(bitbucket): State<Bitbucket>, Query(query): Query<Vec<(String, String)>>) -> Response {
    let Some(kind) = link_of(&query) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let field = |name: &str| form::value(&query, name).unwrap_or_default();
    let Some(asked) = bitbucket.link(kind).asked(field("oauth_token")) else {
        return pages::stranger();
    };
    let attempt = bitbucket.exchange(kind, &asked, field("oauth_verifier")).await;
    match told(&bitbucket, kind, "Exchange it for an access token", attempt) {
        Ok(_) => pages::connected(),
        Err(page) => *page,
    }
}

async fn consumer_info(State(bitbucket): State<Bitbucket>) -> Response {
    pages::consumer_info(&bitbucket)
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn link_of(query: &[(String, String)]) -> Option<LinkKind> {
    let id = form::value(query, "applicationLinkID")?;
    LinkKind::ALL.into_iter().find(|kind| kind.id() == id)
}

/// Writes a token call into the journal; the page to show when it won nothing.
fn told<T>(
    bitbucket: &Bitbucket,
    kind: LinkKind,
    title: &'static str,
    attempt: Result<Attempt<T>, CallError>,
) -> Result<T, Box<Response>> {
    let add = |mood, story: String, exchanges| {
        bitbucket.journal().add(Event {
            link: kind,
            title,
            mood,
            story,
            exchanges,
        });
    };
    let attempt = attempt.map_err(|error| {
        add(Mood::Wrong, format!("Nothing came back: {error}."), Vec::new());
        Box::new(pages::trouble(&Trouble::Unreadable("linkgate does not answer.")))
    })?;
    let exchanges = vec![attempt.exchange];
    match attempt.outcome {
        Ok(won) => {
            add(
                Mood::Done,
                "Signed in the form body, without an Authorization field.".to_owned(),
                exchanges,
            );
            Ok(won)
        }
        Err(trouble) => {
            add(Mood::Refused, trouble.to_string(), exchanges);
            Err(Box::new(pages::trouble(&trouble)))
        }
    }
}
